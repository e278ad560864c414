"""Items of jobs, and who works on which.

A worker claims an item for a while (a lease), and prolongs the lease with every step it
completes. A worker that dies loses its lease, not the work. Attempts are counted when they
begin, so that a file that kills its worker is given up after `MAX_ATTEMPTS`. Items of one key
are worked on in the order they came, so that the last put wins. What builds an index waits while
there is something to ingest.
"""

import time
from typing import cast

from msgspec import Struct
from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from rag.domain import (
    FINAL_ITEM_STATES,
    Attribute,
    Collection,
    CollectionId,
    DocumentId,
    Failure,
    IndexId,
    IngestItem,
    IngestJob,
    ItemState,
    JobId,
    Lane,
    Listing,
    Version,
    document_id,
)
from rag.errors import Conflict, NotFound
from rag.storage.attributes import attributes_of
from rag.storage.collections import collection_through, find_collection
from rag.storage.cursors import checked_limit, cursor, position
from rag.storage.database import node_of
from rag.storage.indexversions import index_id
from rag.storage.jobs import close_job_if_done, failure_of, find_job
from rag.storage.leases import is_free
from rag.storage.memos import forget_memos
from rag.storage.readings import remove_passing, remove_unused_readings
from rag.storage.savings import WORTHLESS, Worth, note_savings
from rag.storage.tables import BatchWaitRow, ItemRow, JobRow
from rag.storage.timestamps import now

MAX_ATTEMPTS = 3  # the third death of a worker on the same file is no coincidence


class ClaimedItem(Struct, frozen=True):
    """An item that its worker alone may work on, until the lease runs out."""

    item_id: int
    job_id: JobId
    collection: Collection
    """Through the index that the item is for, where it builds one."""
    key: str
    version: Version
    media_type: str | None
    title: str | None
    attributes: dict[str, Attribute]
    attempts: int
    """With this one."""
    lane: Lane = "direct"
    builds: IndexId | None = None
    """The index that the item is for; None where it ingests."""


class Work(Struct, frozen=True):
    """What working on an item came to, beside its state."""

    pages: int = 0
    pages_ocred: int = 0
    chunks: int = 0
    seconds: float = 0.0
    worth: Worth = WORTHLESS


NOTHING_DONE = Work()


def claim_item(session: Session, *, lease: float) -> ClaimedItem | None:
    """The next item that nobody works on, for `lease` seconds; None when there is none."""
    while (row := _next_item(session) or _next_to_build(session)) is not None:
        if row.attempts >= MAX_ATTEMPTS:
            _finish_row(session, row, "failed", error=_given_up(row.attempts))
            continue
        return _claimed(session, row, lease)
    return None


def claim_ahead(session: Session, job: JobId, step: str, *, lease: float) -> ClaimedItem | None:
    """The next item of a job for which this step is still to be ordered in a batch."""
    while (row := _next_ahead(session, job, step)) is not None:
        if row.attempts >= MAX_ATTEMPTS:
            _finish_row(session, row, "failed", error=_given_up(row.attempts))
            continue
        return _claimed(session, row, lease)
    return None


def advance(session: Session, claimed: ClaimedItem, state: ItemState) -> None:
    """Records a completed step, and prolongs the lease.

    Raises:
        Conflict: the item is no longer the worker's.
    """
    row = require_claim(session, claimed)
    row.state = state
    row.lease_until = time.time() + row.lease


def finish(
    session: Session,
    claimed: ClaimedItem,
    state: ItemState,
    *,
    error: Failure | None = None,
    work: Work,
) -> None:
    """Ends an item, and with the last one its job.

    Raises:
        Conflict: the item is no longer the worker's.
    """
    _finish_row(session, require_claim(session, claimed), state, error=error, work=work)


def fail_item(session: Session, id: int, reason: Failure) -> None:
    """Ends an item that nobody has; not one that has ended."""
    row = session.get(ItemRow, id, with_for_update=True)
    if row is not None and row.finished_at is None:
        _finish_row(session, row, "failed", error=reason)


