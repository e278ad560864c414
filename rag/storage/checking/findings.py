"""What a check finds, and what is done about it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from rag.storage.blobs import Blobs
from rag.storage.database import Database
from rag.storage.derived import DerivedIndexes

Part: TypeAlias = Literal[
    "database",
    "documents",
    "chunks",
    "vectors",
    "attributes",
    "counts",
    "originals",
    "jobs",
    "ledger",
    "files",
    "dense",
    "words",
    "code",
]

NAMED = 3  # of what is wrong, in a sentence


class Flaw(Struct, frozen=True):
    """Something that is not as it should be."""

    part: Part
    what: str
    remedy: str
    """What a repair does about it; or what a person has to do."""
    by_hand: bool = False
    """Whether only a person can mend it."""
    repaired: bool = False


class Finding(Struct, frozen=True):
    """A flaw, and how it is mended; by a person where `mend` is None."""

    flaw: Flaw
    mend: Callable[[], None] | None


Findings: TypeAlias = Iterator[Finding]


class Holdings(Struct, frozen=True):
    """All that a library has, and that must agree."""

    database: Database
    blobs: Blobs
    data_dir: Path
    indexes: Callable[[], Sequence[DerivedIndexes]]
    wake: Callable[[], None]
    """Lets the indexes be kept up now."""


def mendable(part: Part, what: str, remedy: str, mend: Callable[[], None]) -> Finding:
    return Finding(Flaw(part, what, remedy), mend)


def by_hand(part: Part, what: str, remedy: str) -> Finding:
    return Finding(Flaw(part, what, remedy, by_hand=True), None)


def some_of(names: Sequence[object]) -> str:
    """The first few, and how many more there are."""
    shown = ", ".join(repr(name) for name in names[:NAMED])
    more = len(names) - NAMED
    return f"{shown} and {more:,} more" if more > 0 else shown
