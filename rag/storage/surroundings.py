"""What stands around hits, and what is said of their documents."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from rag.domain import Attribute, ChunkId, DocumentId, Hit, IndexId
from rag.ranking.passages import Piece
from rag.storage.attributes import attributes_of
from rag.storage.batches import batches
from rag.storage.indexversions import number_of
from rag.storage.tables import ChunkRow, DocumentRow, VersionRow

_PIECES = (
    select(
        ChunkRow.chunk_id,
        ChunkRow.start,
        ChunkRow.end,
        ChunkRow.tokens,
        ChunkRow.heading_path,
        ChunkRow.pages,
        ChunkRow.lines,
    )
    .where(
        ChunkRow.document_id == bindparam("document"),
        ChunkRow.live,
        ChunkRow.index_version_id == bindparam("index_version"),
        ChunkRow.end > bindparam("begin"),
        ChunkRow.start < bindparam("finish"),
    )
    .order_by(ChunkRow.start, ChunkRow.id)
)


def pieces_around(
    session: Session, index: IndexId, hits: Sequence[Hit], reach: int
) -> dict[DocumentId, list[Piece]]:
    """The chunks of each hit's document in order, from `reach` characters before its first hit to
    as many after its last."""
    spans: dict[DocumentId, tuple[int, int]] = {}
    for hit in hits:
        start, end = spans.get(hit.document_id, (hit.start, hit.end))
        spans[hit.document_id] = (min(start, hit.start), max(end, hit.end))
    return {
        id: _pieces(session, index, id, start - reach, end + reach)
        for id, (start, end) in spans.items()
    }


def _pieces(session: Session, index: IndexId, id: DocumentId, begin: int, end: int) -> list[Piece]:
    within = {"document": id, "index_version": number_of(index), "begin": begin, "finish": end}
    return [
        Piece(
            ChunkId(chunk_id),
            start,
            end,
            tokens,
            tuple(heading_path),
            tuple(pages),
            (lines[0], lines[1]) if lines else None,
        )
        for chunk_id, start, end, tokens, heading_path, pages, lines in session.execute(
            _PIECES, within
        )
    ]


def attributes_of_documents(
    session: Session, ids: Sequence[DocumentId]
) -> dict[DocumentId, dict[str, Attribute]]:
    """Of the current versions, with what every document has, as filters see them; and when it was
    made and changed, where no attribute has that name."""
    found: dict[DocumentId, dict[str, Attribute]] = {}
    for some in batches(list(dict.fromkeys(ids))):
        rows = session.execute(
            select(DocumentRow, VersionRow.title, VersionRow.media_type, VersionRow.attributes)
            .join(VersionRow, VersionRow.document_id == DocumentRow.id)
            .where(DocumentRow.id.in_(some), VersionRow.state == "current")
        )
        for row, title, media_type, attributes in rows:
            found[DocumentId(row.id)] = {
                "created_at": row.created_at,
                "updated_at": row.updated_at,
                **attributes_of(attributes),
                "document_id": row.id,
                "key": row.key,
                "title": title,
                "media_type": media_type,
            }
    return found
