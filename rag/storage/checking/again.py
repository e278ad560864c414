"""Queueing documents again, from the bytes that are kept; and taking chunks out of service."""

import secrets
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from rag.domain import CollectionId, Version
from rag.storage.batches import batches
from rag.storage.blobs import Blobs
from rag.storage.database import Database
from rag.storage.operations import take_turn
from rag.storage.tables import (
    ChunkRow,
    DocumentRow,
    IndexVersionRow,
    ItemRow,
    JobRow,
    OperationRow,
    VersionRow,
)
from rag.storage.timestamps import now


def queue_again(database: Database, blobs: Blobs, documents: Collection[str]) -> None:
    """Has documents read anew, those whose bytes are there; what is kept of them answers until
    then."""
    with database.write() as session:
        jobs: dict[str, str] = {}
        for document, version in _newest(session, documents):
            if blobs.size(session, Version(version.sha256)) is None:
                continue
            if document.collection_id not in jobs:
                jobs[document.collection_id] = _new_job(session, document.collection_id)
            item = _item(jobs[document.collection_id], document, version)
            session.execute(insert(ItemRow).values(**item))


def retire(database: Database, chunks: Collection[int]) -> None:
    """These chunks answer no more, and no index keeps them."""
    with database.write() as session:
        for some in batches(sorted(chunks)):
            live = ChunkRow.id.in_(some) & ChunkRow.live
            _take_turns(session, some)
            rows = session.execute(select(ChunkRow.index_version_id, ChunkRow.id).where(live)).all()
            if rows:
                deletions = [
                    {"index_version_id": version, "kind": "delete", "chunk": id}
                    for version, id in rows
                ]
                session.execute(insert(OperationRow), deletions)
                session.execute(update(ChunkRow).where(live).values(live=False))


def _newest(session: Session, documents: Collection[str]) -> list[tuple[DocumentRow, VersionRow]]:
    """Each with its current version, or with the last it had."""
    newest: dict[str, tuple[DocumentRow, VersionRow]] = {}
    for some in batches(sorted(documents)):
        rows = session.execute(
            select(DocumentRow, VersionRow)
            .join(VersionRow, VersionRow.document_id == DocumentRow.id)
            .where(DocumentRow.id.in_(some))
            .order_by(VersionRow.id)
        )
        for document, version in rows:
            former = newest.get(document.id)
            if former is None or former[1].state != "current":
                newest[document.id] = (document, version)
    return list(newest.values())


def _new_job(session: Session, collection: str) -> str:
    id = f"job_{secrets.token_hex(12)}"
    session.execute(
        insert(JobRow).values(id=id, collection_id=collection, lane="direct", created_at=now())
    )
    return id


def _item(job: str, document: DocumentRow, version: VersionRow) -> dict[str, Any]:
    return {
        "job_id": job,
        "collection_id": document.collection_id,
        "key": document.key,
        "sha256": version.sha256,
        "media_type": version.media_type,
        "title": version.title,
        "attributes": version.attributes,
        "state": "queued",
    }


def _take_turns(session: Session, chunks: Sequence[int]) -> None:
    """Always in one order, so that two that do it do not wait for each other."""
    versions = select(ChunkRow.index_version_id).where(ChunkRow.id.in_(chunks))
    owners = select(IndexVersionRow.collection_id).where(IndexVersionRow.id.in_(versions))
    for collection in sorted(set(session.scalars(owners))):
        take_turn(session, CollectionId(collection))
