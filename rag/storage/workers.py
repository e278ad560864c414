"""The processes that work on what is queued, as far as each has shown a sign of life."""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from rag.domain import Failure
from rag.storage.leases import clock, until
from rag.storage.locking import insert_new
from rag.storage.tables import WorkerRow


def show_life(session: Session, node: str, lease: float, pause: Failure | None) -> None:
    """A worker of this node lives, for so many seconds from now if nothing more is heard.

    Args:
        pause: why it begins nothing at the moment.
    """
    insert_new(session, WorkerRow, [{"node": node, "until": 0.0}])
    said = (pause.code, pause.stage, pause.message) if pause else (None, None, None)
    names = ("pause_code", "pause_stage", "pause_message")
    session.execute(
        update(WorkerRow)
        .where(WorkerRow.node == node)
        .values(until=until(session, lease), **dict(zip(names, said, strict=True)))
        .execution_options(synchronize_session=False)
    )


def leave(session: Session, node: str) -> None:
    session.execute(delete(WorkerRow).where(WorkerRow.node == node))


def living(session: Session) -> list[Failure | None]:
    """Of each worker that lives, why it begins nothing; None where it goes on."""
    rows = session.execute(
        select(WorkerRow.pause_code, WorkerRow.pause_stage, WorkerRow.pause_message)
        .where(WorkerRow.until > clock(session))
        .order_by(WorkerRow.node)
    )
    return [Failure(code, stage or "", said or "") if code else None for code, stage, said in rows]
