"""The derived indexes against the database: the same chunks and vectors, and whole files.

An index follows the database, and may be a moment behind it. So what happened since the operation
that it has reached is left out of the comparison.
"""

import time
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm import Session

from rag.errors import RagError
from rag.storage.checking.findings import Finding, Findings, Holdings, Part, mendable
from rag.storage.chunks import live_vectors
from rag.storage.database import Database
from rag.storage.dense.damage import SegmentDamaged
from rag.storage.dense.index import DenseIndex
from rag.storage.dense.parts import Block
from rag.storage.dense.scanning import Ids, Positions, as_rows
from rag.storage.dense.segment import Segment
from rag.storage.derived import DerivedIndexes, IndexKind
from rag.storage.lexical.seals import undamaged
from rag.storage.operations import changes_after
from rag.storage.tables import ChunkRow

COMPARED = 1_000  # rows at once: 4 MB at 1,024 numbers
LOOKS = 5
"""At the files of a word index before they are believed to be damaged: they change while somebody
writes, and are not all of one moment then."""
PAUSE = 0.2  # seconds between two of them

BUILT_AGAIN = "it is built again from the database; answers go on meanwhile"


class Difference(Struct, frozen=True):
    """What an index has and the database has not, and the other way round."""

    extra: Ids
    missing: Ids

    @property
    def is_none(self) -> bool:
        return not len(self.extra) and not len(self.missing)


def check_dense(held: Holdings) -> Findings:
    for indexes in held.indexes():
        if indexes.dense is None:
            continue
        indexes.follow()
        index = indexes.dense.index
        reason = (
            _damaged_file(indexes, index)
            or _numbers_said(held.database, indexes, index.moment())
            or _altered_rows(held.database, index)
        )
        if reason and index is indexes.dense.index:
            yield _finding(held, indexes, "dense", reason)


def check_words(held: Holdings) -> Findings:
    for indexes in held.indexes():
        words = indexes.words
        if words.is_to_be_new:
            continue
        indexes.follow()
        if not is_undamaged(indexes):
            yield _finding(held, indexes, "words", "a file of it is damaged")
            continue
        seq, chunks = words.index.moment()
        difference = compared(held.database, indexes.version.id, seq, chunks, with_vector=False)
        if not difference.is_none:
            yield _finding(held, indexes, "words", _said(difference))


def compared(
    database: Database, index_version: int, seq: int, found: Ids, *, with_vector: bool
) -> Difference:
    """The chunks of an index at operation `seq` against those that are live in the database."""
    with database.read() as session:
        live = _live(session, index_version, with_vector=with_vector)
        since = _touched_since(session, index_version, seq)
    return Difference(
        np.setdiff1d(np.setdiff1d(found, live), since),
        np.setdiff1d(np.setdiff1d(live, found), since),
    )


def is_undamaged(indexes: DerivedIndexes) -> bool:
    """Whether every byte of the word index on disk is as it was written."""
    for _ in range(LOOKS):
        if undamaged(indexes.words.folder):
            return True
        time.sleep(PAUSE)
    return False


def differing(session: Session, part: Segment | Block, positions: Positions) -> int:
    """How many rows of a part are not what the database has; those it has not are left out.

    Raises:
        SegmentDamaged: they are not even what was written.
    """
    numbers, rows = part.live_rows(positions)
    ids, vectors = live_vectors(session, numbers.tolist())
    if not len(ids):
        return 0
    order = np.argsort(numbers)
    places = order[np.searchsorted(numbers, ids, sorter=order)]
    alike = (as_rows(vectors).view(np.uint16) == rows[places].view(np.uint16)).all(axis=1)
    return int((~alike).sum())


def _finding(held: Holdings, indexes: DerivedIndexes, kind: IndexKind, reason: str) -> Finding:
    part: Part = kind
    what = f"the index of {indexes.version.collection_id} (version {indexes.version.id}): {reason}"

    def mend() -> None:
        indexes.begin_anew(kind, reason)
        held.wake()

    return mendable(part, what, BUILT_AGAIN, mend)


def _damaged_file(indexes: DerivedIndexes, index: DenseIndex) -> str | None:
    for segment in index.segments:
        try:
            segment.check()
        except SegmentDamaged as damage:
            if segment in index.segments:  # or it was replaced, and its files are gone
                return f"segment {segment.name}: {damage.reason}"
    return None


def _numbers_said(
    database: Database,
    indexes: DerivedIndexes,
    moment: tuple[int, Sequence[tuple[Segment | Block, Positions]]],
) -> str | None:
    seq, parts = moment
    numbers = [part.numbers.ids[live] for part, live in parts]
    found = np.concatenate([np.empty(0, np.int64), *numbers])
    if len(np.unique(found)) != len(found):
        return "it has a chunk twice"
    difference = compared(database, indexes.version.id, seq, found, with_vector=True)
    return None if difference.is_none else _said(difference)


def _altered_rows(database: Database, index: DenseIndex) -> str | None:
    wrong = 0
    try:
        for part, live in index.moment()[1]:
            for start in range(0, len(live), COMPARED):
                with database.read() as session, suppress(RagError):  # a vector in SQL is damaged
                    wrong += differing(session, part, live[start : start + COMPARED])
    except SegmentDamaged as damage:
        return damage.reason
    return f"{wrong:,} of its vectors are not the database's" if wrong else None


def _said(difference: Difference) -> str:
    return (
        f"it has {len(difference.extra):,} chunks that the database has not,"
        f" and lacks {len(difference.missing):,}"
    )


def _live(session: Session, index_version: int, *, with_vector: bool) -> Ids:
    query = select(ChunkRow.id).where(ChunkRow.index_version_id == index_version, ChunkRow.live)
    if with_vector:
        query = query.where(ChunkRow.embedding_id.is_not(None))
    return np.fromiter(session.scalars(query.execution_options(yield_per=10_000)), np.int64)


def _touched_since(session: Session, index_version: int, seq: int) -> Ids:
    touched: list[int] = []
    while changes := changes_after(session, index_version, seq):
        touched += [*changes.put, *changes.deleted]
        seq = changes.seq
    return np.array(touched, np.int64)
