"""Documents and their versions: finding, listing and deleting them."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Select, bindparam, delete, select
from sqlalchemy.orm import Session

from rag.domain import (
    MEMBERS,
    Block,
    Collection,
    CollectionId,
    Document,
    DocumentId,
    DocumentSummary,
    Listing,
    Page,
    Version,
)
from rag.errors import NotFound
from rag.storage.answers import remove_answers_showing
from rag.storage.attributes import attributes_of, remove_attributes
from rag.storage.collections import count_documents
from rag.storage.cursors import checked_limit, cursor, position
from rag.storage.embeddings import embeddings_of_document, remove_unused
from rag.storage.items import cancel_items_of, is_below
from rag.storage.operations import take_turn
from rag.storage.readings import remove_readings
from rag.storage.retrying import unused_versions
from rag.storage.tables import ChunkRow, CollectionRow, DocumentRow, ItemRow, VersionRow


class Layout(Struct, frozen=True, array_like=True):
    """What a version's `layout` column holds."""

    blocks: tuple[Block, ...]
    pages: tuple[Page, ...]


def _current() -> Select[DocumentRow, VersionRow, str]:
    return (
        select(DocumentRow, VersionRow, CollectionRow.name)
        .join(VersionRow, VersionRow.document_id == DocumentRow.id)
        .join(CollectionRow, CollectionRow.id == DocumentRow.collection_id)
        .where(VersionRow.state == "current")
    )


_BY_ID = _current().where(DocumentRow.id == bindparam("id"))


def find_document(session: Session, id: DocumentId) -> DocumentSummary:
    """
    Raises:
        NotFound: no such document, or its first version is not published yet.
    """
    row = session.execute(_BY_ID, {"id": id}).first()
    if row is None:
        raise NotFound("there is no such document")
    return _summary(*row)


def document_by_key(
    session: Session, collection_id: CollectionId, key: str
) -> DocumentSummary | None:
    row = session.execute(
        _current().where(DocumentRow.collection_id == collection_id, DocumentRow.key == key)
    ).first()
    return _summary(*row) if row else None


def list_documents(
    session: Session, collection_id: CollectionId, *, limit: int, after: str | None
) -> Listing[DocumentSummary]:
    """By key."""
    query = _current().where(DocumentRow.collection_id == collection_id).order_by(DocumentRow.key)
    if place := position(after, str):
        query = query.where(DocumentRow.key > place[0])
    rows = session.execute(query.limit(checked_limit(limit) + 1)).all()
    data = tuple(_summary(*row) for row in rows[:limit])
    has_more = len(rows) > limit
    return Listing(data, has_more, cursor(data[-1].key) if has_more else None)


def versions_by_key(session: Session, collection_id: CollectionId) -> dict[str, Version]:
    """The current bytes of every document."""
    rows = session.execute(
        select(DocumentRow.key, VersionRow.sha256)
        .join(VersionRow, VersionRow.document_id == DocumentRow.id)
        .where(DocumentRow.collection_id == collection_id, VersionRow.state == "current")
    )
    return {key: Version(sha256) for key, sha256 in rows}


def bytes_of(session: Session, id: DocumentId, version: Version | None) -> tuple[Version, str]:
    """Which bytes a version is, and of which media type.

    Raises:
        NotFound: no such document or version.
    """
    row = session.execute(
        select(VersionRow.sha256, VersionRow.media_type).where(
            VersionRow.document_id == id, _wanted(version)
        )
    ).first()
    if row is None:
        raise NotFound("there is no such document, or not in that version")
    return Version(row.sha256), row.media_type


def _wanted(version: Version | None) -> ColumnElement[bool]:
    return VersionRow.state == "current" if version is None else VersionRow.sha256 == version


