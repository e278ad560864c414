"""Chunks as the derived indexes and hits need them."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from rag.domain import (
    Chunk,
    ChunkId,
    CollectionId,
    DocumentId,
    Hit,
    Ranked,
    Vectors,
    embedded_text,
)
from rag.storage.batches import batches
from rag.storage.dense.scanning import Ids
from rag.storage.embeddings import decoded
from rag.storage.lexical.rows import Entry
from rag.storage.tables import ChunkRow, DocumentRow, EmbeddingRow, VersionRow
from rag.storage.texts import Texts

# Statements used by every search are built once: building one costs more than running it.
_NAMES = select(ChunkRow.id, ChunkRow.chunk_id, ChunkRow.index_version_id).where(
    ChunkRow.id.in_(bindparam("ids", expanding=True))
)
_HITS = (
    select(
        ChunkRow.chunk_id,
        ChunkRow.document_id,
        DocumentRow.collection_id,
        DocumentRow.key,
        VersionRow.title,
        ChunkRow.start,
        ChunkRow.end,
        ChunkRow.pages,
        ChunkRow.lines,
        ChunkRow.heading_path,
        VersionRow.id.label("version_id"),
        VersionRow.revision,
    )
    .join(VersionRow, VersionRow.id == ChunkRow.version_id)
    .join(DocumentRow, DocumentRow.id == ChunkRow.document_id)
    .where(
        ChunkRow.id.in_(bindparam("ids", expanding=True)),
        ChunkRow.live,
        VersionRow.state == "current",
    )
)


VECTORS_AT_A_TIME = 1_000  # rows read at once: 4 MB at 1,024 numbers

NAMES_KEPT = 100_000  # some 15 MB


class ChunkNames:
    """Ids of an index version's chunks by their numbers, the recently used kept in memory: a
    number never stands for another chunk."""

    def __init__(self, index_version: int) -> None:
        self._index_version = index_version
        self._kept: dict[int, ChunkId] = {}

    def of(self, session: Session, numbers: Sequence[int]) -> dict[int, ChunkId]:
        """Those of the chunks that the database knows as this index version's, live or not.

        What they belong to is compared here, not in SQL: there it would tempt SQLite to start
        from everything that belongs instead of from the few chunks asked for.
        """
        kept = self._kept
        missing = [number for number in numbers if number not in kept]
        read = {
            id: ChunkId(chunk_id)
            for some in batches(missing)
            for id, chunk_id, owner in session.execute(_NAMES, {"ids": list(some)})
            if owner == self._index_version
        }
        found = {n: kept[n] if n in kept else read[n] for n in numbers if n in kept or n in read}
        if len(kept) + len(read) > NAMES_KEPT:
            self._kept = read
        else:
            kept.update(read)
        return found


def live_hits(
    session: Session,
    collection_id: CollectionId,
    ranked: Sequence[Ranked],
    names: Mapping[int, ChunkId],
    texts: Texts,
) -> list[Hit]:
    """Hits for those of the chunks that are current now, in this collection, in the order given:
    the last gate that a search result passes.

    Args:
        names: their ids by their numbers, by which they are found at once.
    """
    wanted = {each.chunk_id for each in ranked}
    ids = [id for id, chunk_id in names.items() if chunk_id in wanted]
    rows = {
        row.chunk_id: row
        for some in batches(ids)
        for row in session.execute(_HITS, {"ids": list(some)})
        if row.collection_id == collection_id
    }
    found = texts.of(session, {(row.version_id, row.revision) for row in rows.values()})
    return [
        Hit(
            chunk_id=each.chunk_id,
            document_id=DocumentId(row.document_id),
            key=row.key,
            title=row.title,
            score=each.score,
            found_by=each.found_by,
            text=found[row.version_id][row.start : row.end],
            start=row.start,
            end=row.end,
            pages=tuple(row.pages),
            lines=_pair(row.lines),
            heading_path=tuple(row.heading_path),
        )
        for each in ranked
        if (row := rows.get(each.chunk_id)) is not None
    ]


def live_vectors(session: Session, ids: Sequence[int]) -> tuple[Ids, Vectors]:
    """Those of the chunks that are live and have a vector."""
    rows = [
        row
        for some in batches(ids)
        for row in session.execute(
            select(ChunkRow.id, EmbeddingRow.vector, EmbeddingRow.crc32)
            .join(EmbeddingRow, EmbeddingRow.id == ChunkRow.embedding_id)
            .where(ChunkRow.id.in_(some), ChunkRow.live)
        )
    ]
    return _stacked(rows)


def all_live_vectors(session: Session, index_version: int) -> Iterator[tuple[Ids, Vectors]]:
    """Of a whole index version in order, a few megabytes at a time."""
    rows = session.execute(
        select(ChunkRow.id, EmbeddingRow.vector, EmbeddingRow.crc32)
        .join(EmbeddingRow, EmbeddingRow.id == ChunkRow.embedding_id)
        .where(ChunkRow.index_version_id == index_version, ChunkRow.live)
        .order_by(ChunkRow.id)
        .execution_options(yield_per=VECTORS_AT_A_TIME)
    )
    for some in rows.partitions():
        yield _stacked(some)


def _stacked(rows: Sequence[Row[int, bytes, int]]) -> tuple[Ids, Vectors]:
    numbers = np.array([row[0] for row in rows], dtype=np.int64)
    vectors = [decoded(row[1], row[2]) for row in rows]
    return numbers, np.stack(vectors) if vectors else np.empty((0, 0), dtype=np.float32)


def live_entries(session: Session, ids: Sequence[int], texts: Texts) -> list[Entry]:
    """Those of the chunks that are live, with what is searched of them."""
    entries: list[Entry] = []
    for some in batches(ids):
        rows = session.execute(
            select(ChunkRow, VersionRow.title, VersionRow.revision)
            .join(VersionRow, VersionRow.id == ChunkRow.version_id)
            .where(ChunkRow.id.in_(some), ChunkRow.live)
            .order_by(ChunkRow.id)
        ).all()
        found = texts.of(session, {(row.version_id, revision) for row, _, revision in rows})
        for row, title, _ in rows:
            chunk = chunk_of(row, found[row.version_id])
            entries.append(Entry(row.id, row.document_id, embedded_text(chunk, title)))
    return entries


def chunk_of(row: ChunkRow, text: str) -> Chunk:
    return Chunk(
        start=row.start,
        end=row.end,
        text=text[row.start : row.end],
        tokens=row.tokens,
        heading_path=tuple(row.heading_path),
        pages=tuple(row.pages),
        lines=_pair(row.lines),
        context=row.context,
    )


def _pair(lines: list[int] | None) -> tuple[int, int] | None:
    return (lines[0], lines[1]) if lines else None
