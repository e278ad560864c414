"""Damaged and hostile files through the real reader: does anything but a file ever fail?

    python -m scripts.soak.fuzz [FOLDER...] [--files 2000] [--seed 1] [--no-bombs]

Takes files of the folders (the samples, if none is named), changes each a little or a lot by the
seed, and has it read, two at a time, by parsers in child processes as the service starts them. Then
the files as they are, and generated bombs. Scans are found and not recognized.

A file may be read or refused. A fault is: any other exception, a child that the kernel does not
keep from the network, a file that takes longer than its limit, memory of this process that grows.
What its parser did not foresee, and children that crashed, are listed: they fail a file, no more.

Exit code 0: no fault; 1: there are some.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from rag.domain import Source
from rag.errors import InvalidDocument
from rag.local.reading.limits import DEFAULT_LIMITS
from rag.local.reading.reader import LocalReader
from scripts.soak.mutations import bombs, mutated
from scripts.soak.served import descendants, resident

SAMPLES = Path(__file__).parents[2] / "rag" / "samples"
LARGEST = 2 * 1024 * 1024  # bytes of a file that is changed
AT_ONCE = 2
LIMITS = replace(DEFAULT_LIMITS, seconds=30.0)
LONGEST = LIMITS.seconds + LIMITS.ocr_seconds + 15.0  # seconds, with those in which children start
GROWTH = 100 * 1024 * 1024  # bytes that this process may have more in the end
UNFORESEEN = ("its parser failed on it", "its parser crashed", "nonsense")
START = 60.0  # seconds that a child may take to start
SECLUDED = "Seccomp:\t2"  # of /proc/N/status


class Result(Struct, frozen=True):
    ended: str
    """`read`, or the code of a refusal."""
    unforeseen: str | None
    seconds: float


class Found:
    """What is counted while files go by."""

    def __init__(self) -> None:
        self.ended: Counter[str] = Counter()
        self.unforeseen: Counter[str] = Counter()
        self.faults: list[str] = []
        self.slowest = (0.0, "")
        self.largest_child = 0
        self._resident = 0
        self._open: dict[int, float] = {}
        """When a child was first seen that has the network, as each has while it starts."""

    def add(self, name: str, result: Result) -> None:
        self.ended[result.ended] += 1
        self._resident = self._resident or resident(os.getpid())
        if result.unforeseen:
            self.unforeseen[f"{Path(name).suffix}: {result.unforeseen}"] += 1
        self.slowest = max(self.slowest, (round(result.seconds, 1), name))
        if result.seconds > LONGEST:
            self.faults.append(f"{name} took {result.seconds:.0f} s")
        for child in descendants(os.getpid()):
            self.largest_child = max(self.largest_child, resident(child))
            if _is_secluded(child):
                self._open.pop(child, None)
            elif time.monotonic() - self._open.setdefault(child, time.monotonic()) > START:
                self.faults.append(f"when {name} had been read, a child had the network")

    @property
    def growth(self) -> int:
        """Bytes of this process since the first file."""
        return resident(os.getpid()) - self._resident

    def figures(self) -> dict[str, Any]:
        return {
            "ended": dict(self.ended.most_common()),
            "unforeseen": dict(self.unforeseen.most_common()),
            "slowest": self.slowest,
            "largest child, MB": self.largest_child >> 20,
            "growth of the reader's process, MB": self.growth >> 20,
            "faults": self.faults,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="*", metavar="FOLDER")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-bombs", action="store_true")
    asked = parser.parse_args()
    seeds = sound_files(asked.folders or [SAMPLES])
    files = hostile(seeds, asked.files, random.Random(asked.seed))
    print(f"{asked.files:,} changed files of {len(seeds):,}, seed {asked.seed}", file=sys.stderr)
    found = {"changed": asyncio.run(fuzz(files))}
    if not asked.no_bombs:
        as_they_are = ((seed.name, seed.read_bytes()) for seed in seeds)
        found["as they are"] = asyncio.run(fuzz(as_they_are))
        found["bombs"] = asyncio.run(fuzz(iter(list(bombs()))))  # made before a clock runs
    print(json.dumps({kind: each.figures() for kind, each in found.items()}, indent=2))
    sys.exit(1 if any(each.faults for each in found.values()) else 0)


def sound_files(folders: Sequence[Path]) -> list[Path]:
    found = (file for folder in folders for file in sorted(folder.rglob("*")))
    return [file for file in found if file.is_file() and file.stat().st_size <= LARGEST]


def hostile(
    seeds: Sequence[Path], count: int, chance: random.Random
) -> Iterator[tuple[str, bytes]]:
    for number in range(count):
        seed = chance.choice(seeds)
        yield f"{number}-{seed.name}", mutated(seed.read_bytes(), chance)


async def fuzz(files: Iterator[tuple[str, bytes]]) -> Found:
    """Reads them all."""
    found = Found()
    reader = LocalReader(workers=AT_ONCE, limits=LIMITS)

    async def read_on() -> None:
        for name, content in files:
            try:
                found.add(name, await read(reader, name, content))
            except Exception as error:  # whatever it is, it is what is looked for
                found.faults.append(f"{name}: {type(error).__name__}: {error}")

    try:
        await asyncio.gather(*(read_on() for _ in range(AT_ONCE)))
    finally:
        await reader.close()
    if found.growth > GROWTH:
        found.faults.append(f"this process grew by {found.growth // 2**20} MB")
    return found


async def read(reader: LocalReader, name: str, content: bytes) -> Result:
    began = time.monotonic()
    ended, unforeseen = "read", None
    try:
        await reader.survey(Source(key=name, content=content))
    except InvalidDocument as error:
        ended = error.code
        unforeseen = str(error) if any(words in str(error) for words in UNFORESEEN) else None
    return Result(ended, unforeseen, time.monotonic() - began)


def _is_secluded(process: int) -> bool:
    """Or gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return True
    return SECLUDED in status or "VmRSS" not in status  # a zombie has no memory


if __name__ == "__main__":
    main()
