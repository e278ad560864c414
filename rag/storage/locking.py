"""What concurrent transactions contend for. SQLite has one writer: there, nothing need be locked.

A transaction that waits for a lock sees, in its next statement, what the one before committed; so
it locks first and looks then.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from rag.storage.engines.postgres import LOCKS
from rag.storage.tables import Row

BUDGETS = 3
"""What is left of a budget is looked at, and then spent."""


def lock(session: Session, what: int) -> None:
    """Has it alone until the transaction ends."""
    if is_postgresql(session):
        session.execute(text(f"SELECT pg_advisory_xact_lock({LOCKS}, {what})"))


def insert_new(session: Session, table: type[Row], rows: Sequence[dict[str, Any]]) -> int:
    """Inserts those of the rows whose key nobody has, and returns how many those are; another's
    are left as they are.

    Of two transactions that insert the same keys at once, both in one order, the second waits for
    the first.
    """
    if not rows:
        return 0
    insert = postgresql.insert if is_postgresql(session) else sqlite.insert
    statement = insert(table).on_conflict_do_nothing().returning(*inspect(table).primary_key)
    return len(session.connection().execute(statement, rows).all())


def is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
