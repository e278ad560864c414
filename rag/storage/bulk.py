"""Many rows in one statement, past what SQLAlchemy does for each value of each.

Names and types are those of the tables; values are given as the database's driver takes them.
SQLite has no round trips, and one statement is run for each row; PostgreSQL is sent one array for
each column, so that a document of a thousand chunks is one trip.
"""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Dialect, String, inspect
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from rag.storage.tables import Row

Values = tuple[object, ...]


def insert_rows(
    session: Session, row: type[Row], columns: tuple[str, ...], rows: Sequence[Values]
) -> None:
    """
    Args:
        columns: all that have no default in the database.
        rows: values in the order of the columns; JSON is given as text.
    """
    _insert(session, row, columns, rows, "")


def insert_new_rows(
    session: Session, row: type[Row], columns: tuple[str, ...], rows: Sequence[Values]
) -> None:
    """Those whose key nobody has; another's are left as they are.

    Of two transactions that insert the same keys at once, both in one order, the second waits for
    the first.
    """
    _insert(session, row, columns, rows, " ON CONFLICT DO NOTHING")


def _insert(
    session: Session, row: type[Row], columns: tuple[str, ...], rows: Sequence[Values], end: str
) -> None:
    if not rows:
        return
    connection = session.connection()
    dialect = connection.dialect
    if dialect.name == "postgresql":
        connection.exec_driver_sql(_of_arrays(row, columns, dialect) + end, _turned(rows))
    else:
        connection.exec_driver_sql(_of_one(row, columns, dialect) + end, list(rows))


def _turned(rows: Sequence[Values]) -> tuple[object, ...]:
    """A list for each column."""
    return tuple(map(list, zip(*rows, strict=True)))


@cache
def _of_one(row: type[Row], columns: tuple[str, ...], dialect: Dialect) -> str:
    values = ", ".join("?" * len(columns))
    return f"{_into(row, columns, dialect)} VALUES ({values})"


@cache
def _of_arrays(row: type[Row], columns: tuple[str, ...], dialect: Dialect) -> str:
    types = [inspect(row).columns[name].type for name in columns]
    arrays = ", ".join(f"%b::{_element(type, dialect)}[]" for type in types)
    return f"{_into(row, columns, dialect)} SELECT * FROM unnest({arrays})"  # noqa: S608 - names of ours


def _into(row: type[Row], columns: tuple[str, ...], dialect: Dialect) -> str:
    quote = dialect.identifier_preparer.quote
    return f"INSERT INTO {quote(row.__tablename__)} ({', '.join(map(quote, columns))})"


def _element(type: TypeEngine[object], dialect: Dialect) -> str:
    # a text that is too long is refused by its column; a cast to its type would cut it
    return "text" if isinstance(type, String) else type.compile(dialect)