def release(session: Session, claimed: ClaimedItem) -> None:
    """Gives an item back untried, as when the service stops."""
    row = require_claim(session, claimed)
    row.attempts -= 1
    row.lease_until = None


def release_all(session: Session) -> None:
    """Ends the leases of workers that cannot be alive: those that this node had before."""
    was_ours = or_(ItemRow.node == node_of(session), ItemRow.node.is_(None))
    claimed = ItemRow.finished_at.is_(None) & ItemRow.lease_until.is_not(None)
    session.execute(update(ItemRow).where(claimed, was_ours).values(lease_until=None))


def require_claim(session: Session, claimed: ClaimedItem) -> ItemRow:
    """
    Raises:
        Conflict: it was cancelled, or another worker has it since the lease ran out.
    """
    row = session.get(ItemRow, claimed.item_id, with_for_update=True)
    if row is None or row.finished_at is not None or row.attempts != claimed.attempts:
        raise Conflict("the item was cancelled, or is another worker's by now")
    return row


def list_items(
    session: Session, job_id: JobId, *, limit: int, after: str | None
) -> Listing[IngestItem]:
    """In the order they were given."""
    if session.get(JobRow, job_id) is None:
        raise NotFound("there is no such job")
    query = select(ItemRow).where(ItemRow.job_id == job_id).order_by(ItemRow.id)
    if place := position(after, int):
        query = query.where(ItemRow.id > place[0])
    rows = session.scalars(query.limit(checked_limit(limit) + 1)).all()
    data = tuple(_item(row) for row in rows[:limit])
    has_more = len(rows) > limit
    return Listing(data, has_more, cursor(rows[limit - 1].id) if has_more else None)


def cancel_job(session: Session, id: JobId) -> IngestJob:
    """Cancels what is not final yet. A worker in the middle of an item cannot publish it."""
    find_job(session, id)
    _cancel(session, ItemRow.job_id == id)
    close_job_if_done(session, id)
    return find_job(session, id)


def cancel_items(session: Session, collection_id: CollectionId) -> list[Version]:
    """Cancels all that waits in a collection, and returns the bytes of all that ever came."""
    mine = ItemRow.collection_id == collection_id
    versions = session.scalars(select(ItemRow.sha256).where(mine).distinct()).all()
    _cancel(session, mine)
    forget_memos(session, collection_id)
    remove_unused_readings(session, versions)
    return [Version(version) for version in versions]


def cancel_items_of(session: Session, collection_id: CollectionId, key: str) -> None:
    """A deleted document does not come back through a job that was given before, and nothing is
    left of bytes that were read for it and never published."""
    mine = (ItemRow.collection_id == collection_id) & (ItemRow.key == key)
    jobs = session.scalars(
        select(ItemRow.job_id).where(mine, ItemRow.finished_at.is_(None)).distinct()
    ).all()
    _pass_over(session, mine)
    _cancel(session, mine)
    for id in jobs:
        close_job_if_done(session, JobId(id))
    forget_memos(session, collection_id, key)
    remove_unused_readings(session, session.scalars(select(ItemRow.sha256).where(mine)).all())
    session.execute(update(ItemRow).where(mine).values(title=None, attributes={}))


def cancel_items_for(session: Session, index_version: int) -> None:
    """Of jobs that build an index version which is about to go."""
    mine = ItemRow.index_version_id == index_version
    jobs = session.scalars(select(ItemRow.job_id).where(mine).distinct()).all()
    _cancel(session, mine)
    for id in jobs:
        close_job_if_done(session, JobId(id))


def _pass_over(session: Session, which: ColumnElement[bool]) -> None:
    """What builds an index has nothing to do for a document that is deleted."""
    builds = which & ItemRow.index_version_id.is_not(None) & ItemRow.finished_at.is_(None)
    session.execute(
        update(ItemRow)
        .where(builds)
        .values(state="superseded", finished_at=now(), lease_until=None)
    )


