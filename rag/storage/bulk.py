"""Many rows in one statement, past what SQLAlchemy does for each value of each.

Names and types are those of the tables; values are given as the database's driver takes them.
SQLite has no round trips, and runs a statement once for each row; PostgreSQL is sent an array for
each column, so that a document of a thousand chunks is one trip.
"""

from collections.abc import Mapping, Sequence
from functools import cache

from sqlalchemy import Dialect, String, inspect
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from rag.storage.batches import batches
from rag.storage.tables import Row

Shared = Mapping[str, object]
"""Columns in which all rows have one value."""
Names = tuple[str, ...]
Values = tuple[object, ...]


def insert_rows(
    session: Session, row: type[Row], same: Shared, columns: Names, rows: Sequence[Values]
) -> None:
    """
    Args:
        rows: values of the other columns, in their order; JSON is given as text.
    """
    _insert(session, row, same, columns, rows, "")


def insert_new_rows(
    session: Session, row: type[Row], same: Shared, columns: Names, rows: Sequence[Values]
) -> None:
    """Those whose key nobody has; another's are left as they are.

    Of two transactions that insert the same keys at once, both in one order, the second waits for
    the first.
    """
    _insert(session, row, same, columns, rows, " ON CONFLICT DO NOTHING")


def ids_of_keys(
    session: Session, row: type[Row], same: Shared, column: str, keys: Sequence[bytes]
) -> dict[bytes, int]:
    """Ids of those rows that have one of the keys in a column, by their keys."""
    connection = session.connection()
    found: dict[bytes, int] = {}
    for some in batches(keys):
        if connection.dialect.name == "postgresql":
            query, values = _any_of(row, tuple(same), column), (*same.values(), list(some))
        else:
            query, values = _one_of(row, tuple(same), column, len(some)), (*same.values(), *some)
        for key, id in connection.exec_driver_sql(query, values):
            found[key] = id
    return found


def _insert(
    session: Session,
    row: type[Row],
    same: Shared,
    columns: Names,
    rows: Sequence[Values],
    end: str,
) -> None:
    if not rows:
        return
    connection = session.connection()
    shared = tuple(same.values())
    if connection.dialect.name == "postgresql":
        arrays = map(list, zip(*rows, strict=True))
        insert = _of_arrays(row, tuple(same), columns, connection.dialect)
        connection.exec_driver_sql(insert + end, (*shared, *arrays))
    else:
        insert = _of_one(row, tuple(same) + columns, connection.dialect)
        connection.exec_driver_sql(insert + end, [shared + values for values in rows])


@cache
def _of_one(row: type[Row], columns: Names, dialect: Dialect) -> str:
    return f"{_into(row, columns, dialect)} VALUES ({_marks(len(columns))})"


@cache
def _of_arrays(row: type[Row], same: Names, columns: Names, dialect: Dialect) -> str:
    types = {name: column.type for name, column in inspect(row).columns.items()}
    shared = "".join(f"%b::{_element(types[name], dialect)}, " for name in same)
    arrays = ", ".join(f"%b::{_element(types[name], dialect)}[]" for name in columns)
    into = _into(row, same + columns, dialect)
    return f"{into} SELECT {shared}rows.* FROM unnest({arrays}) AS rows"  # noqa: S608 - our names


def _into(row: type[Row], columns: Names, dialect: Dialect) -> str:
    quote = dialect.identifier_preparer.quote
    return f"INSERT INTO {quote(row.__tablename__)} ({', '.join(map(quote, columns))})"


def _element(type: TypeEngine[object], dialect: Dialect) -> str:
    # a text that is too long is refused by its column; a cast to its type would cut it
    return "text" if isinstance(type, String) else type.compile(dialect)


@cache
def _any_of(row: type[Row], same: Names, column: str) -> str:
    return f"{_looking(row, same, column, '%b')} {column} = ANY(%b)"


def _one_of(row: type[Row], same: Names, column: str, keys: int) -> str:
    return f"{_looking(row, same, column, '?')} {column} IN ({_marks(keys)})"


def _looking(row: type[Row], same: Names, column: str, mark: str) -> str:
    shared = "".join(f"{name} = {mark} AND " for name in same)
    return f"SELECT {column}, id FROM {row.__tablename__} WHERE {shared}"  # noqa: S608 - our names


def _marks(number: int) -> str:
    return ", ".join("?" * number)
