"""A process that does what a story says to a library, and tells of it as it goes.

What it tells goes into a journal outside the library: a line before an operation begins, a line
when it was acknowledged, and only then the next.
"""

import logging
import os
import random
from pathlib import Path

import msgspec
from msgspec import Struct

from rag.errors import RagError
from rag.storage import dense_leg, derived, upkeep, word_leg
from rag.storage.dense.index import DenseIndex
from rag.storage.library import Library
from scripts.chaos import shim, story
from scripts.chaos.plants import EARLY, PLANTS
from scripts.chaos.shim import Fault
from scripts.chaos.story import Operation, PromiseBroken
from scripts.chaos.truth import Event, Key, Truth

NEVER = 1e9  # seconds

LAST = Key("fish/last")
"""Put when the fault is over: a library that still refuses it would have to be restarted."""


class Task(Struct, frozen=True):
    """What one writer does."""

    data_dir: str
    journal: str
    seed: int
    chapter: int
    """Which writer to this library it is."""
    is_endless: bool
    """Until it is killed; if not, the short story in which everything happens."""
    upkeep: bool
    """Whether the library keeps its indexes up by itself, as it does in service. If not, the story
    says when, and what is done is the same each time."""
    plant: str | None = None
    fault: Fault | None = None
    told: str | None = None
    """File for the calls that the shim tells of."""


class Journal:
    """What is said there is known here too."""

    def __init__(self, path: Path) -> None:
        self.truth = Truth.of(path)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)

    def say(self, event: Event) -> None:
        self.truth.learn(event)
        os.write(self._descriptor, msgspec.json.encode(event) + b"\n")


def write(task: Task) -> None:
    """All of it in this process, which is a fork made for it."""
    logging.disable(logging.CRITICAL)  # what fails here is meant to
    _become_small(task.upkeep)
    if task.plant is not None:
        PLANTS[task.plant]()
    journal = Journal(Path(task.journal))
    told = story.endless if task.is_endless else story.each_kind
    operations = told(journal.truth, random.Random(task.seed), task.chapter)
    if task.fault is not None:
        shim.arm(Path(task.data_dir), task.fault, _descriptor(task.told))
    try:
        with Library.open(Path(task.data_dir)) as library:
            for operation in operations:
                _do(operation, library, journal, is_early=task.plant == EARLY)
            if task.fault is not None and task.fault.is_error:
                shim.disarm()
                last = story.putting(LAST, f"the last of c{task.chapter}")
                if not _do(last, library, journal):
                    journal.say(Event("broken", note="the disk is well, and it takes nothing"))
    except RagError as error:
        journal.say(Event("failed", note=f"open or close: {_named(error)}"))


def _do(
    operation: Operation, library: Library, journal: Journal, *, is_early: bool = False
) -> bool:
    """Whether it succeeded."""
    changes, name = operation.changes, operation.name
    journal.say(Event("begun", changes, name))
    if is_early:
        journal.say(Event("acknowledged", changes, name))
    try:
        operation.act(library)
    except PromiseBroken as broken:
        journal.say(Event("broken", note=f"{name}: {broken}"))
    except RagError as error:
        journal.say(Event("failed", note=f"{name}: {_named(error)}"))
        return False
    except Exception as error:  # whatever it is, it is not an error of ours, which is a finding
        journal.say(Event("broken", note=f"{name} ended with {_named(error)}"))
        return False
    if not is_early:
        journal.say(Event("acknowledged", changes, name))
    return True


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _descriptor(path: str | None) -> int:
    return -1 if path is None else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _become_small(has_upkeep: bool) -> None:
    """All that happens at thousands of rows happens at a few."""
    assert DenseIndex.due.__kwdefaults__ is not None
    DenseIndex.due.__kwdefaults__["at_least"] = 4
    dense_leg.FLUSH = 4
    dense_leg.AT_ONCE = 12
    word_leg.UNSAVED = 6
    derived.A_FEW = 8
    upkeep.CALM = 0.01 if has_upkeep else NEVER
    upkeep.RETRY = 0.01
