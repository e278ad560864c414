"""Sources that are handed in: in which job, and which of them are there already."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from rag.domain import (
    Attribute,
    Collection,
    CollectionId,
    IngestJob,
    ItemState,
    JobId,
    Lane,
    Saved,
    Source,
    document_id,
)
from rag.errors import Conflict
from rag.storage.attributes import attributes_of
from rag.storage.batches import batches
from rag.storage.changes import note_changes
from rag.storage.cursors import cursor
from rag.storage.jobs import close_job_if_done, find_job, new_job, reopen_job
from rag.storage.ledger import nanodollars
from rag.storage.savings import worth_of
from rag.storage.spooling import Handed
from rag.storage.superseding import supersede
from rag.storage.tables import (
    DocumentRow,
    ItemRow,
    VersionRow,
)
from rag.storage.timestamps import now

FIRST_AHEAD = "read"
"""What is bought first for an item in the batch lane."""


class Queued(Struct, frozen=True):
    """What became of sources that were handed in together."""

    job: IngestJob
    before: str
    """Cursor of the job's list of items: these sources' items are the first after it."""


def queue_sources(
    session: Session,
    collection: Collection,
    sources: Sequence[Handed],
    job: JobId | None,
    lane: Lane | None = None,
) -> Queued:
    """Queues the sources, in a new job or one more time in an earlier one, which then goes on;
    those whose document is the same already are `unchanged` at once, and those that wait in that
    very job, with the same bytes, are not queued again. Older bytes that wait for a batch end.

    Raises:
        NotFound: no such job.
        Conflict: that job is another collection's, or in another lane, or was cancelled.
    """
    at = now()
    if job:
        id, lane = _reopened(session, collection, job, lane)
        sources = _not_waiting(session, id, sources)
    else:
        lane = lane or "direct"
        id = new_job(session, collection.id, lane)
    ended = supersede(session, collection.id, sources)
    rows = [_in_job(row, id, lane, at) for row in _new_items(session, collection.id, sources)]
    last = session.scalar(select(func.max(ItemRow.id)).where(ItemRow.job_id == id))
    if rows:
        session.execute(insert(ItemRow), rows)
    new = (ItemRow.id > (last or 0)) & (ItemRow.job_id == id)
    for job_id in sorted({id, *ended}):
        note_changes(session, [job_id], new | ItemRow.id.in_(ended.get(job_id, [])))
        if job_id == id:
            reopen_job(session, id)
        close_job_if_done(session, job_id)
    return Queued(find_job(session, id), cursor(last or 0))


class ToFetch(Struct, frozen=True):
    """A source whose bytes are still to be fetched."""

    key: str
    fetch: str
    """From where, as `rag.fetching` writes it down."""
    title: str | None = None
    attributes: dict[str, Attribute] = {}


def queue_fetch(
    session: Session,
    collection: Collection,
    wanted: ToFetch,
    job: JobId | None,
    lane: Lane | None = None,
) -> tuple[Queued, int]:
    """Queues what is still to be fetched, in a new job or one more time in an earlier one. Two
    that wait under one key are fetched one after the other.

    Returns:
        Also the id of the item.

    Raises:
        NotFound: no such job.
        Conflict: that job is another collection's, or in another lane, or was cancelled.
    """
    if job:
        id, lane = _reopened(session, collection, job, lane)
    else:
        id = new_job(session, collection.id, lane or "direct")
    last = session.scalar(select(func.max(ItemRow.id)).where(ItemRow.job_id == id))
    source = Source(wanted.key, b"", None, wanted.title, wanted.attributes)
    row = _new_item(collection.id, source, "queued")
    item = session.scalar(
        insert(ItemRow)
        .values(row | {"job_id": id, "sha256": "", "fetch": wanted.fetch})
        .returning(ItemRow.id)
    )
    note_changes(session, [id], ItemRow.id == item)
    reopen_job(session, id)
    return Queued(find_job(session, id), cursor(last or 0)), int(item or 0)


def keep_fetched(session: Session, row: ItemRow, source: Handed, lane: Lane) -> bool:
    """An item has its bytes now, and waits to be read.

    Returns:
        Whether its document is the same already, and nothing is to be done.
    """
    row.sha256, row.media_type, row.fetch = source.version, source.media_type, None
    row.title, row.attributes = source.title, dict(source.attributes)
    row.error_code = row.error_stage = row.error_message = None
    session.flush()
    id = CollectionId(row.collection_id)
    if _is_current(source, _current(session, id, [source.key]).get(source.key)):
        return True
    row.ahead = FIRST_AHEAD if lane == "batch" else None
    return False


def has_come(session: Session, job: JobId, source: Handed) -> bool:
    """Whether the job had the same bytes under that key."""
    mine = (ItemRow.job_id == job) & (ItemRow.key == source.key)
    same = select(ItemRow.id).where(mine, ItemRow.sha256 == source.version)
    return session.scalar(same.limit(1)) is not None


def _reopened(
    session: Session, collection: Collection, id: JobId, lane: Lane | None
) -> tuple[JobId, Lane]:
    job = find_job(session, id)
    if job.collection != collection.name:
        raise Conflict(f"job {id} is of collection {job.collection!r}, not {collection.name!r}")
    if job.kind != "ingest":
        raise Conflict(f"job {id} builds an index, and takes no documents; begin another")
    if job.state == "cancelled":
        raise Conflict(f"job {id} was cancelled; begin another")
    if lane not in (None, job.lane):
        raise Conflict(f"job {id} is in the {job.lane} lane; begin another")
    return id, job.lane


def _not_waiting(session: Session, id: JobId, sources: Sequence[Handed]) -> list[Handed]:
    """Those of the sources that are not the last to wait in the job under their key."""
    last: dict[str, tuple[str, str | None, str | None, dict[str, Any]]] = {}
    for some in batches([source.key for source in sources]):
        rows = session.execute(
            select(
                ItemRow.key, ItemRow.sha256, ItemRow.media_type, ItemRow.title, ItemRow.attributes
            )
            .where(ItemRow.job_id == id, ItemRow.key.in_(some), ItemRow.finished_at.is_(None))
            .order_by(ItemRow.id)
        )
        last |= {key: (sha256, kind, title, own) for key, sha256, kind, title, own in rows}
    return [source for source in sources if last.get(source.key) != _identity(source)]


def _identity(source: Handed) -> tuple[str, str | None, str | None, dict[str, Any]]:
    own = msgspec.json.decode(msgspec.json.encode(source.attributes))  # as it comes back
    return source.version, source.media_type, source.title, own


def _new_items(
    session: Session, collection_id: CollectionId, sources: Sequence[Handed]
) -> list[dict[str, Any]]:
    """Rows that belong to no job yet; those whose document is the same already have ended."""
    keys = [source.key for source in sources]
    # in this order: what waited and is published in between is then current
    waiting = _waiting_keys(session, collection_id, keys)
    current = _current(session, collection_id, keys)
    rows = []
    for source in sources:
        is_same = source.key not in waiting and _is_current(source, current.get(source.key))
        if not is_same:
            waiting.add(source.key)
        rows.append(_new_item(collection_id, source, "unchanged" if is_same else "queued"))
    worth = worth_of(
        session, collection_id, [row["key"] for row in rows if row["state"] == "unchanged"]
    )
    return [row | _all_saved(worth.get(row["key"], Saved())) for row in rows]


def _new_item(collection_id: CollectionId, source: Handed, state: ItemState) -> dict[str, Any]:
    return {
        "collection_id": collection_id,
        "key": source.key,
        "sha256": source.version,
        "media_type": source.media_type,
        "title": source.title,
        "attributes": dict(source.attributes),
        "state": state,
        "document_id": document_id(collection_id, source.key) if state == "unchanged" else None,
    }


def _in_job(row: dict[str, Any], id: JobId, lane: Lane, at: str) -> dict[str, Any]:
    is_over = row["state"] == "unchanged"
    return row | {
        "job_id": id,
        "ahead": FIRST_AHEAD if lane == "batch" and not is_over else None,
        "finished_at": at if is_over else None,
    }


def _all_saved(worth: Saved) -> dict[str, int]:
    """Of an item that is unchanged at once."""
    columns = (
        ("pages", worth.pages),
        ("tokens", worth.tokens),
        ("nanodollars", nanodollars(worth.usd)),
    )
    return {f"{of}_{name}": value for name, value in columns for of in ("worth", "saved")}


Current = tuple[str, str, dict[str, Any]]
"""Bytes (as SHA-256), title and attributes of a document: those it was given, where that is still
known, else all, with those that were read in it."""


def _current(
    session: Session, collection_id: CollectionId, keys: Sequence[str]
) -> dict[str, Current]:
    found: dict[str, Current] = {}
    for some in batches(keys):
        rows = session.execute(
            select(DocumentRow.key, VersionRow.sha256, VersionRow.title, VersionRow.attributes)
            .join(VersionRow, VersionRow.document_id == DocumentRow.id)
            .where(
                DocumentRow.collection_id == collection_id,
                DocumentRow.key.in_(some),
                VersionRow.state == "current",
            )
        )
        given = _given(session, collection_id, some)
        found |= {
            key: (sha256, title, given.get((key, sha256), attributes))
            for key, sha256, title, attributes in rows
        }
    return found


def _given(
    session: Session, collection_id: CollectionId, keys: Sequence[str]
) -> dict[tuple[str, str], dict[str, Any]]:
    """Attributes with which documents were handed in last, by key and bytes."""
    last = (
        select(func.max(ItemRow.id))
        .where(
            ItemRow.collection_id == collection_id,
            ItemRow.key.in_(keys),
            ItemRow.state.in_(("indexed", "unchanged")),
            ItemRow.index_version_id.is_(None),
        )
        .group_by(ItemRow.key)
    )
    rows = session.execute(
        select(ItemRow.key, ItemRow.sha256, ItemRow.attributes).where(ItemRow.id.in_(last))
    )
    return {(key, sha256): attributes for key, sha256, attributes in rows}


def _is_current(source: Handed, current: Current | None) -> bool:
    if current is None:
        return False
    sha256, title, attributes = current
    return (
        source.version == sha256
        and source.title in (None, title)
        and dict(source.attributes) == attributes_of(attributes)
    )


def _waiting_keys(session: Session, collection_id: CollectionId, keys: Sequence[str]) -> set[str]:
    """Keys for which an earlier put is not final yet, so that what is current says nothing."""
    return {
        key
        for some in batches(keys)
        for key in session.scalars(
            select(ItemRow.key).where(
                ItemRow.collection_id == collection_id,
                ItemRow.key.in_(some),
                ItemRow.finished_at.is_(None),
                ItemRow.index_version_id.is_(None),
            )
        )
    }
