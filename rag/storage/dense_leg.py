"""The dense index of an index version: how it follows the database, and what answers meanwhile."""

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from rag.domain import Vectors
from rag.storage.chunks import all_live_vectors, live_vectors
from rag.storage.database import Database
from rag.storage.dense.allowed import Allowed
from rag.storage.dense.clustering_process import Stopped
from rag.storage.dense.compaction import FLUSH
from rag.storage.dense.damage import SegmentDamaged
from rag.storage.dense.index import DenseIndex, Found
from rag.storage.dense.manifest import Published
from rag.storage.dense.scanning import Ids, Rows, as_query, as_rows, cosines_of, exact_search
from rag.storage.dense.searching import Step
from rag.storage.dense.segment import Segment, open_segment
from rag.storage.dense.writing import Span, remove_unpublished, write_segment
from rag.storage.durable import disk_failures_told
from rag.storage.generations import (
    publish_segment,
    published_segments,
    withdraw_segments,
)
from rag.storage.indexversions import IndexVersion
from rag.storage.operations import changes_after, count_after, latest_operation

log = logging.getLogger(__name__)

Explained: TypeAlias = tuple[Found, tuple[Step, ...]]

AT_ONCE = 2 * FLUSH  # operations from which a new index is built of rows, not of operations


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
        self._is_to_be_new = threading.Event()
        self._index = self._opened()

    @property
    def index(self) -> DenseIndex:
        """As it is now; another takes its place when a file of it is damaged."""
        return self._index

    @property
    def folder(self) -> Path:
        """Of its segments."""
        return self._folder

    def begin_anew(self, index: DenseIndex, reason: str) -> None:
        """Throws an index away, unless another has its place. The database answers until `keep_up`
        has built one."""
        self._give_up(index, SegmentDamaged("all", reason))

    @property
    def is_to_be_new(self) -> bool:
        """Whether another is being built beside this one, or about to be."""
        return self._is_to_be_new.is_set()

    def begin_beside(self) -> None:
        """Lets `keep_up` build another beside this one, which answers until then."""
        self._is_to_be_new.set()

    @property
    def seq(self) -> int:
        """Complete up to this operation."""
        return self._index.seq

    def __len__(self) -> int:
        return len(self._index)

    def step(self) -> bool:
        """Applies the next operations; False when there are none."""
        with self._following:
            return self._apply_next(self._index)

    def _apply_next(self, index: DenseIndex) -> bool:
        with self._database.read() as session:
            changes = changes_after(session, self._version.id, index.seq)
            if changes is None:
                return False
            ids, vectors = live_vectors(session, changes.put)
            index.change(ids, vectors, changes.deleted, changes.seq)
            return True

    def keep_up(self, ending: threading.Event) -> None:
        """Catches up, writes segments that are due, and checks what nobody has used yet.

        For one thread at a time, for as long as it takes, or until it is to end.
        """
        with suppress(Stopped):
            if self.is_to_be_new or self._is_far_behind():
                self._build_anew(ending)
            while not ending.is_set() and self.step():
                self._save(ending)
            while not ending.is_set() and self._save(ending):
                pass
            self._sweep()

    def _is_far_behind(self) -> bool:
        if self._index.seq:
            return False
        with self._database.read() as session:
            return count_after(session, self._version.id, 0, at_most=AT_ONCE + 1) > AT_ONCE

    def _build_anew(self, ending: threading.Event) -> None:
        """From all live rows at once: a row is written once, and not with every merge. What is
        there goes on answering, and following."""
        index = self._index
        with self._database.read() as session:
            last = latest_operation(session, self._version.id)
        if not last:
            self._is_to_be_new.clear()  # nothing was ever put
            return
        # rows put since are among them, and are known when their operations come
        published = self._written(self._rows(None), 1, last, (), ending)
        new = DenseIndex(self.dimension, [self._open(published)])
        while not ending.is_set() and self._apply_next(new):
            pass
        with self._following:
            if index is self._index:
                former = [segment.name for segment in index.segments]
                with self._database.write() as session:
                    publish_segment(session, self._version.id, published, instead_of=former)
                while self._apply_next(new):
                    pass
                self._index = new
        self._is_to_be_new.clear()
        self._remove_unpublished()

    def _save(self, ending: threading.Event, *, is_last: bool = False) -> bool:
        """Writes one segment if one is due; False when none is."""
        index = self._index
        try:
            work = index.due(at_least=1, most=FLUSH) if is_last else index.due()
            if work is None:
                return False
            published = self._written(work.rows(), work.first, work.last, work.deleted, ending)
            segment = self._open(published)
        except SegmentDamaged as damage:
            self._give_up(index, damage)
            return True
        former = [each.name for each in work.segments]
        with self._following:
            if index is self._index:
                with self._database.write() as session:
                    publish_segment(session, self._version.id, published, instead_of=former)
                index.swap(work, segment)
        self._remove_unpublished()
        return True

    def _written(
        self,
        rows: Iterable[tuple[Ids, Vectors | Rows]],
        first: int,
        last: int,
        deleted: tuple[int, ...],
        ending: threading.Event,
    ) -> Published:
        span = Span(self._owner, self.dimension, first, last, deleted)
        with disk_failures_told():
            return write_segment(self._folder, rows, span, should_stop=ending.is_set)

    def _open(self, published: Published) -> Segment:
        return open_segment(self._folder, published, owner=self._owner, dimension=self.dimension)

    def _sweep(self) -> None:
        """Reads what was not used since it was opened: queries are quicker afterwards."""
        index = self._index
        try:
            for segment in index.segments:
                segment.rows.check()
        except SegmentDamaged as damage:
            self._give_up(index, damage)

    def search(self, vector: Vectors, k: int, allowed: Allowed | None) -> Explained:
        """The `k` nearest to one vector, with their cosines; and how they were found.

        Where a file turns out to be damaged the database answers, until the index is built anew.
        """
        index = self._index
        try:
            return index.explain(vector, k, allowed)
        except SegmentDamaged as damage:
            self._give_up(index, damage)
            return self.search_rows(vector, k, allowed)

    def search_rows(self, vector: Vectors, k: int, allowed: Allowed | None) -> Explained:
        """The same from the database: right at any time, and slow."""
        return exact_search(self._rows(allowed), vector.reshape(-1), k), ()

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
        """Leaves nothing to be applied by the next start, unless much is."""
        self._save(threading.Event(), is_last=True)

    def discard(self) -> None:
        """Lets go of the files, which are about to be deleted."""
        self._index = DenseIndex(self.dimension)

    def _cosines_of_rows(self, vector: Vectors, ids: Sequence[int]) -> dict[int, float]:
        with self._database.read() as session:
            numbers, vectors = live_vectors(session, ids)
        if not len(numbers):
            return {}
        cosines = cosines_of(as_rows(vectors), as_query(vector))
        return dict(zip(numbers.tolist(), cosines.tolist(), strict=True))

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
        remove_unpublished(self._folder, [each.name for each in published])
        try:
            return DenseIndex(self.dimension, [self._open(each) for each in published])
        except SegmentDamaged as damage:
            return self._empty(damage)

    def _give_up(self, index: DenseIndex, damage: SegmentDamaged) -> None:
        """Begins anew, unless another did already."""
        with self._following:
            if index is self._index:
                self._index = self._empty(damage)

    def _empty(self, damage: SegmentDamaged) -> DenseIndex:
        log.warning(
            "an index is built again from the database",
            extra={
                "action": "index_rebuilt",
                "index": self.kind,
                "index_version": self._version.id,
                "reason": damage.reason,
            },
        )
        with self._database.write() as session:
            withdraw_segments(session, self._version.id)
        return DenseIndex(self.dimension)

    def _remove_unpublished(self) -> None:
        """Never beside a writer, whose folder has no name yet."""
        remove_unpublished(self._folder, [segment.name for segment in self._index.segments])
