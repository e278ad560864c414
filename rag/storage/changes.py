"""What changed in a job, in order: each change of an item has the job's next number.

The number is counted up on the job's row, which stays locked until the change is committed: so
numbers become visible in their order, and whoever has seen all up to one misses nothing before
it. Always the items first, and then their jobs in the order of their ids.
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from rag.storage.tables import ItemRow, JobRow


def next_change(session: Session, job: str) -> int:
    """For items that the transaction changes, or has changed."""
    counted = update(JobRow).where(JobRow.id == job).values(changes=JobRow.changes + 1)
    counted = counted.execution_options(synchronize_session=False)
    return session.execute(counted.returning(JobRow.changes)).scalar_one()


def note_changes(session: Session, jobs: Iterable[str], which: ColumnElement[bool]) -> None:
    """Of these items, in these jobs; they were changed together."""
    for job in sorted(set(jobs)):
        session.execute(
            update(ItemRow)
            .where(ItemRow.job_id == job, which)
            .values(change=next_change(session, job))
            .execution_options(synchronize_session=False)
        )
