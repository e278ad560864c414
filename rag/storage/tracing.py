"""Where the chunks of one document stand in each index, however far down."""

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm import Session

from rag.domain import ChunkId, CollectionId, DocumentId, IngestItem, Vectors
from rag.storage.derived import DerivedIndexes
from rag.storage.indexversions import IndexVersion
from rag.storage.items import item_of
from rag.storage.selecting import Selection
from rag.storage.tables import ChunkRow, ItemRow

DEEPEST = 10_000
"""Ranks that are counted: at a million chunks that takes half a second."""


class Place(Struct, frozen=True):
    """What one leg says of a chunk."""

    score: float | None
    """Cosine or BM25; None where it has none of the question's words, or no vector."""
    rank: int | None
    """From 1, among all that the filter lets through; None beyond `DEEPEST`, or without a score."""


NOWHERE = Place(None, None)


class Traced(Struct, frozen=True):
    """A chunk of the document."""

    chunk_id: ChunkId
    start: int
    end: int
    is_allowed: bool
    """Whether filter, phrases and exclusions let it through."""
    dense: Place = NOWHERE
    words: Place = NOWHERE


def live_chunks(
    session: Session, version: IndexVersion, document: DocumentId
) -> list[tuple[int, Traced]]:
    """With their numbers, in order; none where this index lacks the document."""
    rows = session.execute(
        select(ChunkRow.id, ChunkRow.chunk_id, ChunkRow.start, ChunkRow.end)
        .where(
            ChunkRow.document_id == document,
            ChunkRow.index_version_id == version.id,
            ChunkRow.live,
        )
        .order_by(ChunkRow.start, ChunkRow.id)
    )
    return [(id, Traced(ChunkId(chunk_id), start, end, True)) for id, chunk_id, start, end in rows]


def dense_places(
    indexes: DerivedIndexes, vector: Vectors, numbers: Sequence[int], selection: Selection | None
) -> dict[int, Place]:
    if indexes.dense is None:
        return {}
    allowed = selection.allowed if selection else None
    found, _ = indexes.dense.search(vector.reshape(1, -1), DEEPEST, allowed)
    return _placed(found, indexes.dense.cosines(vector.reshape(1, -1), numbers))


def word_places(
    indexes: DerivedIndexes, text: str, numbers: Sequence[int], selection: Selection | None
) -> dict[int, Place]:
    """Nothing where the word index cannot say."""
    found = indexes.words.search(text, DEEPEST, selection.within if selection else None)
    ranking = found.ranking if found else []
    mine = set(numbers)
    return _placed(ranking, {number: score for number, score in ranking if number in mine})


def _placed(ranking: Sequence[tuple[int, float]], scores: Mapping[int, float]) -> dict[int, Place]:
    ranks = {number: rank for rank, (number, _) in enumerate(ranking, start=1)}
    return {number: Place(score, ranks.get(number)) for number, score in scores.items()}


def allowed_among(selection: Selection | None, numbers: Sequence[int]) -> frozenset[int]:
    if selection is None:
        return frozenset(numbers)
    there = np.intersect1d(selection.allowed.numbers, np.array(numbers, np.int64))
    return frozenset(there.tolist())


def last_item(session: Session, collection: CollectionId, key: str) -> IngestItem | None:
    """What became of a source when it was handed in last."""
    row = session.scalar(
        select(ItemRow)
        .where(ItemRow.collection_id == collection, ItemRow.key == key)
        .order_by(ItemRow.id.desc())
        .limit(1)
    )
    return None if row is None else item_of(row)
