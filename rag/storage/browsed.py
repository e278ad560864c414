"""Documents of a collection as far as a filter lets them through, for those who read on."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, bindparam, or_, select
from sqlalchemy.orm import Session

from rag.domain import CollectionId, Document, DocumentId, Version
from rag.errors import NotFound
from rag.ranking.filters import Filter, bounded
from rag.storage.batches import batches
from rag.storage.documents import Layout
from rag.storage.filtering import passing_versions
from rag.storage.tables import DocumentRow, VersionRow

AT_ONCE = 200  # keys asked for together

_WHOLE = select(
    DocumentRow.id,
    DocumentRow.key,
    VersionRow.sha256,
    VersionRow.media_type,
    VersionRow.title,
    VersionRow.text,
    VersionRow.layout,
).join(VersionRow, VersionRow.document_id == DocumentRow.id)
_BY_VERSION = _WHOLE.where(VersionRow.id == bindparam("version"))
_CURRENT = _WHOLE.where(
    VersionRow.state == "current", VersionRow.document_id.in_(bindparam("ids", expanding=True))
)


class Stored(Struct, frozen=True):
    """A current version whole, its layout as it is kept: most texts are only looked through."""

    id: DocumentId
    key: str
    version: Version
    media_type: str
    title: str
    text: str
    layout: bytes

    def document(self) -> Document:
        spans = msgspec.msgpack.decode(self.layout, type=Layout)
        return Document(
            self.key,
            self.version,
            self.media_type,
            self.title,
            self.text,
            spans.blocks,
            spans.pages,
        )


def current_of(session: Session, ids: Iterable[DocumentId]) -> dict[DocumentId, Stored]:
    """Those of the documents that are there, all at once."""
    return {
        stored.id: stored
        for some in batches(list(dict.fromkeys(ids)))
        for stored in map(_stored, session.execute(_CURRENT, {"ids": some}))
    }


def find_within(
    session: Session, collection: CollectionId, filter: Filter | None, document: str
) -> Stored:
    """
    Args:
        document: its id or its key.

    Raises:
        NotFound: none such in this collection, or the filter does not let it through.
    """
    wanted = or_(DocumentRow.id == document, DocumentRow.key == document)
    version = session.scalar(
        select(VersionRow.id)
        .join(DocumentRow, DocumentRow.id == VersionRow.document_id)
        .where(wanted, *_visible(collection, filter))
        .order_by(DocumentRow.id != document)
        .limit(1)
    )
    if version is None:
        raise NotFound("there is no such document in this collection")
    return _read(session, version)


def stored_from(
    session: Session, collection: CollectionId, filter: Filter | None, key: str
) -> Iterator[Stored]:
    """By key, from this key on. One text is held at a time."""
    after, is_included = key, True
    while True:
        later = DocumentRow.key >= after if is_included else DocumentRow.key > after
        rows = session.execute(
            select(DocumentRow.key, VersionRow.id)
            .join(VersionRow, VersionRow.document_id == DocumentRow.id)
            .where(later, *_visible(collection, filter))
            .order_by(DocumentRow.key)
            .limit(AT_ONCE)
        ).all()
        for _, version in rows:
            yield _read(session, version)
        if len(rows) < AT_ONCE:
            return
        after, is_included = rows[-1].key, False


def _visible(collection: CollectionId, filter: Filter | None) -> tuple[ColumnElement[bool], ...]:
    current = (DocumentRow.collection_id == collection, VersionRow.state == "current")
    if filter is None:
        return current
    return (*current, VersionRow.id.in_(passing_versions(bounded(filter), collection)))


def _read(session: Session, version: int) -> Stored:
    return _stored(session.execute(_BY_VERSION, {"version": version}).one())


def _stored(row: Iterable[Any]) -> Stored:
    id, key, sha256, media_type, title, text, layout = row
    return Stored(DocumentId(id), key, Version(sha256), media_type, title, text, layout)
