"""Requests to ingest. A job's state is what its items' states come to."""

import secrets
from typing import cast

from msgspec import Struct
from sqlalchemy import Select, case, exists, func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from rag.domain import (
    CollectionId,
    Failure,
    IngestJob,
    ItemCounts,
    JobId,
    JobState,
    Lane,
    Listing,
    Saved,
)
from rag.errors import NotFound
from rag.storage.cursors import checked_limit, cursor, position
from rag.storage.indexversions import index_id
from rag.storage.ledger import committed, usd
from rag.storage.progress import seconds_left
from rag.storage.tables import (
    CollectionRow,
    ItemRow,
    JobRow,
    LedgerRow,
)
from rag.storage.timestamps import now
from rag.storage.webhooks import call_off, find_delivery, make_due


def new_job(
    session: Session,
    collection_id: CollectionId,
    lane: Lane = "direct",
    *,
    index_version: int | None = None,
) -> JobId:
    """
    Args:
        index_version: that it builds; None where it ingests.
    """
    id = JobId(f"job_{secrets.token_hex(12)}")
    session.execute(
        insert(JobRow).values(
            id=id,
            collection_id=collection_id,
            lane=lane,
            index_version_id=index_version,
            created_at=now(),
        )
    )
    return id


def find_job(session: Session, id: JobId) -> IngestJob:
    """
    Raises:
        NotFound: no such job.
    """
    row = session.execute(_jobs().where(JobRow.id == id)).first()
    if row is None:
        raise NotFound("there is no such job")
    return _job(session, *row)


def list_jobs(session: Session, *, limit: int, after: str | None) -> Listing[IngestJob]:
    """Newest first."""
    query = _jobs().order_by(JobRow.created_at.desc(), JobRow.id.desc())
    if place := position(after, str, str):
        query = query.where(tuple_(JobRow.created_at, JobRow.id) < tuple_(*place))
    rows = session.execute(query.limit(checked_limit(limit) + 1)).all()
    data = tuple(_job(session, *row) for row in rows[:limit])
    has_more = len(rows) > limit
    return Listing(data, has_more, cursor(data[-1].created_at, data[-1].id) if has_more else None)


def close_job_if_done(session: Session, id: JobId) -> None:
    """A job is finished by its last item."""
    # who ends the last but one item at this moment would leave the job to us, and we to him
    session.execute(select(JobRow.id).where(JobRow.id == id).with_for_update(key_share=True))
    open_items = exists().where(ItemRow.job_id == id, ItemRow.finished_at.is_(None))
    closed = session.execute(
        update(JobRow)
        .where(JobRow.id == id, JobRow.finished_at.is_(None), ~open_items)
        .values(finished_at=now())
        .returning(JobRow.id)
    )
    if closed.first() is not None:
        make_due(session, id)


def reopen_job(session: Session, id: JobId) -> None:
    """Some of its items wait again."""
    session.execute(update(JobRow).where(JobRow.id == id).values(finished_at=None))
    call_off(session, id)


def failure_of(row: ItemRow) -> Failure | None:
    if row.error_code is None:
        return None
    return Failure(row.error_code, row.error_stage or "", row.error_message or "")


def _jobs() -> Select[JobRow, str]:
    return select(JobRow, CollectionRow.name).join(
        CollectionRow, CollectionRow.id == JobRow.collection_id
    )


def _job(session: Session, row: JobRow, collection: str) -> IngestJob:
    tally = _tally(session, row.id)
    return IngestJob(
        id=JobId(row.id),
        collection=collection,
        state=_state(tally, finished=row.finished_at is not None),
        lane=cast(Lane, row.lane),  # what we wrote
        kind="ingest" if row.index_version_id is None else "reindex",
        index=None if row.index_version_id is None else index_id(row.index_version_id),
        items=ItemCounts(
            total=sum(tally.states.values()),
            done=tally.of("indexed", "unchanged", "superseded", "visited"),
            failed=tally.of("failed", "refused"),
        ),
        progress={
            **tally.states,
            "pages": tally.pages,
            "pages_ocred": tally.pages_ocred,
            "chunks": tally.chunks,
            **({"waiting_for_batch": tally.ahead} if tally.ahead else {}),
        },
        saved=Saved(tally.saved_pages, tally.saved_tokens, usd(tally.saved_nanodollars)),
        spent_usd=committed(session, LedgerRow.job_id == row.id),
        seconds_left=(
            None
            if row.finished_at is not None or tally.ahead
            else seconds_left(session, row.id, tally.waiting)
        ),
        last_error=_last_error(session, row.id) if tally.of("failed", "refused") else None,
        webhook=find_delivery(session, row.id),
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


class _Tally(Struct):
    """Items of a job, counted by state, and what they came to."""

    states: dict[str, int] = {}
    started: int = 0
    waiting: int = 0
    """That have not ended."""
    ahead: int = 0
    """For which a batch is under way, or about to be."""
    pages: int = 0
    pages_ocred: int = 0
    chunks: int = 0
    saved_pages: int = 0
    saved_tokens: int = 0
    saved_nanodollars: int = 0

    def of(self, *states: str) -> int:
        return sum(self.states.get(state, 0) for state in states)


def _tally(session: Session, job_id: str) -> _Tally:
    rows = session.execute(
        select(ItemRow.state, func.count(), *(func.sum(each) for each in _SUMS.values()))
        .where(ItemRow.job_id == job_id)
        .group_by(ItemRow.state)
    ).all()
    sums = (sum(column) for column in zip(*(row[2:] for row in rows), strict=True))
    return _Tally({row[0]: row[1] for row in rows}, **dict(zip(_SUMS, sums, strict=False)))


_IS_AHEAD = ItemRow.ahead.is_not(None) & ItemRow.finished_at.is_(None)

_SUMS = {
    "started": case((ItemRow.attempts > 0, 1), else_=0),
    "waiting": case((ItemRow.finished_at.is_(None), 1), else_=0),
    "ahead": case((_IS_AHEAD, 1), else_=0),
    "pages": ItemRow.pages,
    "pages_ocred": ItemRow.pages_ocred,
    "chunks": ItemRow.chunks,
    "saved_pages": ItemRow.saved_pages,
    "saved_tokens": ItemRow.saved_tokens,
    "saved_nanodollars": ItemRow.saved_nanodollars,
}
"""Of each item, what `_Tally` counts of a job."""


def _state(tally: _Tally, *, finished: bool) -> JobState:
    if finished:
        if tally.of("cancelled"):
            return "cancelled"
        return "failed" if tally.of("failed", "refused") else "succeeded"
    return "running" if tally.started or tally.ahead or tally.of("unchanged") else "queued"


def _last_error(session: Session, job_id: str) -> Failure | None:
    row = session.scalar(
        select(ItemRow)
        .where(ItemRow.job_id == job_id, ItemRow.state.in_(("failed", "refused")))
        .order_by(ItemRow.finished_at.desc(), ItemRow.id.desc())
        .limit(1)
    )
    return failure_of(row) if row else None
