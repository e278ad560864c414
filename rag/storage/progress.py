"""How far a job is: what it cost, how long it will take, and what changed since one looked."""

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct
from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from rag.domain import IngestItem, IngestJob, JobId
from rag.errors import NotFound
from rag.storage.tables import ItemRow, JobRow

PACE_OF = (
    50  # items by whose pace the rest is judged: the last ones, for files of a kind come together
)
FEWEST = 5  # items; of fewer, a pace says nothing

Place = tuple[int, int]
"""Where one is in a job's changes: the number of a change, and an item of it."""

BEFORE_ALL: Place = (-1, 0)


class News(Struct, frozen=True):
    """A job, and its items that changed since, in one moment; each as it is now."""

    job: IngestJob
    items: tuple[tuple[Place, IngestItem], ...]
    has_more: bool
    """Whether other items changed too, after these."""


def count_changes(session: Session, id: JobId) -> int:
    """
    Raises:
        NotFound: no such job.
    """
    changes = session.scalar(select(JobRow.changes).where(JobRow.id == id))
    if changes is None:
        raise NotFound("there is no such job")
    return changes


def changed_rows(session: Session, id: JobId, after: Place, limit: int) -> Sequence[ItemRow]:
    """In the order in which they changed last."""
    return session.scalars(
        select(ItemRow)
        .where(ItemRow.job_id == id, tuple_(ItemRow.change, ItemRow.id) > tuple_(*after))
        .order_by(ItemRow.change, ItemRow.id)
        .limit(limit)
    ).all()


def seconds_left(session: Session, id: str, items: int) -> float | None:
    """Until so many items have ended, by the pace of the last ones; None where that is unknown."""
    last = (
        select(ItemRow.finished_at)
        .where(ItemRow.job_id == id, ItemRow.finished_at.is_not(None), ItemRow.attempts > 0)
        .order_by(ItemRow.finished_at.desc())
        .limit(PACE_OF)
        .subquery()
    )
    ended, first = session.execute(select(func.count(), func.min(last.c.finished_at))).one()
    if ended < FEWEST:
        return None
    passed: float = (datetime.now(UTC) - datetime.fromisoformat(first)).total_seconds()
    return round(items * max(0.0, passed) / float(ended), 1)
