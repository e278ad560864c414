"""Where faults are tried: libraries that are all alike at first, and what came of each fault."""

import itertools
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from rag.storage.library import Library
from scripts.chaos.nursery import Nursery, nursery
from scripts.chaos.promises import Kept, check
from scripts.chaos.shim import Fault
from scripts.chaos.story import COLLECTIONS, collection_named
from scripts.chaos.truth import Truth
from scripts.chaos.writer import Task

IN_MEMORY = Path("/dev/shm")
"""Where it is there: a killed process loses nothing that it wrote, wherever it wrote it, and a
thousand libraries are made sooner."""

PATIENCE = 60.0  # seconds for a writer to get somewhere


class Site:
    """One library, and the journal of what was acknowledged of it."""

    def __init__(self, data_dir: Path, journal: Path) -> None:
        self.data_dir = data_dir
        self.journal = journal
        self.told = journal.with_suffix(".told")
        self._chapters = itertools.count()
        journal.touch()

    def task(
        self,
        seed: int,
        *,
        is_endless: bool = False,
        upkeep: bool = False,
        plant: str | None = None,
        fault: Fault | None = None,
    ) -> Task:
        return Task(
            data_dir=str(self.data_dir),
            journal=str(self.journal),
            seed=seed,
            chapter=next(self._chapters),
            is_endless=is_endless,
            upkeep=upkeep,
            plant=plant,
            fault=fault,
            told=str(self.told),
        )

    def await_changes(self, number: int) -> None:
        """Until so many were acknowledged: a busy machine only takes longer."""
        deadline = time.monotonic() + PATIENCE
        while self.truth().acknowledged < number:
            if time.monotonic() > deadline:
                raise TimeoutError("a writer does nothing; the file `said` may tell why")
            time.sleep(0.01)

    def truth(self) -> Truth:
        return Truth.of(self.journal)

    def calls(self) -> list[str]:
        """That the shim told of."""
        return self.told.read_text().splitlines() if self.told.exists() else []

    def checked(self) -> Kept:
        """What was open before is known afterwards, and must stay so."""
        kept = check(self.data_dir, self.truth())
        with self.journal.open("ab") as journal:
            journal.write(msgspec.json.encode(kept.found) + b"\n")
        return kept

    def remove(self) -> None:
        shutil.rmtree(self.data_dir)
        self.journal.unlink()
        self.told.unlink(missing_ok=True)


class Ground:
    """Makes sites. Its nursery has one writer at a time."""

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        """Use `ground`."""
        self.folder = folder
        self.nursery = nursery
        self.template = folder / "template"
        self._numbers = itertools.count()
        with Library.open(self.template) as library:
            for name in COLLECTIONS:
                collection_named(library, name)

    def site(self, within: Path | None = None) -> Site:
        """
        Args:
            within: a folder on another disk; the journal is not there.
        """
        number = next(self._numbers)
        data_dir = (within or self.folder) / f"library{number}"
        shutil.copytree(self.template, data_dir)
        return Site(data_dir, self.folder / f"journal{number}")


@contextmanager
def ground() -> Iterator[Ground]:
    in_memory = IN_MEMORY if IN_MEMORY.is_dir() else None
    with (
        TemporaryDirectory(prefix="chaos-", dir=in_memory) as folder,
        nursery(Path(folder)) as started,
    ):
        yield Ground(Path(folder), started)


class Tally:
    """What came of the faults of one kind."""

    def __init__(self, kind: str, seed: int) -> None:
        self.kind = kind
        self.seed = seed
        self.faults = 0
        self.unreached = 0
        """Faults meant for a call that did not come."""
        self.acknowledged = 0
        self.failed = 0
        """Operations that ended with an error of ours."""
        self.checked = self.lost = self.unacknowledged = self.left_behind = 0
        self.rebuilt: list[str] = []
        self.broken: list[str] = []

    def count(self, what: str, truth: Truth, kept: Kept, *, before: Truth | None = None) -> None:
        """
        Args:
            what: which fault it was.
            before: what was counted of the same library already.
        """
        said = truth.broken[len(before.broken) if before else 0 :]
        self.faults += 1
        self.acknowledged += truth.acknowledged - (before.acknowledged if before else 0)
        self.failed += len(truth.failures) - (len(before.failures) if before else 0)
        self.checked += kept.tried
        self.lost += kept.lost
        self.unacknowledged += kept.unacknowledged
        self.left_behind += kept.left_behind
        self.rebuilt += [f"{what}: {kind}" for kind in kept.rebuilt]
        self.broken += [f"{what}: {each}" for each in (*said, *kept.broken)]

    def summary(self) -> dict[str, object]:
        """Counts alone."""
        return vars(self) | {"rebuilt": len(self.rebuilt), "broken": len(self.broken)}
