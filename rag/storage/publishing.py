"""Publishing: the one transaction after which a version answers, whole."""

from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from rag.domain import (
    Chunk,
    Collection,
    Document,
    DocumentId,
    DocumentSummary,
    Vectors,
    derived_id,
    document_id,
    embedded_text,
)
from rag.errors import Conflict, InvalidDocument
from rag.storage.attributes import attributes_of, keep_attributes
from rag.storage.collections import IndexVersion, count_documents, serving_version
from rag.storage.documents import Layout, find_document
from rag.storage.embeddings import check_vectors, keep_embeddings, text_digest
from rag.storage.operations import Turn, take_turn
from rag.storage.tables import ChunkRow, DocumentRow, VersionRow
from rag.storage.timestamps import now

NOT_OCRED = ("text-layer", "blank", "none")
"""Readers of pages on which no character was recognized from pixels."""


class Publication(Struct, frozen=True):
    """A document ready to be searched: cut, embedded, and its bytes kept."""

    document: Document
    chunks: tuple[Chunk, ...]
    vectors: Vectors | None
    """One for each chunk but the refused."""
    refused: frozenset[int] = frozenset()
    """Positions of chunks that the model takes no vector of: they are found by their words."""


def check_publication(publication: Publication, collection: Collection) -> None:
    """
    Raises:
        InvalidDocument: characters that no database can keep.
        InvalidRequest: not one finite vector of length 1 for each chunk.
        Conflict: vectors of another width than the collection's, or none where it has a model.
    """
    document, vectors = publication.document, publication.vectors
    try:
        kept = document.text.encode() + document.title.encode()
    except UnicodeEncodeError as error:
        raise InvalidDocument("its text has half characters (lone surrogates)") from error
    if b"\0" in kept:
        raise InvalidDocument("its text has NUL characters, which not every database keeps")
    if (vectors is None) != (collection.dimension is None):
        held = f"{collection.dimension}-wide" if collection.dimension else "no"
        offered = "none" if vectors is None else f"{vectors.shape[-1]}"
        raise Conflict(f"collection {collection.name!r} holds {held} vectors, not {offered}")
    if vectors is None:
        return
    if vectors.shape[-1] != collection.dimension:
        raise Conflict(
            f"collection {collection.name!r} holds {collection.dimension}-wide vectors, "
            f"but was offered {vectors.shape[-1]}; ingest into a new collection"
        )
    check_vectors(vectors, len(publication.chunks) - len(publication.refused))


def publish(
    session: Session, collection: Collection, publication: Publication, size: int
) -> tuple[DocumentSummary, bool]:
    """Makes this the document's current version, and every other a former one.

    Args:
        size: of the original, in bytes.

    Returns:
        The document, and whether anything changed.
    """
    turn = take_turn(session, collection.id)
    serving = serving_version(session, collection.id)
    document = publication.document
    id = document_id(collection.id, document.key)
    chunk_ids = _chunk_ids(id, publication, serving)
    refused = len(publication.refused) if serving.model else len(chunk_ids)
    is_whole = _count_without_vector(session, id, serving) == refused
    if is_whole and _is_published(session, id, document, chunk_ids, serving):
        return find_document(session, id), False

    is_new = _keep_document(session, id, collection, document.key)
    retired = _retire_current(session, turn, id)
    version_id = _keep_version(session, id, publication, size)
    keep_attributes(session, collection.id, id, version_id, document.attributes)
    embeddings = _keep_vectors(session, publication, serving)
    rows = [
        _chunk_row(chunk, chunk_id, id, version_id, serving, embedding)
        for chunk, chunk_id, embedding in zip(
            publication.chunks, chunk_ids, embeddings, strict=True
        )
    ]
    if rows:
        session.execute(insert(ChunkRow), rows)
    turn.record_live_chunks("put", id)
    count_documents(session, collection.id, documents=int(is_new), chunks=len(rows) - retired)
    return find_document(session, id), True


def _chunk_ids(id: DocumentId, publication: Publication, serving: IndexVersion) -> list[str]:
    return [
        derived_id(
            "chk",
            id,
            publication.document.version,
            str(chunk.start),
            str(chunk.end),
            serving.chunker,
        )
        for chunk in publication.chunks
    ]


