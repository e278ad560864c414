"""Many documents through a provider that fails, and a process that is killed: what was paid?

    python scripts/soak/paid_once.py FOLDER... [--documents 300] [--kills 10] [--fault-rate 0.05]

Starts the fake provider of `tests/`, ingests files of the folders with `rag ingest`, kills the
process at random moments, and lets a last run finish. Then the provider's own bill is held against
the ledger: what was billed is at least what the ledger says was settled, and at most that and the
calls whose replies were lost. Another run of the same must bill nothing.

Exit code 0: all held; 1: something did not.
"""

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
READABLE = {".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".md", ".txt", ".html", ".htm"}
LIFE = (1.0, 12.0)
"""Seconds after which a run is killed, at random between the two."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--documents", type=int, default=300)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--fault-rate", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    files = chosen(asked.folders, asked.documents, chance)
    with (
        tempfile.TemporaryDirectory() as folder,
        provider(asked.seed, asked.fault_rate) as address,
    ):
        rag = Rag(Path(folder), address, files)
        for _ in range(asked.kills):
            rag.killed_after(chance.uniform(*LIFE))
        began = time.perf_counter()
        last = rag.ingest()
        seconds = time.perf_counter() - began
        bill, spent = billed(address), rag.usage()
        again = rag.ingest()
        bill_again = billed(address)
    found = {
        "documents": last["files"],
        "in the collection": last["indexed"] + last["unchanged"],
        "refused": last["refused"],
        "failed": last["failed"],
        "runs killed": rag.kills,
        "seconds of the last run": round(seconds, 1),
        "billed": str(bill),
        "settled": spent["total"]["usd"],
        "lost calls": spent["total"]["lost_calls"],
        "lost, at most": spent["total"]["lost_usd"],
        "billed by another run": str(bill_again - bill),
    }
    settled, lost = Decimal(spent["total"]["usd"]), Decimal(spent["total"]["lost_usd"])
    faults = [
        fault
        for fault, is_one in {
            "documents failed": last["failed"] > 0,
            "the ledger says more than was billed": settled > bill,
            "more was billed than the ledger knows": bill > settled + lost,
            "another run was billed": bill_again != bill,
            "another run did something": again["indexed"] > 0,
        }.items()
        if is_one
    ]
    print(json.dumps({**found, "faults": faults}, indent=2))
    sys.exit(1 if faults else 0)


class Rag:
    """`rag` in a library of its own, with the provider for everything it can do."""

    def __init__(self, folder: Path, address: str, files: Sequence[Path]) -> None:
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("RAG_", "MISTRAL_"))}
        self._environment = {
            **kept,
            "RAG_DATA_DIR": str(folder / "library"),
            "RAG_MISTRAL_BASE_URL": address,
            "MISTRAL_API_KEY": key(),
        }
        self._documents = folder / "documents"
        self._documents.mkdir()
        for number, path in enumerate(files):  # names repeat, and would be keys
            shutil.copy(path, self._documents / f"{number:04d}-{path.name}")
        self.kills = 0

    def ingest(self) -> Any:
        """The summary of a run that is let finish."""
        done = subprocess.run(
            self._command("ingest", str(self._documents), "--json", "--quiet"),
            env=self._environment,
            stdout=subprocess.PIPE,
            check=False,
        )
        assert done.returncode in (0, 1), f"exit code {done.returncode}"
        return json.loads(done.stdout)

    def killed_after(self, seconds: float) -> None:
        running = subprocess.Popen(
            self._command("ingest", str(self._documents), "--quiet"),
            env=self._environment,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            running.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            self.kills += 1

    def usage(self) -> Any:
        done = subprocess.run(
            self._command("usage", "--json"),
            env=self._environment,
            stdout=subprocess.PIPE,
            check=True,
        )
        return json.loads(done.stdout)

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "rag", *words]


@contextmanager
def provider(seed: int, fault_rate: float) -> Iterator[str]:
    """The address of the fake provider, while it runs."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.fake_mistral", "--port", str(port)]
    faults = ["--seed", str(seed), "--fault-rate", str(fault_rate)]
    with subprocess.Popen([*command, *faults], cwd=ROOT, stdout=subprocess.DEVNULL) as running:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address)
            yield address
        finally:
            running.terminate()


def _wait(address: str) -> None:
    for _ in range(200):
        try:
            httpx.get(f"{address}/fake/bill")
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the fake provider did not start")


def key() -> str:
    sys.path.insert(0, str(ROOT))
    from tests.fake_mistral.app import KEY  # needs the line above

    return KEY


def chosen(folders: Sequence[Path], most: int, chance: random.Random) -> list[Path]:
    """Files that `rag` reads, the ones that need OCR first."""
    found = sorted(
        path.resolve()
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix.lower() in READABLE
    )
    chance.shuffle(found)
    return sorted(found, key=lambda path: path.suffix.lower() in {".md", ".txt"})[:most]


def billed(address: str) -> Decimal:
    """USD, by the provider's own account."""
    return Decimal(httpx.get(f"{address}/fake/bill").raise_for_status().json()["usd"])


if __name__ == "__main__":
    main()
