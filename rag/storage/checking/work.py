"""Jobs, their items, and paid calls: each in one state that it can be in."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update

from rag.domain import FINAL_ITEM_STATES
from rag.storage.checking.findings import Findings, Holdings, mendable
from rag.storage.claiming import MAX_ATTEMPTS
from rag.storage.tables import BatchRequestRow, ItemRow, JobRow, LedgerRow
from rag.storage.timestamps import now, written

STATES = ("queued", "read", "chunked", "embedded", *FINAL_ITEM_STATES)

LONGEST_CALL = timedelta(hours=6)
"""No call that is not in a batch takes so long, with all its retries: an open one that is older
has nobody who waits for its reply."""


def check_jobs(held: Holdings) -> Findings:
    with held.database.read() as session:
        items = session.scalar(select(func.count()).where(_impossible())) or 0
        jobs = session.scalar(select(func.count()).where(_misjudged())) or 0
    if items:
        yield mendable(
            "jobs",
            f"{items:,} items are in a state that none can be in",
            "what has ended is closed, and the rest is queued",
            lambda: _straighten(held),
        )
    if jobs:
        yield mendable(
            "jobs",
            f"{jobs:,} jobs are not what their items come to",
            "they are closed, or go on",
            lambda: _judge_again(held),
        )


def check_ledger(held: Holdings) -> Findings:
    with held.database.read() as session:
        number = session.scalar(select(func.count()).where(_without_owner())) or 0
    if number:
        yield mendable(
            "ledger",
            f"{number:,} paid calls are open, and nobody waits for their replies",
            "they count as lost, at the most they may have cost",
            lambda: _lose(held),
        )


def _impossible() -> ColumnElement[bool]:
    has_ended = ItemRow.state.in_(FINAL_ITEM_STATES)
    return or_(
        ItemRow.state.not_in(STATES),
        and_(has_ended, ItemRow.finished_at.is_(None)),
        and_(~has_ended, ItemRow.finished_at.is_not(None)),
        and_(ItemRow.finished_at.is_not(None), ItemRow.lease_until.is_not(None)),
        ItemRow.attempts < 0,
        ItemRow.attempts > MAX_ATTEMPTS,
    )


def _straighten(held: Holdings) -> None:
    has_ended = ItemRow.state.in_(FINAL_ITEM_STATES)
    with held.database.alone() as session:
        impossible = session.scalars(select(ItemRow.id).where(_impossible())).all()
        for id in impossible:
            item = update(ItemRow).where(ItemRow.id == id)
            item = item.execution_options(synchronize_session=False)
            session.execute(
                item.where(has_ended).values(
                    finished_at=func.coalesce(ItemRow.finished_at, now()), lease_until=None
                )
            )
            session.execute(
                item.where(~has_ended).values(
                    state="queued", finished_at=None, lease_until=None, attempts=0
                )
            )
            session.execute(
                item.where(~ItemRow.attempts.between(0, MAX_ATTEMPTS)).values(attempts=MAX_ATTEMPTS)
            )
    _judge_again(held)


def _misjudged() -> ColumnElement[bool]:
    """But a job that is empty: its first items are on their way."""
    items = exists().where(ItemRow.job_id == JobRow.id)
    waiting = exists().where(ItemRow.job_id == JobRow.id, ItemRow.finished_at.is_(None))
    return or_(
        and_(JobRow.finished_at.is_not(None), waiting),
        and_(JobRow.finished_at.is_(None), items, ~waiting),
    )


def _judge_again(held: Holdings) -> None:
    waiting = exists().where(ItemRow.job_id == JobRow.id, ItemRow.finished_at.is_(None))
    with held.database.alone() as session:
        for ended, at in ((~waiting, now()), (waiting, None)):
            session.execute(
                update(JobRow)
                .where(_misjudged(), ended)
                .values(finished_at=at)
                .execution_options(synchronize_session=False)
            )


def _without_owner() -> ColumnElement[bool]:
    before = written(datetime.now(UTC) - LONGEST_CALL)
    in_batch = exists().where(BatchRequestRow.intent_id == LedgerRow.id)
    return and_(LedgerRow.state == "open", LedgerRow.at < before, ~in_batch)


def _lose(held: Holdings) -> None:
    with held.database.alone() as session:
        session.execute(
            update(LedgerRow)
            .where(_without_owner())
            .values(state="lost", ended_at=now())
            .execution_options(synchronize_session=False)
        )