def read_document(session: Session, id: DocumentId, version: Version | None) -> Document:
    """A version whole, with its text and layout; the current one unless another is named.

    Raises:
        NotFound: no such document or version.
    """
    row = session.execute(
        select(DocumentRow.key, VersionRow, VersionRow.text, VersionRow.layout)
        .join(VersionRow, VersionRow.document_id == DocumentRow.id)
        .where(DocumentRow.id == id, _wanted(version))
    ).first()
    if row is None:
        raise NotFound("there is no such document, or not in that version")
    key, stored, text, layout = row
    spans = msgspec.msgpack.decode(layout, type=Layout)
    return Document(
        key=key,
        version=Version(stored.sha256),
        media_type=stored.media_type,
        title=stored.title,
        text=text,
        blocks=spans.blocks,
        pages=spans.pages,
        attributes=attributes_of(stored.attributes),
    )


class Place(Struct, frozen=True):
    """Where a document is."""

    collection: CollectionId
    key: str
    is_archive: bool
    """Whether others were unpacked from it."""


def place_of(session: Session, id: DocumentId) -> Place:
    """
    Raises:
        NotFound: no such document.
    """
    row = session.execute(
        select(DocumentRow.collection_id, DocumentRow.key, VersionRow.attributes)
        .join(VersionRow, VersionRow.document_id == DocumentRow.id)
        .where(DocumentRow.id == id, VersionRow.state == "current")
    ).first()
    if row is None:
        raise NotFound("there is no such document")
    collection_id, key, attributes = row
    return Place(CollectionId(collection_id), key, MEMBERS in attributes)


def document_ids_below(
    session: Session, collection_id: CollectionId, archive: str
) -> dict[str, DocumentId]:
    """By the keys of what is in an archive."""
    rows = session.execute(
        select(DocumentRow.key, DocumentRow.id)
        .where(DocumentRow.collection_id == collection_id, is_below(DocumentRow.key, archive))
        .order_by(DocumentRow.key)
    )
    return {key: DocumentId(id) for key, id in rows}


def remove_document(session: Session, id: DocumentId) -> list[Version]:
    """Removes a document with every copy of its text, and keeps it from coming back. The
    transaction must be alone: what no document uses now, none may be about to use.

    Returns:
        Versions whose bytes nothing uses any more, also of those that never became a document.

    Raises:
        NotFound: no such document.
    """
    row = session.get(DocumentRow, id)
    if row is None:
        raise NotFound("there is no such document")
    collection_id = CollectionId(row.collection_id)
    versions = session.execute(
        select(VersionRow.sha256, VersionRow.state, VersionRow.chunks).where(
            VersionRow.document_id == id
        )
    ).all()
    came = session.scalars(
        select(ItemRow.sha256).where(
            ItemRow.collection_id == collection_id, ItemRow.key == row.key, ItemRow.sha256 != ""
        )
    )
    known = {sha256 for sha256, _, _ in versions} | set(came)
    live = sum(chunks for _, state, chunks in versions if state == "current")
    embeddings = embeddings_of_document(session, id)

    cancel_items_of(session, collection_id, row.key)
    take_turn(session, collection_id).record_live_chunks("delete", id)
    session.execute(delete(ChunkRow).where(ChunkRow.document_id == id))
    remove_attributes(session, id)
    session.execute(delete(VersionRow).where(VersionRow.document_id == id))
    session.delete(row)
    session.flush()
    remove_unused(session, embeddings)
    remove_answers_showing(session, id)
    count_documents(session, collection_id, documents=-1, chunks=-live)

    unused = unused_versions(session, [Version(sha256) for sha256 in sorted(known)])
    for version in unused:
        remove_readings(session, version)
    return unused


def documents_of(session: Session, collection: Collection) -> Sequence[DocumentId]:
    ids = session.scalars(select(DocumentRow.id).where(DocumentRow.collection_id == collection.id))
    return [DocumentId(id) for id in ids]


def _summary(document: DocumentRow, version: VersionRow, collection: str) -> DocumentSummary:
    return DocumentSummary(
        id=DocumentId(document.id),
        collection=collection,
        key=document.key,
        version=Version(version.sha256),
        title=version.title,
        media_type=version.media_type,
        bytes=version.size,
        characters=version.characters,
        pages=version.pages,
        pages_ocred=version.pages_ocred,
        chunks=version.chunks,
        attributes=attributes_of(version.attributes),
        created_at=document.created_at,
        updated_at=document.updated_at,
    )
