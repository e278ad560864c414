"""Attributes one by one, as filters look for them, against those in the document's version."""

from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from rag.domain import CollectionId, DocumentId
from rag.storage.attributes import (
    AttributeRow,
    attribute_rows,
    attributes_of,
    keep_attributes,
    remove_attributes,
)
from rag.storage.batches import batches
from rag.storage.checking.findings import Findings, Holdings, mendable, some_of
from rag.storage.tables import DocumentRow, VersionRow

COLUMNS = ("key", "place", "kind", "text", "head", "whole", "number")


def check_attributes(held: Holdings) -> Findings:
    wrong: dict[str, str] = {}
    with held.database.read() as session:
        ids = session.scalars(select(VersionRow.id).order_by(VersionRow.id)).all()
    for some in batches(ids):
        with held.database.read() as session:
            wrong |= _differing(session, some)
    if wrong:
        yield mendable(
            "attributes",
            f"filters see other attributes than {len(wrong):,} documents have:"
            f" {some_of(sorted(wrong.values()))}",
            "they are written again",
            lambda: _write_again(held, list(wrong)),
        )


def _differing(session: Session, versions: Sequence[int]) -> dict[str, str]:
    """Keys by document; a version that is not current should have no rows."""
    kept: dict[int, set[tuple[object, ...]]] = {}
    for row in session.scalars(select(AttributeRow).where(AttributeRow.version_id.in_(versions))):
        values = tuple(getattr(row, name) for name in COLUMNS)
        kept.setdefault(row.version_id, set()).add((row.collection_id, *values))
    wrong: dict[str, str] = {}
    for document, version in session.execute(
        select(DocumentRow, VersionRow)
        .join(VersionRow, VersionRow.document_id == DocumentRow.id)
        .where(VersionRow.id.in_(versions))
    ):
        attributes = attributes_of(version.attributes) if version.state == "current" else {}
        should = {
            (document.collection_id, *(row[name] for name in COLUMNS))
            for row in attribute_rows(attributes)
        }
        if kept.get(version.id, set()) != should:
            wrong[document.id] = document.key
    return wrong


def _write_again(held: Holdings, documents: Sequence[str]) -> None:
    for some in batches(documents):
        with held.database.alone() as session:
            for document, version in session.execute(
                select(DocumentRow, VersionRow)
                .join(VersionRow, VersionRow.document_id == DocumentRow.id)
                .where(DocumentRow.id.in_(some), VersionRow.state == "current")
            ).all():
                keep_attributes(
                    session,
                    CollectionId(document.collection_id),
                    DocumentId(document.id),
                    version.id,
                    attributes_of(version.attributes),
                )
            without = select(DocumentRow.id).where(
                DocumentRow.id.in_(some),
                ~exists().where(
                    VersionRow.document_id == DocumentRow.id, VersionRow.state == "current"
                ),
            )
            for id in session.scalars(without).all():
                remove_attributes(session, DocumentId(id))
