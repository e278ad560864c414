"""A few chunks, chosen by chance, for looking at a collection."""

import random

from sqlalchemy import select
from sqlalchemy.orm import Session

from rag.domain import Chunk, ChunkId, IndexId
from rag.storage.batches import batches
from rag.storage.chunks import chunk_of
from rag.storage.indexversions import number_of
from rag.storage.tables import ChunkRow, VersionRow
from rag.storage.texts import Texts


def sample_chunks(
    session: Session, index: IndexId, n: int, seed: int, texts: Texts
) -> list[tuple[ChunkId, str, Chunk]]:
    """Ids, titles of their documents, and chunks; the same for the same seed and contents."""
    ids = session.scalars(
        select(ChunkRow.id)
        .where(ChunkRow.index_version_id == number_of(index), ChunkRow.live)
        .order_by(ChunkRow.id)
    ).all()
    chosen = sorted(random.Random(seed).sample(ids, min(n, len(ids))))  # noqa: S311 - no secret
    found: list[tuple[ChunkId, str, Chunk]] = []
    for some in batches(chosen):
        rows = session.execute(
            select(ChunkRow, VersionRow.title, VersionRow.revision)
            .join(VersionRow, VersionRow.id == ChunkRow.version_id)
            .where(ChunkRow.id.in_(some))
            .order_by(ChunkRow.id)
        ).all()
        text = texts.of(session, {(row.version_id, revision) for row, _, revision in rows})
        found += [
            (ChunkId(row.chunk_id), title, chunk_of(row, text[row.version_id]))
            for row, title, _ in rows
        ]
    return found
