"""Whom to tell when a job has ended, kept until somebody was told or nobody ever will be."""

from datetime import UTC, datetime, timedelta
from typing import cast

from msgspec import Struct
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from rag.domain import Delivery, DeliveryState, JobId
from rag.storage.tables import JobRow, WebhookRow
from rag.storage.timestamps import now, written


class Message(Struct, frozen=True):
    """That a job has ended, to be sent now."""

    job: JobId
    url: str
    finished_at: str
    attempts: int
    """With this one."""


def set_webhook(session: Session, id: JobId, url: str) -> None:
    """In place of an earlier one; it is told at once where the job has ended."""
    session.execute(delete(WebhookRow).where(WebhookRow.job_id == id))
    session.add(WebhookRow(job_id=id, url=url, state="waiting", attempts=0))
    session.flush()
    if session.scalar(select(JobRow.finished_at).where(JobRow.id == id)) is not None:
        make_due(session, id)


def make_due(session: Session, id: JobId) -> None:
    """The job has ended."""
    _set(session, id, state="due", attempts=0, due_at=now(), said=None)


def call_off(session: Session, id: JobId) -> None:
    """The job goes on."""
    _set(session, id, state="waiting", attempts=0, due_at=None, said=None)


def remove_webhook(session: Session, id: JobId) -> None:
    session.execute(delete(WebhookRow).where(WebhookRow.job_id == id))


def is_any_due(session: Session) -> bool:
    return session.scalar(select(exists().where(WebhookRow.due_at <= now()))) or False


def take_due(session: Session, lease: float) -> Message | None:
    """The next message to be sent. Nobody else gets it for `lease` seconds; who dies over it has
    it sent again then."""
    row = session.scalar(
        select(WebhookRow)
        .where(WebhookRow.due_at <= now())
        .order_by(WebhookRow.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    finished_at = session.scalar(select(JobRow.finished_at).where(JobRow.id == row.job_id))
    if finished_at is None:  # it went with its collection
        session.delete(row)
        return None
    row.attempts += 1
    row.due_at = _after(lease)
    return Message(JobId(row.job_id), row.url, finished_at, row.attempts)


def end_sending(
    session: Session, message: Message, state: DeliveryState, said: str | None, wait: float | None
) -> None:
    """
    Args:
        said: what went wrong.
        wait: seconds after which it is sent again.
    """
    session.execute(
        update(WebhookRow)
        .where(
            WebhookRow.job_id == message.job,
            WebhookRow.url == message.url,
            WebhookRow.attempts == message.attempts,
            WebhookRow.state == "due",
        )
        .values(state=state, said=said, due_at=None if wait is None else _after(wait))
    )


def find_delivery(session: Session, id: str) -> Delivery | None:
    row = session.get(WebhookRow, id)
    if row is None:
        return None
    return Delivery(cast(DeliveryState, row.state), row.attempts, row.said, row.due_at)


def _set(session: Session, id: JobId, **values: object) -> None:
    session.execute(
        update(WebhookRow)
        .where(WebhookRow.job_id == id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _after(seconds: float) -> str:
    return written(datetime.now(UTC) + timedelta(seconds=seconds))
