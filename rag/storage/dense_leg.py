"""The dense index of an index version: how it follows the database, and what answers meanwhile."""

import logging
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from rag.domain import Vectors
from rag.storage.chunks import all_live_vectors, live_vectors
from rag.storage.collections import IndexVersion
from rag.storage.database import Database
from rag.storage.dense.allowed import Allowed
from rag.storage.dense.compaction import FLUSH
from rag.storage.dense.damage import SegmentDamaged
from rag.storage.dense.index import DenseIndex, Found
from rag.storage.dense.scanning import Ids, exact_search
from rag.storage.dense.segment import open_segment
from rag.storage.dense.writing import Span, remove_unpublished, write_segment
from rag.storage.generations import (
    publish_segment,
    published_segments,
    withdraw_segments,
)
from rag.storage.operations import changes_after

log = logging.getLogger(__name__)


class DenseLeg:
    """Vectors of an index version, by chunk number. Safe to use from many threads."""

    kind: Literal["dense"] = "dense"

    def __init__(
        self,
        database: Database,
        folder: Path,
        library_id: str,
        version: IndexVersion,
        dimension: int,
    ) -> None:
        self._database = database
        self._folder = folder
        self._version = version
        self._owner = f"{library_id}/{version.id}/{version.model}"
        self.dimension = dimension
        self._following = threading.Lock()
        self._index = self._opened()

    @property
    def seq(self) -> int:
        """Complete up to this operation."""
        return self._index.seq

    def __len__(self) -> int:
        return len(self._index)

    def step(self) -> bool:
        """Applies the next operations; False when there are none."""
        with self._following, self._database.read() as session:
            changes = changes_after(session, self._version.id, self._index.seq)
            if changes is None:
                return False
            ids, vectors = live_vectors(session, changes.put)
            self._index.change(ids, vectors, changes.deleted, changes.seq)
            return True

    def save(self, *, at_least: int = FLUSH) -> bool:
        """Writes one segment if one is due; False when none is.

        Args:
            at_least: rows in memory that are worth one.
        """
        index = self._index
        try:
            work = index.due(at_least=at_least)
            if work is None:
                return False
            span = Span(self._owner, self.dimension, work.first, work.last, work.deleted)
            published = write_segment(self._folder, work.rows(), span)
            segment = open_segment(
                self._folder, published, owner=self._owner, dimension=self.dimension
            )
        except SegmentDamaged as damage:
            self._give_up(index, damage)
            return True
        former = [each.name for each in work.segments]
        with self._following:
            if index is not self._index:
                return True
            with self._database.write() as session:
                publish_segment(session, self._version.id, published, instead_of=former)
            index.swap(work, segment)
        self._remove_unpublished()
        return True

    def search(self, vector: Vectors, k: int, allowed: Allowed | None) -> Found:
        """The `k` nearest to one vector, with their cosines.

        Where a file turns out to be damaged the database answers, until the index is built anew.
        """
        index = self._index
        try:
            return index.search(vector, k, allowed)
        except SegmentDamaged as damage:
            self._give_up(index, damage)
            return self.search_rows(vector, k, allowed)

    def search_rows(self, vector: Vectors, k: int, allowed: Allowed | None) -> Found:
        """The same from the database: right at any time, and slow."""
        return exact_search(self._rows(allowed), vector.reshape(-1), k)

    def cosines(self, vector: Vectors, ids: Sequence[int]) -> dict[int, float]:
        """Of those chunks that are live."""
        index = self._index
        try:
            found = index.cosines(vector, ids)
        except SegmentDamaged as damage:
            self._give_up(index, damage)
            found = {}
        missing = [id for id in ids if id not in found]
        return found | self._cosines_of_rows(vector, missing) if missing else found

    def close(self) -> None:
        """Leaves nothing to be applied by the next start."""
        while self.save(at_least=1):
            pass

    def discard(self) -> None:
        """Lets go of the files, which are about to be deleted."""
        self._index = DenseIndex(self.dimension)

    def _cosines_of_rows(self, vector: Vectors, ids: Sequence[int]) -> dict[int, float]:
        with self._database.read() as session:
            numbers, vectors = live_vectors(session, ids)
        if not len(numbers):
            return {}
        return dict(zip(numbers.tolist(), (vectors @ vector.reshape(-1)).tolist(), strict=True))

    def _rows(self, allowed: Allowed | None) -> Iterator[tuple[Ids, Vectors]]:
        with self._database.read() as session:
            for ids, vectors in all_live_vectors(session, self._version.id):
                if allowed is None:
                    yield ids, vectors
                else:
                    kept = np.isin(ids, allowed.numbers)
                    yield ids[kept], vectors[kept]

    def _opened(self) -> DenseIndex:
        """The saved index; an empty one when a file of it is not what was published."""
        with self._database.read() as session:
            published = published_segments(session, self._version.id)
        self._remove_unpublished([each.name for each in published])
        try:
            segments = [
                open_segment(self._folder, each, owner=self._owner, dimension=self.dimension)
                for each in published
            ]
            return DenseIndex(self.dimension, segments)
        except SegmentDamaged as damage:
            return self._empty(damage)

    def _give_up(self, index: DenseIndex, damage: SegmentDamaged) -> None:
        """Begins anew, unless another did already."""
        with self._following:
            if index is self._index:
                self._index = self._empty(damage)

    def _empty(self, damage: SegmentDamaged) -> DenseIndex:
        log.warning(
            "a saved index is damaged, and is built again from the database",
            extra={
                "action": "index_rebuilt",
                "index": self.kind,
                "index_version": self._version.id,
                "reason": damage.reason,
            },
        )
        with self._database.write() as session:
            withdraw_segments(session, self._version.id)
        self._remove_unpublished([])
        return DenseIndex(self.dimension)

    def _remove_unpublished(self, names: Sequence[str] | None = None) -> None:
        if names is None:
            names = [segment.name for segment in self._index.segments]
        remove_unpublished(self._folder, names)
