"""Vectors: each with the bytes that were stored, and each chunk with the vector it should have."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Select, delete, exists, or_, select, update
from sqlalchemy.orm import aliased

from rag.errors import InputRefused, RagError
from rag.storage.batches import batches
from rag.storage.checking.again import queue_again
from rag.storage.checking.documents import is_waiting
from rag.storage.checking.findings import Findings, Holdings, mendable, some_of
from rag.storage.embeddings import decoded
from rag.storage.tables import ChunkRow, DocumentRow, EmbeddingRow, IndexVersionRow, ItemRow

AT_A_TIME = 2_000
"""Vectors read in one transaction: 8 MB at 1,024 numbers. A reader that stays long keeps SQLite's
log from being emptied."""

EMBEDDED_ANEW = (
    "it is dropped, and its documents are embedded anew; their words are found meanwhile"
)


def check_vectors(held: Holdings) -> Findings:
    damaged = list(_damaged(held))
    if damaged:
        yield mendable(
            "vectors",
            f"{len(damaged):,} vectors are not what was stored",
            EMBEDDED_ANEW,
            lambda: _drop(held, damaged),
        )
    with held.database.read() as session:
        foreign = session.execute(_of_another_model()).all()
        without = session.execute(_without_vector()).all()
    if foreign:
        keys = sorted({row.key for row in foreign})
        what = f"{len(foreign):,} chunks have a vector of another model: {some_of(keys)}"
        ids = [row.id for row in foreign]
        yield mendable("vectors", what, EMBEDDED_ANEW, lambda: _take_away(held, ids))
    lacking = [row for row in without if row.embedding_id not in set(damaged)]
    if lacking:
        keys = sorted({row.key for row in lacking})
        what = f"{len(lacking):,} chunks lack their vector: {some_of(keys)}"
        yield mendable(
            "vectors",
            what,
            "their documents are embedded anew",
            lambda: queue_again(held.database, held.blobs, {row.document_id for row in lacking}),
        )


def _damaged(held: Holdings) -> Iterator[int]:
    last = 0
    while True:
        with held.database.read() as session:
            rows = session.execute(_NEXT.where(EmbeddingRow.id > last).limit(AT_A_TIME)).all()
        if not rows:
            return
        for id, vector, crc32, dimension in rows:
            if not _is_whole(vector, crc32, dimension):
                yield id
        last = rows[-1].id


_NEXT = select(
    EmbeddingRow.id, EmbeddingRow.vector, EmbeddingRow.crc32, EmbeddingRow.dimension
).order_by(EmbeddingRow.id)


def _is_whole(vector: bytes, crc32: int, dimension: int) -> bool:
    try:
        return len(decoded(vector, crc32)) == dimension
    except (RagError, ValueError):
        return False


def _of_another_model() -> Select[int, str]:
    return (
        select(ChunkRow.id, DocumentRow.key)
        .join(EmbeddingRow, EmbeddingRow.id == ChunkRow.embedding_id)
        .join(IndexVersionRow, IndexVersionRow.id == ChunkRow.index_version_id)
        .join(DocumentRow, DocumentRow.id == ChunkRow.document_id)
        .where(
            ChunkRow.live,
            or_(
                IndexVersionRow.model.is_(None),
                EmbeddingRow.model != IndexVersionRow.model,
                EmbeddingRow.dimension != IndexVersionRow.dimension,
            ),
        )
        .order_by(ChunkRow.id)
    )


def _without_vector() -> Select[int, str, str, int | None]:
    """But those that the model refused, which their item tells; and those that wait for theirs."""
    later = aliased(ItemRow)
    refused = exists().where(
        ItemRow.document_id == DocumentRow.id,
        ItemRow.state == "indexed",
        ItemRow.error_code == InputRefused.code,
        ~exists().where(
            later.document_id == DocumentRow.id, later.state == "indexed", later.id > ItemRow.id
        ),
    )
    return (
        select(ChunkRow.id, ChunkRow.document_id, DocumentRow.key, ChunkRow.embedding_id)
        .join(IndexVersionRow, IndexVersionRow.id == ChunkRow.index_version_id)
        .join(DocumentRow, DocumentRow.id == ChunkRow.document_id)
        .where(
            ChunkRow.live,
            ChunkRow.embedding_id.is_(None),
            IndexVersionRow.model.is_not(None),
            ~refused,
            ~is_waiting(),
        )
        .order_by(DocumentRow.key, ChunkRow.id)
    )


def _drop(held: Holdings, ids: Sequence[int]) -> None:
    """As long as the row is there, it would be taken for a text that was embedded before."""
    for some in batches(ids):
        with held.database.read() as session:
            chunks = session.scalars(select(ChunkRow.id).where(ChunkRow.embedding_id.in_(some)))
            using = list(chunks)
        _take_away(held, using)
        with held.database.alone() as session:
            session.execute(delete(EmbeddingRow).where(EmbeddingRow.id.in_(some)))


def _take_away(held: Holdings, chunks: Sequence[int]) -> None:
    """Chunks lose their vectors, and those that answer have their documents embedded anew."""
    documents: set[str] = set()
    with held.database.alone() as session:
        for some in batches(chunks):
            live = select(ChunkRow.document_id).where(ChunkRow.id.in_(some), ChunkRow.live)
            documents |= set(session.scalars(live))
            session.execute(update(ChunkRow).where(ChunkRow.id.in_(some)).values(embedding_id=None))
    queue_again(held.database, held.blobs, documents)