def _claimed(session: Session, row: ItemRow, lease: float) -> ClaimedItem:
    row.attempts += 1
    row.lease = lease
    row.lease_until = time.time() + lease
    row.node = node_of(session)
    session.flush()
    builds = None if row.index_version_id is None else index_id(row.index_version_id)
    return ClaimedItem(
        item_id=row.id,
        job_id=JobId(row.job_id),
        collection=(
            collection_through(session, builds)
            if builds
            else find_collection(session, row.collection_id)
        ),
        key=row.key,
        version=Version(row.sha256),
        media_type=row.media_type,
        title=row.title,
        attributes=attributes_of(row.attributes),
        attempts=row.attempts,
        lane=cast(Lane, session.get_one(JobRow, row.job_id).lane),  # what we wrote
        builds=builds,
    )


def _next_ahead(session: Session, job: JobId, step: str) -> ItemRow | None:
    return session.scalar(
        select(ItemRow)
        .where(
            ItemRow.job_id == job,
            ItemRow.ahead == step,
            ItemRow.finished_at.is_(None),
            is_free(),
            ~exists().where(BatchWaitRow.item_id == ItemRow.id),
        )
        .order_by(ItemRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _next_item(session: Session) -> ItemRow | None:
    earlier = aliased(ItemRow)
    return session.scalar(
        select(ItemRow)
        .where(
            ItemRow.finished_at.is_(None),
            ItemRow.index_version_id.is_(None),
            ItemRow.ahead.is_(None),
            is_free(),
            ~exists().where(
                earlier.collection_id == ItemRow.collection_id,
                earlier.key == ItemRow.key,
                earlier.finished_at.is_(None),
                earlier.index_version_id.is_(None),
                earlier.id < ItemRow.id,
            ),
        )
        .order_by(ItemRow.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=ItemRow)
    )


def _next_to_build(session: Session) -> ItemRow | None:
    """In no order with what is ingested: whichever publishes first, the other sees it."""
    return session.scalar(
        select(ItemRow)
        .where(ItemRow.finished_at.is_(None), ItemRow.index_version_id.is_not(None), is_free())
        .order_by(ItemRow.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=ItemRow)
    )


def _given_up(attempts: int) -> Failure:
    return Failure(
        code="gave_up",
        stage="worker",
        message=f"the worker died {attempts} times on this file; ingest it again to retry",
    )


def _finish_row(
    session: Session,
    row: ItemRow,
    state: ItemState,
    *,
    error: Failure | None = None,
    work: Work = NOTHING_DONE,
) -> None:
    assert state in FINAL_ITEM_STATES, f"{state} is not final"
    row.state = state
    row.lease_until = None
    row.finished_at = now()
    if error:
        row.error_code, row.error_stage, row.error_message = error.code, error.stage, error.message
    if state in ("indexed", "unchanged"):
        row.document_id = document_id(CollectionId(row.collection_id), row.key)
    row.pages, row.pages_ocred = work.pages, work.pages_ocred
    row.chunks, row.seconds = work.chunks, work.seconds
    note_savings(session, row, work.worth)
    remove_passing(session, [row.sha256])
    session.flush()
    close_job_if_done(session, JobId(row.job_id))


def _cancel(session: Session, which: ColumnElement[bool]) -> None:
    waiting = which & ItemRow.finished_at.is_(None)
    remove_passing(session, session.scalars(select(ItemRow.sha256).where(waiting)).all())
    session.execute(
        update(ItemRow)
        .where(which, ItemRow.finished_at.is_(None))
        .values(state="cancelled", finished_at=now(), lease_until=None)
    )


def _item(row: ItemRow) -> IngestItem:
    return IngestItem(
        key=row.key,
        state=cast(ItemState, row.state),  # what we wrote
        document_id=DocumentId(row.document_id) if row.document_id else None,
        error=failure_of(row),
        pages=row.pages,
        pages_ocred=row.pages_ocred,
        chunks=row.chunks,
        seconds=row.seconds,
    )