def _is_published(
    session: Session,
    id: DocumentId,
    document: Document,
    chunk_ids: list[str],
    serving: IndexVersion,
) -> bool:
    current = session.execute(
        select(VersionRow, VersionRow.text, VersionRow.layout).where(
            VersionRow.document_id == id,
            VersionRow.state == "current",
            VersionRow.sha256 == document.version,
        )
    ).first()
    if current is None:
        return False
    row, text, layout = current
    live = session.scalars(
        select(ChunkRow.chunk_id)
        .where(ChunkRow.document_id == id, ChunkRow.live, ChunkRow.index_version_id == serving.id)
        .order_by(ChunkRow.id)
    ).all()
    return (
        live == chunk_ids
        and text == document.text
        and layout == _layout(document)
        and row.title == document.title
        and attributes_of(row.attributes) == document.attributes
    )


def _count_without_vector(session: Session, id: DocumentId, version: IndexVersion) -> int:
    """Chunks that the model refused, or whose vector was damaged and dropped."""
    mine = (ChunkRow.document_id == id) & (ChunkRow.index_version_id == version.id)
    without = mine & ChunkRow.live & ChunkRow.embedding_id.is_(None)
    return session.scalar(select(func.count()).select_from(ChunkRow).where(without)) or 0


def _keep_document(session: Session, id: DocumentId, collection: Collection, key: str) -> bool:
    """Whether it is new."""
    at = now()
    row = session.get(DocumentRow, id)
    if row is not None:
        row.updated_at = at
        session.flush()
        return False
    session.execute(
        insert(DocumentRow).values(
            id=id, collection_id=collection.id, key=key, created_at=at, updated_at=at
        )
    )
    return True


def _retire_current(session: Session, turn: Turn, id: DocumentId) -> int:
    """How many chunks no longer answer."""
    live = (ChunkRow.document_id == id) & ChunkRow.live
    retired = session.scalar(select(func.count()).select_from(ChunkRow).where(live)) or 0
    turn.record_live_chunks("delete", id)
    session.execute(update(ChunkRow).where(live).values(live=False))
    session.execute(
        update(VersionRow)
        .where(VersionRow.document_id == id, VersionRow.state == "current")
        .values(state="superseded")
    )
    return retired


def _keep_version(session: Session, id: DocumentId, publication: Publication, size: int) -> int:
    """Its id. The same bytes read anew become the next revision of their version."""
    document = publication.document
    values = {
        "state": "current",
        "title": document.title,
        "media_type": document.media_type,
        "size": size,
        "characters": len(document.text),
        "pages": len(document.pages),
        "pages_ocred": sum(page.reader not in NOT_OCRED for page in document.pages),
        "chunks": len(publication.chunks),
        "attributes": dict(document.attributes),
        "text": document.text,
        "layout": _layout(document),
        "created_at": now(),
    }
    mine = (VersionRow.document_id == id) & (VersionRow.sha256 == document.version)
    known = session.execute(select(VersionRow.id, VersionRow.revision).where(mine)).first()
    if known is not None:
        session.execute(
            update(VersionRow).where(mine).values(revision=known.revision + 1, **values)
        )
        return int(known.id)
    return int(
        session.execute(
            insert(VersionRow)
            .values(document_id=id, sha256=document.version, revision=1, **values)
            .returning(VersionRow.id)
        ).scalar_one()
    )


def _keep_vectors(
    session: Session, publication: Publication, serving: IndexVersion
) -> list[int | None]:
    """Ids of the chunks' embeddings."""
    if publication.vectors is None or serving.model is None:
        return [None] * len(publication.chunks)
    if not publication.chunks:
        return []
    texts = [embedded_text(chunk, publication.document.title) for chunk in publication.chunks]
    embedded = [text for n, text in enumerate(texts) if n not in publication.refused]
    ids = keep_embeddings(session, serving.model, "passage", embedded, publication.vectors)
    return [ids.get(text_digest(text)) for text in texts]


def _chunk_row(
    chunk: Chunk,
    chunk_id: str,
    id: DocumentId,
    version_id: int,
    serving: IndexVersion,
    embedding_id: int | None,
) -> dict[str, Any]:
    return {
        "chunk_id": chunk_id,
        "document_id": id,
        "version_id": version_id,
        "index_version_id": serving.id,
        "embedding_id": embedding_id,
        "live": True,
        "start": chunk.start,
        "end": chunk.end,
        "tokens": chunk.tokens,
        "heading_path": list(chunk.heading_path),
        "context": chunk.context,
        "pages": list(chunk.pages),
        "lines": list(chunk.lines) if chunk.lines else None,
    }


def _layout(document: Document) -> bytes:
    return msgspec.msgpack.encode(Layout(document.blocks, document.pages))
