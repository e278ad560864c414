"""Queries of every search, prepared once.

A session of SQLAlchemy and its statement take 2.1 ms of CPU for ten rows, of which SQLite's own
part is 0.2. So SQLite is asked directly, in text that SQLAlchemy compiled; of PostgreSQL, which
lies behind a connection anyway, SQLAlchemy asks.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct
from sqlalchemy import Connection, Dialect, Select

Values = tuple[Any, ...]
"""Of one row, in the order of the query's columns."""


class _Form(Struct, frozen=True):
    """A query for a list of one length."""

    text: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    """Names of its parameters, in order, before and after the list."""
    constants: dict[str, Any]
    readers: tuple[tuple[int, Callable[[Any], Any]], ...]
    """What makes a value of Python of a column's, where that is needed."""


class Prepared:
    """A query, and its texts: one for each length of the list among its parameters, if it has
    one."""

    def __init__(self, query: Select[*tuple[Any, ...]], *, listed: str | None = None) -> None:
        self.query = query
        self.listed = listed
        self._forms: dict[int, _Form] = {}

    def form(self, length: int, dialect: Dialect) -> _Form:
        known = self._forms.get(length)
        if known is None:
            known = self._forms[length] = self._compiled(length, dialect)
        return known

    def _compiled(self, length: int, dialect: Dialect) -> _Form:
        compiled: Any = self.query.compile(dialect=dialect)
        listed = {self.listed: [None] * length} if self.listed else {}
        expanded = compiled.construct_expanded_state({**compiled.params, **listed})
        names = expanded.positiontup
        first = names.index(f"{self.listed}_1") if length else len(names)
        readers = (
            (place, column.type.result_processor(dialect, None))
            for place, column in enumerate(self.query.selected_columns)
        )
        return _Form(
            expanded.statement,
            tuple(names[:first]),
            tuple(names[first + length :]),
            dict(expanded.parameters),
            tuple((place, reader) for place, reader in readers if reader is not None),
        )


class Look(Protocol):
    """One moment of the database."""

    def rows(self, prepared: Prepared, **parameters: Any) -> Sequence[Values]: ...


class SqliteLook:
    def __init__(self, connection: sqlite3.Connection, dialect: Dialect) -> None:
        self._connection = connection
        self._dialect = dialect

    def rows(self, prepared: Prepared, **parameters: Any) -> Sequence[Values]:
        listed = _padded(parameters[prepared.listed]) if prepared.listed else ()
        if prepared.listed and not listed:
            return ()
        form = prepared.form(len(listed), self._dialect)
        given = form.constants | parameters
        values = [given[name] for name in form.before]
        values += [*listed, *(given[name] for name in form.after)]
        found = self._connection.execute(form.text, values).fetchall()
        return [_read(row, form) for row in found] if form.readers else found


def _padded(listed: Sequence[Any]) -> Sequence[Any]:
    """To a power of two, so that the forms are few; what is repeated is found once."""
    missing = (1 << max(0, len(listed) - 1).bit_length()) - len(listed)
    return [*listed, *(listed[-1] for _ in range(missing))] if listed else ()


def _read(row: Values, form: _Form) -> Values:
    values = list(row)
    for place, reader in form.readers:
        values[place] = reader(values[place])
    return tuple(values)


class PostgresLook:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, prepared: Prepared, **parameters: Any) -> Sequence[Values]:
        return [tuple(row) for row in self._connection.execute(prepared.query, parameters)]
