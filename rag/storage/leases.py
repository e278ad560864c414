"""Who has what at the moment, and by which clock.

What is claimed is its holder's for a while, and longer with every sign of life. A holder that dies
loses it when the while is over; one that only slept finds out, for each claim has a number that is
never used again.

Time is told by one clock for all who share a library: the database server's on PostgreSQL, however
wrong those of the machines are. On SQLite the one process tells it, by a clock that nobody sets.
"""

import time
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Double, cast, extract, func, literal, or_, select, update
from sqlalchemy.orm import Session

from rag.storage.batches import batches
from rag.storage.locking import insert_new, is_postgresql
from rag.storage.tables import ItemRow, LeaderRow

Claim = tuple[int, int]
"""Id of an item, and the number of the claim on it."""


def clock(session: Session) -> ColumnElement[float]:
    """Seconds since some moment."""
    if is_postgresql(session):  # not the start of the transaction: it may have waited
        return cast(extract("epoch", func.clock_timestamp()), Double)
    return literal(time.monotonic(), Double)


def until(session: Session, lease: float) -> ColumnElement[float]:
    """When a lease of so many seconds ends that begins now."""
    return clock(session) + lease


def is_free(session: Session) -> ColumnElement[bool]:
    """Nobody has the item now."""
    return or_(ItemRow.lease_until.is_(None), ItemRow.lease_until < clock(session))


def prolong(session: Session, claims: Collection[Claim], lease: float) -> set[int]:
    """A sign of life of whoever has these items: they are his for so many seconds from now.

    Returns:
        Ids of those that are his no more: cancelled, or claimed by another.
    """
    mine: set[int] = set()
    for some in batches(sorted(claims)):
        numbers = dict(some)
        rows = session.execute(
            select(ItemRow.id, ItemRow.claims, ItemRow.state).where(ItemRow.id.in_(numbers))
        )
        kept = [id for id, n, state in rows if n == numbers[id] and state != "cancelled"]
        mine.update(kept)
        _prolong(session, kept, lease)
    return {id for id, _ in claims} - mine


def _prolong(session: Session, ids: Sequence[int], lease: float) -> None:
    """But those that are being published, or taken away, at this moment."""
    still = select(ItemRow.id).where(ItemRow.id.in_(ids), ItemRow.finished_at.is_(None))
    unlocked = session.scalars(still.with_for_update(skip_locked=True)).all()
    session.execute(
        update(ItemRow)
        .where(ItemRow.id.in_(unlocked), ItemRow.lease_until.is_not(None))
        .values(lease=lease, lease_until=until(session, lease))
        .execution_options(synchronize_session=False)
    )


def lead(session: Session, role: str, node: str, lease: float) -> bool:
    """Whether this node has the role, for so many seconds from now: it had it, or nobody has."""
    insert_new(session, LeaderRow, [{"role": role, "node": node, "until": 0.0}])
    has_ended = LeaderRow.until < clock(session)
    taken = (
        update(LeaderRow)
        .where(LeaderRow.role == role, or_(LeaderRow.node == node, has_ended))
        .values(node=node, until=until(session, lease))
        .returning(LeaderRow.role)
        .execution_options(synchronize_session=False)
    )
    return session.execute(taken).first() is not None


def resign(session: Session, role: str, node: str) -> None:
    """Another may have the role at once."""
    mine = (LeaderRow.role == role) & (LeaderRow.node == node)
    session.execute(
        update(LeaderRow)
        .where(mine)
        .values(until=clock(session) - 1.0)
        .execution_options(synchronize_session=False)
    )
