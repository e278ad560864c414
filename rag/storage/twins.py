"""The same bytes under another key: what was read of them once need not be read again."""

from pathlib import PurePosixPath

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from rag.domain import FILE, Document, Source, Version
from rag.storage.attributes import attributes_of
from rag.storage.documents import Layout
from rag.storage.tables import DocumentRow, ItemRow, VersionRow

LOOKED_AT = 8  # documents with the same bytes; of thousands of copies, one among these will do


def twin_of(session: Session, source: Source, fingerprint: str) -> Document | None:
    """A current document made of the same bytes by the same reader, with the title and attributes
    that its file itself gives; None where there is none, or none that surely was read as this would
    be: said to be of the same media type, with the same ending, and without a title or attributes
    of its own, which would hide those of the file."""
    rows = session.execute(
        select(DocumentRow.collection_id, DocumentRow.key, VersionRow.id)
        .join(VersionRow, VersionRow.document_id == DocumentRow.id)
        .where(
            VersionRow.sha256 == source.version,
            VersionRow.state == "current",
            VersionRow.fingerprint == fingerprint,
        )
        .limit(LOOKED_AT)
    ).all()
    for collection_id, key, version_id in rows:
        if _ending(key) == _ending(source.key):
            given = _given(session, collection_id, key, source)
            if given is not None:
                return _read(session, key, version_id, given)
    return None


def _given(session: Session, collection_id: str, key: str, source: Source) -> set[str] | None:
    """Names of the attributes that came with the file; None where more was said of it."""
    item = session.execute(
        select(ItemRow.title, ItemRow.media_type, ItemRow.attributes)
        .where(
            ItemRow.collection_id == collection_id,
            ItemRow.key == key,
            ItemRow.sha256 == source.version,
            ItemRow.state == "indexed",
        )
        .order_by(ItemRow.id.desc())
        .limit(1)
    ).first()
    if item is None:
        return None
    title, media_type, attributes = item
    said = title is not None or not all(name.startswith(FILE) for name in attributes)
    return None if said or media_type != source.media_type else set(attributes)


def _read(session: Session, key: str, version_id: int, given: set[str]) -> Document:
    row, text, layout = session.execute(
        select(VersionRow, VersionRow.text, VersionRow.layout).where(VersionRow.id == version_id)
    ).one()
    spans = msgspec.msgpack.decode(layout, type=Layout)
    attributes = attributes_of(row.attributes)
    return Document(
        key=key,
        version=Version(row.sha256),
        media_type=row.media_type,
        title=row.title,
        text=text,
        blocks=spans.blocks,
        pages=spans.pages,
        attributes={name: value for name, value in attributes.items() if name not in given},
    )


def _ending(key: str) -> str:
    """What readers go by; the whole name where there is none."""
    name = PurePosixPath(key)
    return name.suffix.lower() or name.name
