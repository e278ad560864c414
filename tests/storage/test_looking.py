"""Prepared queries say what sessions say, of one moment; what is remembered is never outdated."""

from collections.abc import Callable

import pytest
from sqlalchemy import bindparam, insert, select

from rag.errors import RagError
from rag.storage.database import Database
from rag.storage.engines.looking import Prepared
from rag.storage.remembering import Remembered
from rag.storage.tables import ChunkRow, MetaRow
from tests.storage.shelves import Shelf, only_sqlite

CHUNKS = Prepared(
    select(ChunkRow.id, ChunkRow.live, ChunkRow.lines, ChunkRow.heading_path)
    .where(ChunkRow.id.in_(bindparam("ids", expanding=True)), ChunkRow.context == "")
    .order_by(ChunkRow.id),
    listed="ids",
)
VALUES = Prepared(select(MetaRow.value).where(MetaRow.key == bindparam("key")))


@pytest.fixture
def database(shelf: Shelf) -> Database:
    """Of a library that is open, with seven chunks."""
    for number in range(7):
        shelf.put(f"d{number}", f"text {number}")
    return shelf.library._database


def note(database: Database, value: str) -> None:
    with database.write() as session:
        session.execute(insert(MetaRow).values(key=f"note {value}", value=value))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 7, 8])
def test_a_list_of_any_length_gives_what_a_session_gives(database: Database, count: int) -> None:
    ids = [*range(1, count + 1)]
    with database.read() as session:
        expected = [tuple(row) for row in session.execute(CHUNKS.query, {"ids": ids})]
    with database.look() as look:
        found = look.rows(CHUNKS, ids=ids)

    assert list(found) == expected
    assert len(expected) == min(count, 7)


def test_a_look_sees_one_moment(database: Database) -> None:
    with database.look() as look:
        assert not look.rows(VALUES, key="note a")
        note(database, "a")
        assert not look.rows(VALUES, key="note a")
    with database.look() as look:
        assert list(look.rows(VALUES, key="note a")) == [("a",)]


def test_what_fails_is_told_in_our_own_words(database: Database) -> None:
    with pytest.raises(RagError, match="database failed"), database.look() as look:
        look.rows(VALUES, key=object())


def test_a_closed_library_is_not_looked_at(open_shelf: Callable[[], Shelf]) -> None:
    library = open_shelf().library
    library.close()

    with pytest.raises(RagError, match="closed"), library._database.look():
        pass


@only_sqlite
def test_what_is_remembered_is_read_again_once_something_was_written(database: Database) -> None:
    remembered, read = Remembered[int](database), []

    def count() -> int:
        read.append(None)
        return len(read)

    assert [remembered.of("n", count) for _ in range(3)] == [1, 1, 1]
    note(database, "b")
    assert [remembered.of("n", count) for _ in range(2)] == [2, 2]


@only_sqlite
def test_what_is_written_while_it_is_read_makes_it_outdated(database: Database) -> None:
    remembered = Remembered[str](database)

    def read_late() -> str:
        note(database, "c")
        return "before"

    assert remembered.of("n", read_late) == "before"
    assert remembered.of("n", lambda: "after") == "after"


@only_sqlite
def test_while_something_is_written_nothing_is_remembered(database: Database) -> None:
    """Others see it from its commit on, which is before whoever writes it knows."""
    remembered = Remembered[int](database)
    read = iter(range(10))
    assert [remembered.of("n", lambda: next(read)) for _ in range(2)] == [0, 0]
    with database.write():
        assert [remembered.of("n", lambda: next(read)) for _ in range(2)] == [1, 2]
    assert [remembered.of("n", lambda: next(read)) for _ in range(2)] == [3, 3]
