"""The two indexes derived from a collection, and how they follow the database.

There is one way for an index to become right: apply the operations after the last one it knows.
A new index knows none, a damaged one is replaced by a new one, and a saved one goes on from where
it was saved. Nothing depends on who published what, or in which process.

A search applies the last few operations itself, so that it finds what was acknowledged before.
Where many are missing it does not wait: the database stands in for the dense index, and the words
are left out, until the upkeep has caught up.
"""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from rag.domain import CollectionId, IndexId
from rag.storage.database import Database
from rag.storage.dense_leg import DenseLeg
from rag.storage.durable import remove_folder
from rag.storage.hits import ChunkNames
from rag.storage.indexversions import IndexVersion
from rag.storage.operations import count_after, latest_seen
from rag.storage.remembering import Remembered
from rag.storage.selecting import Selector
from rag.storage.texts import Texts
from rag.storage.word_leg import WordLeg

A_FEW = 1_000
"""Operations that a search applies itself: about half a second at worst."""

IndexState: TypeAlias = Literal["ready", "rebuilding", "absent"]
IndexKind: TypeAlias = Literal["dense", "words"]


class IndexHealth(Struct, frozen=True):
    """State of one derived index."""

    collection: CollectionId
    index: IndexId
    kind: IndexKind
    state: IndexState
    """`absent` where the collection has no model."""
    rows: int
    seq: int
    languages: dict[str, int] = {}
    """Chunks in each language (ISO 639-1), as the word index has them: it finds all of them by
    their words, and an English sentence model finds the English ones by their meaning as well."""


class Followed(Struct, frozen=True):
    """What the indexes know."""

    latest: int
    """The last operation when they were asked to follow."""
    behind: frozenset[IndexKind]
    """Indexes that lack too much of it to be waited for."""


class DerivedIndexes:
    """Dense and word index of one index version."""

    def __init__(
        self, database: Database, folder: Path, library_id: str, version: IndexVersion, texts: Texts
    ) -> None:
        self._database = database
        self._folder = folder / version.collection_id
        self._version = version
        self._keeping = threading.Lock()
        self._ending = threading.Event()
        self._latest = Remembered[int](database)
        self.names = ChunkNames(version.id)
        self.selector = Selector(version)
        words = self._folder / f"words-{version.id}"
        self.words = WordLeg(database, words, library_id, version, texts)
        self.dense: DenseLeg | None = None
        if version.dimension is not None:
            dense = self._folder / f"dense-{version.id}"
            self.dense = DenseLeg(database, dense, library_id, version, version.dimension)

    @property
    def version(self) -> IndexVersion:
        """What they are derived from."""
        return self._version

    @property
    def folder(self) -> Path:
        """Of all indexes of the collection."""
        return self._folder

    def renew(self, kind: IndexKind, reason: str) -> None:
        """Has an index that is sound built again by the next `keep_up`; it answers until then."""
        if kind == "words":
            self.words.begin_anew(reason)
        elif self.dense is not None:
            self.dense.begin_beside()

    def begin_anew(self, kind: IndexKind, reason: str) -> None:
        """Has an index that is not sound built again by the next `keep_up`. Of the dense one
        nothing is believed meanwhile: the database answers."""
        if kind == "words":
            self.words.begin_anew(reason)
        elif self.dense is not None:
            self.dense.begin_anew(self.dense.index, reason)

    @property
    def _legs(self) -> tuple[DenseLeg | WordLeg, ...]:
        return (self.words,) if self.dense is None else (self.words, self.dense)

    def follow(self, *, lag: int = 0, most: int | None = None) -> Followed:
        """Brings both indexes to the last operation in the database, where that is near.

        Args:
            lag: operations they may be behind without anything being done.
            most: operations that count as near; `A_FEW` where None.
        """
        latest = self._latest.of("latest", self._look_for_latest)
        behind: set[IndexKind] = set()
        for leg in self._legs:
            if leg.seq + lag >= latest:
                continue
            if self._lacks_more_than(A_FEW if most is None else most, leg.seq):
                behind.add(leg.kind)
            else:
                catch_up(leg, latest)
        return Followed(latest, frozenset(behind))

    def _look_for_latest(self) -> int:
        with self._database.look() as look:
            return latest_seen(look, self._version.id)

    def keep_up(self) -> None:
        """Catches up however far that is, and writes to disk what is worth writing."""
        with self._keeping:
            for leg in self._legs:
                leg.keep_up(self._ending)

    def end(self) -> None:
        """Lets a `keep_up` under way return soon: what it builds is begun again next time."""
        self._ending.set()

    def close(self) -> None:
        """Leaves nothing to be done by the next start, unless there is much of it."""
        self._ending.set()
        with self._keeping:
            self.follow()
            for leg in self._legs:
                leg.close()

    def remove(self) -> None:
        """Deletes the files."""
        self._ending.set()
        with self._keeping:
            for leg in self._legs:
                leg.discard()
            for folder in self._folder.glob(f"*-{self._version.id}"):
                remove_folder(folder)
            with suppress(OSError):  # other index versions of the collection have theirs in it
                self._folder.rmdir()

    def health(self) -> tuple[IndexHealth, IndexHealth]:
        id, index = self._version.collection_id, self._version.index
        words = IndexHealth(
            id,
            index,
            "words",
            self._state(self.words),
            len(self.words),
            self.words.seq,
            self.words.languages(),
        )
        if self.dense is None:
            return words, IndexHealth(id, index, "dense", "absent", 0, 0)
        dense = self.dense
        return words, IndexHealth(id, index, "dense", self._state(dense), len(dense), dense.seq)

    def _state(self, leg: DenseLeg | WordLeg) -> IndexState:
        if leg.is_to_be_new:
            return "rebuilding"
        return "rebuilding" if self._lacks_more_than(A_FEW, leg.seq) else "ready"

    def _lacks_more_than(self, operations: int, seq: int) -> bool:
        with self._database.read() as session:
            return count_after(session, self._version.id, seq, at_most=operations + 1) > operations


def catch_up(leg: DenseLeg | WordLeg, latest: int) -> None:
    while leg.seq < latest and leg.step():
        pass
