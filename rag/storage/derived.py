"""The two indexes derived from a collection, and how they follow the database.

There is one way for an index to become right: apply the operations after the last one it knows.
A new index knows none, a damaged one is replaced by a new one, and a saved one goes on from where
it was saved. Nothing depends on who published what, or in which process.
"""

import logging
import shutil
import threading
from pathlib import Path
from typing import Literal

from msgspec import Struct

from rag.domain import CollectionId
from rag.storage.chunks import ChunkNames, live_entries, live_vectors
from rag.storage.collections import IndexVersion
from rag.storage.database import Database
from rag.storage.generations import load_vectors, save_vectors
from rag.storage.operations import changes_after, latest_operation
from rag.storage.selecting import Selector
from rag.storage.texts import Texts
from rag.storage.vectors import VectorIndex
from rag.storage.words import WordIndex

log = logging.getLogger(__name__)

SAVE_EVERY = 20_000  # operations: what a start after a crash has to repeat, about half a second

IndexState = Literal["ready", "rebuilding", "absent"]


class IndexHealth(Struct, frozen=True):
    """State of one derived index."""

    collection: CollectionId
    kind: Literal["dense", "words"]
    state: IndexState
    """`absent` where the collection has no model."""
    rows: int
    seq: int


class DerivedIndexes:
    """Dense and word index of one index version."""

    def __init__(
        self, database: Database, folder: Path, library_id: str, serving: IndexVersion, texts: Texts
    ) -> None:
        self._database = database
        self._folder = folder / serving.collection_id
        self._serving = serving
        self._texts = texts
        self._following = threading.Lock()
        self._is_ready = False
        self.names = ChunkNames(serving.id)
        self.selector = Selector(serving.id)
        self.words = WordIndex(self._folder / f"words-{serving.id}", f"{library_id}/{serving.id}")
        self.dense: VectorIndex | None = None
        if serving.dimension is not None:
            saved = load_vectors(database, self._folder, serving, serving.dimension)
            self.dense = saved or VectorIndex(serving.dimension)
        self._saved = self.seq

    def follow(self, *, lag: int = 0) -> int:
        """Brings both indexes to the last operation in the database, and returns its number.

        Args:
            lag: operations they may be behind without anything being done.
        """
        with self._database.read() as session:
            latest = latest_operation(session, self._serving.id)
        if self._is_ready and latest <= self.seq + lag:
            return latest
        with self._following:
            self._follow_words()
            self._follow_dense()
            self._is_ready = True
            if self.seq - self._saved > SAVE_EVERY:
                self._save()
        return latest

    @property
    def seq(self) -> int:
        """Both indexes are complete up to this operation."""
        return min(self.words.seq, self.words.seq if self.dense is None else self.dense.seq)

    def close(self) -> None:
        """Leaves nothing to be done by the next start."""
        self.follow()
        with self._following:
            if self.seq > self._saved:
                self._save()
            self.words.close()

    def remove(self) -> None:
        """Deletes the files."""
        with self._following:
            self.words.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def health(self) -> tuple[IndexHealth, IndexHealth]:
        state: IndexState = "ready" if self._is_ready else "rebuilding"
        id, dense = self._serving.collection_id, self.dense
        return (
            IndexHealth(id, "words", state, len(self.words), self.words.seq),
            IndexHealth(id, "dense", state, len(dense), dense.seq)
            if dense is not None
            else IndexHealth(id, "dense", "absent", 0, 0),
        )

    def _follow_words(self) -> None:
        with self._database.read() as session:
            while changes := changes_after(session, self._serving.id, self.words.seq):
                entries = live_entries(session, changes.put, self._texts)
                self.words.change(entries, changes.deleted, changes.seq)

    def _follow_dense(self) -> None:
        if self.dense is None:
            return
        with self._database.read() as session:
            while changes := changes_after(session, self._serving.id, self.dense.seq):
                ids, vectors = live_vectors(session, changes.put)
                self.dense.change(ids, vectors, changes.deleted, changes.seq)

    def _save(self) -> None:
        self.words.commit()
        if self.dense is not None:
            save_vectors(self._database, self._folder, self._serving, self.dense)
        self._saved = self.seq
