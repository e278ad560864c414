"""Items of jobs: how they end, what is told of them, and calling them off."""

from collections.abc import Sequence
from typing import cast

from msgspec import Struct
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from rag.domain import (
    FINAL_ITEM_STATES,
    WITHIN,
    CollectionId,
    DocumentId,
    Failure,
    IngestItem,
    IngestJob,
    ItemState,
    JobId,
    Listing,
    Version,
    document_id,
)
from rag.errors import NotFound
from rag.storage.batches import batches
from rag.storage.changes import note_changes
from rag.storage.claims import ClaimedItem, note_change, require_claim
from rag.storage.cursors import checked_limit, cursor, position
from rag.storage.jobs import close_job_if_done, failure_of, find_job
from rag.storage.memos import forget_memos
from rag.storage.readings import remove_passing, remove_unused_readings
from rag.storage.savings import WORTHLESS, Worth, note_savings
from rag.storage.tables import ItemRow, JobRow
from rag.storage.timestamps import now


class Work(Struct, frozen=True):
    """What working on an item came to, beside its state."""

    pages: int = 0
    pages_ocred: int = 0
    chunks: int = 0
    seconds: float = 0.0
    worth: Worth = WORTHLESS


NOTHING_DONE = Work()


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
    finish_row(session, require_claim(session, claimed), state, error=error, work=work)


def fail_item(session: Session, id: int, reason: Failure) -> None:
    """Ends an item that nobody has; not one that has ended."""
    end_item(session, id, "failed", reason)


def end_item(session: Session, id: int, state: ItemState, reason: Failure) -> None:
    """As `fail_item`, in any state."""
    row = session.get(ItemRow, id, with_for_update=True)
    if row is not None and row.finished_at is None:
        finish_row(session, row, state, error=reason)


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
    came = select(ItemRow.sha256).where(mine, ItemRow.sha256 != "")
    versions = session.scalars(came.distinct()).all()
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


def cancel_items_below(
    session: Session, collection_id: CollectionId, archive: str, but: frozenset[str]
) -> None:
    """Of what is in an archive, and waits: but of these keys."""
    open_keys = session.scalars(
        select(ItemRow.key).where(
            ItemRow.collection_id == collection_id,
            ItemRow.finished_at.is_(None),
            is_below(ItemRow.key, archive),
        )
    ).all()
    for key in sorted(set(open_keys) - but):
        cancel_items_of(session, collection_id, key)


def is_below(key: InstrumentedAttribute[str], archive: str) -> ColumnElement[bool]:
    """Holds for keys of what is in an archive."""
    prefix = archive + WITHIN
    return func.substr(key, 1, len(prefix)) == prefix


def list_members(
    session: Session, collection_id: CollectionId, archive: str, *, limit: int, after: str | None
) -> Listing[IngestItem]:
    """How each file of an archive ended when it came last, by key."""
    last = (
        select(func.max(ItemRow.id))
        .where(
            ItemRow.collection_id == collection_id,
            ItemRow.index_version_id.is_(None),
            is_below(ItemRow.key, archive),
        )
        .group_by(ItemRow.key)
    )
    query = select(ItemRow).where(ItemRow.id.in_(last), ~ItemRow.is_forgotten)
    if place := position(after, str):
        query = query.where(ItemRow.key > place[0])
    rows = session.scalars(query.order_by(ItemRow.key).limit(checked_limit(limit) + 1)).all()
    data = tuple(item_of(row) for row in rows[:limit])
    has_more = len(rows) > limit
    return Listing(data, has_more, cursor(rows[limit - 1].key) if has_more else None)


def cancel_items_for(session: Session, index_version: int) -> None:
    """Of jobs that build an index version which is about to go."""
    _cancel(session, ItemRow.index_version_id == index_version)


def _pass_over(session: Session, which: ColumnElement[bool]) -> None:
    """What builds an index has nothing to do for a document that is deleted."""
    _end_all(session, which & ItemRow.index_version_id.is_not(None), "superseded")


def finish_row(
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
    note_change(session, row)
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
