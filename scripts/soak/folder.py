"""A folder of many files, unattended: what comes of each, how fast, and what the service weighs.

    python -m scripts.soak.folder FOLDER [--data-dir DIR] [--kill-every SECONDS] [--account FILE]
        [--against FILE] [--model mistral|local]

Serves an empty library and runs `rag ingest FOLDER` against it as a person would, whose terminal
shows what it says. Then runs it again: nothing may be written or paid. Embeddings are bought of the
fake provider of `tests/`, which counts what it bills, or made by the model in the box.

With `--kill-every` the server is killed with SIGKILL at that pace and started again, but for a
rest of two minutes after every ninth time, and the command is repeated until it has ended by
itself. `--account` keeps what the library holds in the end; `--against` compares with such a file,
of an undisturbed run over the same files.

Exit code 0: all held; 1: something did not.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from rag.cli.outcomes import Outcome
from scripts.soak.account import Account, account_of
from scripts.soak.paid_once import billed, key, provider
from scripts.soak.served import Memory, Server, killed, watched

REST = 15.0  # seconds without a write
FASTER = 100  # times, that a second run over the same files must be
LARGEST = 1024**3  # bytes the server may have, and each child
MEMBER = "!/"  # in the key of a file in an archive
IN_COLLECTION = {"indexed", "unchanged"}


class Ran(Struct, frozen=True):
    """The command, repeated where it was cut off."""

    seconds: float
    times: int
    outcomes: tuple[Outcome, ...]
    """As its last report says them."""


def main() -> None:
    asked = arguments()
    with tempfile.TemporaryDirectory() as folder, provider(0, 0.0) as address:
        data_dir = asked.data_dir or Path(folder) / "library"
        environment = environment_of(data_dir, address, asked.model)
        server = Server(environment)
        server.start()
        with watched(server) as memory, killed(server, asked.kill_every):
            first = ingest(asked.folder, environment, server, beside(data_dir, "first.jsonl"))
        wait_for_rest(data_dir)
        bill, found = billed(address), account_of(data_dir)
        with closing(sqlite3.connect(data_dir / "library.db")) as library:
            before = changes(library)
            again = ingest(asked.folder, environment, server, beside(data_dir, "again.jsonl"))
            written = changes(library) != before
        paid = billed(address) - bill
        server.stop()
    if asked.account:
        asked.account.write_bytes(msgspec.json.encode(found))
    faults = faults_of(first, again, found, memory)
    faults += ["another run wrote"] * written + [f"another run paid ${paid}"] * bool(paid)
    faults += [f"{server.orphans} children outlived their server"] * bool(server.orphans)
    if asked.against:
        faults += found.differences(msgspec.json.decode(asked.against.read_bytes(), type=Account))
    figures = {
        **figures_of(first, again, found, memory),
        "kills": server.kills,
        "billed": str(bill),
    }
    print(json.dumps({**figures, "faults": faults}, indent=2))
    sys.exit(1 if faults else 0)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data-dir", type=Path, help="empty or missing; else a temporary one")
    parser.add_argument("--kill-every", type=float, metavar="SECONDS")
    parser.add_argument("--account", type=Path, help="written")
    parser.add_argument("--against", type=Path, help="an account, compared")
    parser.add_argument("--model", choices=("mistral", "local"), default="mistral")
    return parser.parse_args()


def environment_of(data_dir: Path, address: str, model: str) -> dict[str, str]:
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("RAG_", "MISTRAL_"))}
    return {
        **kept,
        "RAG_DATA_DIR": str(data_dir),
        "RAG_PROVIDER": "local",
        "RAG_EMBEDDING_PROVIDER": model,
        "RAG_MISTRAL_BASE_URL": address,
        "MISTRAL_API_KEY": key(),
        "XDG_CACHE_HOME": str(beside(data_dir, "cache")),
    }


def beside(data_dir: Path, name: str) -> Path:
    """What is kept of a run, but is not in the library."""
    return data_dir.with_name(f"{data_dir.name}-{name}")


def ingest(folder: Path, environment: Mapping[str, str], server: Server, report: Path) -> Ran:
    """`rag ingest`, as often as it takes until it knows how every file ended."""
    command = [sys.executable, "-m", "rag", "ingest", str(folder), "--report", str(report)]
    began = time.perf_counter()
    times, code = 0, None
    while code not in (0, 1):
        server.is_up.wait()
        code = subprocess.run(command, env=environment, check=False).returncode
        times += 1
    seconds = time.perf_counter() - began
    lines = report.read_bytes().splitlines()
    return Ran(seconds, times, tuple(msgspec.json.decode(line, type=Outcome) for line in lines))


def wait_for_rest(data_dir: Path) -> None:
    """Until nothing has been written for a while: a collection that has grown tries itself, and
    derived indexes are brought up, after the last file."""
    with closing(sqlite3.connect(data_dir / "library.db")) as library:
        before = None
        while before != (before := changes(library)):
            time.sleep(REST)


def changes(library: sqlite3.Connection) -> tuple[int, ...]:
    """Differs from an earlier answer on the same connection once anybody else has committed."""
    rows = library.execute("select count(*) from job union all select count(*) from item")
    return (*(count for (count,) in rows), *library.execute("pragma data_version").fetchone())


def faults_of(first: Ran, again: Ran, found: Account, memory: Sequence[Memory]) -> list[str]:
    inside = {o.key for o in first.outcomes if o.state in IN_COLLECTION}
    faults = list(found.faults)
    faults += [f"{o.key} failed: {o.reason}" for o in first.outcomes if o.state == "failed"]
    faults += [f"{o.key} has no reason" for o in first.outcomes if not is_told(o)]
    faults += [f"{key} is lost" for key in sorted(inside - set(found.chunks))]
    alone = {key for key in set(found.chunks) - inside if MEMBER not in key}
    faults += [f"{key} came by itself" for key in sorted(alone)]
    if files_of(first) != files_of(again):
        faults.append("another run names other files")
    if first.times == 1 and first.seconds < FASTER * again.seconds:
        faults.append(f"another run is only {first.seconds / again.seconds:.0f} times as fast")
    largest = max(max(each.server, each.largest_child) for each in memory)
    return faults + [f"a process had {largest // 2**20} MB"] * (largest > LARGEST)


def files_of(ran: Ran) -> set[str]:
    """Without members of archives, which only the run that unpacks one hears of."""
    return {outcome.key for outcome in ran.outcomes if MEMBER not in outcome.key}


def is_told(outcome: Outcome) -> bool:
    return outcome.state in IN_COLLECTION or bool(outcome.code and outcome.reason)


def figures_of(first: Ran, again: Ran, found: Account, memory: Sequence[Memory]) -> dict[str, Any]:
    refused = [outcome for outcome in first.outcomes if outcome.state not in IN_COLLECTION]
    reasons = Counter(f"{outcome.code}: {outcome.reason}" for outcome in refused)
    quarter = max(1, len(memory) // 4)
    quarters = [memory[start : start + quarter] for start in range(0, len(memory), quarter)][:4]
    return {
        "files": len(first.outcomes),
        "in the collection": len(found.chunks),
        "not in it": len(refused),
        "reasons": dict(reasons.most_common()),
        "pages": sum(outcome.pages for outcome in first.outcomes),
        "pages recognized": sum(outcome.pages_ocred for outcome in first.outcomes),
        "chunks": sum(found.chunks.values()),
        "seconds": round(first.seconds, 1),
        "files a second": round(len(first.outcomes) / first.seconds, 1),
        "runs of the command": first.times,
        "seconds of another run": round(again.seconds, 2),
        "server, MB, by quarters": [max(m.server for m in some) >> 20 for some in quarters],
        "largest child, MB": max(m.largest_child for m in memory) >> 20,
        "children together, MB": max(m.children for m in memory) >> 20,
    }


if __name__ == "__main__":
    main()
