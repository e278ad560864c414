"""Items of jobs, and who works on which.

A worker claims an item for a while (a lease), and prolongs the lease as long as it lives. A worker
that dies loses its lease, not the work. Attempts are counted when they begin, so that a file that
kills its worker is given up after `MAX_ATTEMPTS`. Items of one key
are worked on in the order they came, so that the last put wins. What builds an index waits while
there is something to ingest.
"""

from collections.abc import Collection as Some
from collections.abc import Sequence
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
from rag.storage.batches import batches
from rag.storage.changes import next_change, note_changes
from rag.storage.collections import collection_through, find_collection
from rag.storage.cursors import checked_limit, cursor, position
from rag.storage.database import node_of
from rag.storage.indexversions import index_id
from rag.storage.jobs import close_job_if_done, failure_of, find_job
from rag.storage.leases import Claim, is_free, until
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
    number: int
    """Of the claim: another's has another."""
    lane: Lane = "direct"
    builds: IndexId | None = None
    """The index that the item is for; None where it ingests."""

    @property
    def claim(self) -> Claim:
        return self.item_id, self.number


class Work(Struct, frozen=True):
    """What working on an item came to, beside its state."""

    pages: int = 0
    pages_ocred: int = 0
    chunks: int = 0
    seconds: float = 0.0
    worth: Worth = WORTHLESS


NOTHING_DONE = Work()


def claim_item(session: Session, *, lease: float, in_hand: Some[int] = ()) -> ClaimedItem | None:
    """The next item that nobody works on, for `lease` seconds; None when there is none.

    Args:
        in_hand: ids of items that the same worker has, and which it is not given again though it
            overslept: it goes on with them.
    """
    others = ItemRow.id.not_in(in_hand)
    while (row := _next_item(session, others) or _next_to_build(session, others)) is not None:
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
    row.lease_until = until(session, row.lease)
    _note_change(session, row)


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
    give_back(session, claimed)


def give_back(session: Session, claimed: ClaimedItem) -> ItemRow:
    """
    Raises:
        Conflict: the item is no longer the worker's.
    """
    row = require_claim(session, claimed)
    row.attempts -= 1
    row.lease_until = None
    _note_change(session, row)
    return row


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
    if row is None or row.finished_at is not None or row.claims != claimed.number:
        raise Conflict("the item was cancelled, or is another worker's by now")
    return row


def list_items(
    session: Session, job_id: JobId, *, limit: int, after: str | None, state: ItemState | None
) -> Listing[IngestItem]:
    """In the order they were given; those in one state, or all."""
    if session.get(JobRow, job_id) is None:
        raise NotFound("there is no such job")
    query = select(ItemRow).where(ItemRow.job_id == job_id).order_by(ItemRow.id)
    if state is not None:
        query = query.where(ItemRow.state == state)
    if place := position(after, int):
        query = query.where(ItemRow.id > place[0])
    rows = session.scalars(query.limit(checked_limit(limit) + 1)).all()
    data = tuple(item_of(row) for row in rows[:limit])
    has_more = len(rows) > limit
    return Listing(data, has_more, cursor(rows[limit - 1].id) if has_more else None)


def cancel_job(session: Session, id: JobId, keys: Sequence[str] | None = None) -> IngestJob:
    """Cancels what is not final yet. A worker in the middle of an item cannot publish it.

    Args:
        keys: of the items to cancel; all where None.
    """
    find_job(session, id)
    if keys is None:
        _cancel(session, ItemRow.job_id == id)
    else:
        for some in batches(sorted(set(keys))):
            _cancel(session, (ItemRow.job_id == id) & ItemRow.key.in_(some))
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
    _pass_over(session, mine)
    _cancel(session, mine)
    forget_memos(session, collection_id, key)
    remove_unused_readings(session, session.scalars(select(ItemRow.sha256).where(mine)).all())
    session.execute(
        update(ItemRow).where(mine).values(title=None, attributes={}, is_forgotten=True)
    )


def cancel_items_for(session: Session, index_version: int) -> None:
    """Of jobs that build an index version which is about to go."""
    _cancel(session, ItemRow.index_version_id == index_version)


def _pass_over(session: Session, which: ColumnElement[bool]) -> None:
    """What builds an index has nothing to do for a document that is deleted."""
    _end_all(session, which & ItemRow.index_version_id.is_not(None), "superseded")


def _claimed(session: Session, row: ItemRow, lease: float) -> ClaimedItem:
    row.attempts += 1
    row.claims += 1
    row.lease = lease
    row.lease_until = until(session, lease)
    row.node = node_of(session)
    _note_change(session, row)
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
        number=row.claims,
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
            is_free(session),
            ~exists().where(BatchWaitRow.item_id == ItemRow.id),
        )
        .order_by(ItemRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _next_item(session: Session, others: ColumnElement[bool]) -> ItemRow | None:
    earlier = aliased(ItemRow)
    return session.scalar(
        select(ItemRow)
        .where(
            ItemRow.finished_at.is_(None),
            ItemRow.index_version_id.is_(None),
            ItemRow.ahead.is_(None),
            is_free(session),
            others,
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


def _next_to_build(session: Session, others: ColumnElement[bool]) -> ItemRow | None:
    """In no order with what is ingested: whichever publishes first, the other sees it."""
    return session.scalar(
        select(ItemRow)
        .where(
            ItemRow.finished_at.is_(None),
            ItemRow.index_version_id.is_not(None),
            is_free(session),
            others,
        )
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
    _note_change(session, row)
    session.flush()
    close_job_if_done(session, JobId(row.job_id))


def _cancel(session: Session, which: ColumnElement[bool]) -> None:
    waiting = which & ItemRow.finished_at.is_(None)
    remove_passing(session, session.scalars(select(ItemRow.sha256).where(waiting)).all())
    _end_all(session, which, "cancelled")


def _end_all(session: Session, which: ColumnElement[bool], state: ItemState) -> None:
    """Those that have not ended, and with the last ones their jobs."""
    ended = session.execute(
        update(ItemRow)
        .where(which, ItemRow.finished_at.is_(None))
        .values(state=state, finished_at=now(), lease_until=None)
        .returning(ItemRow.id, ItemRow.job_id)
    ).all()
    jobs = sorted({job for _, job in ended})
    for some in batches([id for id, _ in ended]):
        note_changes(session, jobs, ItemRow.id.in_(some))
    for job in jobs:
        close_job_if_done(session, JobId(job))


def _note_change(session: Session, row: ItemRow) -> None:
    row.change = next_change(session, row.job_id)


def item_of(row: ItemRow) -> IngestItem:
    return IngestItem(
        key=row.key,
        state=cast(ItemState, row.state),  # what we wrote
        document_id=DocumentId(row.document_id) if row.document_id else None,
        error=failure_of(row),
        pages=row.pages,
        pages_ocred=row.pages_ocred,
        chunks=row.chunks,
        seconds=row.seconds,
        attempts=row.attempts,
    )
