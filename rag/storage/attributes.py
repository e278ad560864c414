"""Attributes of documents: whole in their version, and one by one where filters look for them."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

import msgspec
from sqlalchemy import BigInteger, Double, ForeignKey, Index, String, delete, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from rag.domain import Attribute, CollectionId, DocumentId
from rag.storage.dialects import CodePoints
from rag.storage.tables import Row, VersionRow

HEAD = 100
"""Characters of a text that an index holds: PostgreSQL's take 2,700 bytes, and four make one."""

Kind: TypeAlias = Literal["text", "number", "flag", "list", "element"]
"""`list` says that there is one, `element` what is in it."""


class AttributeRow(Row):
    """An attribute of a document's current version. A null is a missing attribute, and has no
    row."""

    __tablename__ = "attribute"
    __table_args__ = (
        Index(None, "collection_id", "key", "head"),
        Index(None, "collection_id", "key", "whole"),
        Index(None, "collection_id", "key", "number"),
    )

    version_id: Mapped[int] = mapped_column(ForeignKey("version.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    """Of an element in its list, from 1; else 0."""
    collection_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(8))
    text: Mapped[str | None] = mapped_column(CodePoints)
    head: Mapped[str | None] = mapped_column(CodePoints)
    """The first `HEAD` characters of `text`."""
    whole: Mapped[int | None] = mapped_column(BigInteger)
    """A whole number, or a flag as 0 or 1."""
    number: Mapped[float | None] = mapped_column(Double)
    """Of a number that is not whole by its type; 2.0 is such a one."""


def attributes_of(stored: dict[str, Any]) -> dict[str, Attribute]:
    """From JSON, where a list is what a tuple was."""
    return msgspec.convert(stored, dict[str, Attribute])


def keep_attributes(
    session: Session,
    collection: CollectionId,
    document: DocumentId,
    version_id: int,
    attributes: Mapping[str, Attribute],
) -> None:
    """Those of the document's current version, instead of all it had before."""
    remove_attributes(session, document)
    add_attributes(session, collection, version_id, attributes)


def add_attributes(
    session: Session,
    collection: CollectionId,
    version_id: int,
    attributes: Mapping[str, Attribute],
) -> None:
    """Those of a version that became current, where none of its document's are left."""
    rows = [
        {"version_id": version_id, "collection_id": collection, **row}
        for row in attribute_rows(attributes)
    ]
    if rows:
        session.execute(insert(AttributeRow), rows)


def remove_attributes(session: Session, document: DocumentId) -> None:
    versions = VersionRow.__table__.select().with_only_columns(VersionRow.id)
    of_document = versions.where(VersionRow.document_id == document)
    session.execute(delete(AttributeRow).where(AttributeRow.version_id.in_(of_document)))


def attribute_rows(attributes: Mapping[str, Attribute]) -> Iterator[dict[str, Any]]:
    """What `AttributeRow` holds of each, besides whose it is."""
    for key, value in attributes.items():
        if isinstance(value, tuple):
            yield _row(key, "list")
            for place, element in enumerate(value, start=1):
                yield _row(key, "element", place=place, text=element)
        elif isinstance(value, bool):
            yield _row(key, "flag", whole=int(value))
        elif isinstance(value, int):
            yield _row(key, "number", whole=value)
        elif isinstance(value, float):
            yield _row(key, "number", number=value)
        elif isinstance(value, str):
            yield _row(key, "text", text=value)


def _row(
    key: str,
    kind: Kind,
    *,
    place: int = 0,
    text: str | None = None,
    whole: int | None = None,
    number: float | None = None,
) -> dict[str, Any]:
    head = None if text is None else text[:HEAD]
    return {
        "key": key,
        "place": place,
        "kind": kind,
        "text": text,
        "head": head,
        "whole": whole,
        "number": number,
    }


def is_storable(text: str) -> bool:
    """Without NUL, which PostgreSQL refuses, and half characters, which no UTF-8 has."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
