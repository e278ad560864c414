"""What the database says of itself: its pages, its own indexes, and what points at what."""

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Integer, delete, literal_column, text, update
from sqlalchemy.orm import Session

from rag.errors import RagError
from rag.storage.checking.findings import Findings, Holdings, by_hand, mendable, some_of
from rag.storage.tables import ChunkRow, Row

MOST = 100  # complaints of SQLite's that are read
ROUNDS = 10  # of removing orphans, whose children are orphans then

_OF_AN_INDEX = re.compile(r"missing from index|wrong # of entries in index|non-unique entry in")

RESTORE = "restore the last backup with `rag restore`, or ingest the documents into a new library"


def check_database(held: Holdings) -> Findings:
    """PostgreSQL compares the checksums of its pages whenever it reads them, and enforces its
    references: there is nothing to be asked there."""
    if held.database.is_shared:
        return
    try:
        with held.database.read() as session:
            said = session.scalars(text(f"PRAGMA integrity_check({MOST})")).all()
            orphans = session.execute(text("PRAGMA foreign_key_check")).all()
    except RagError as error:
        yield by_hand("database", str(error), RESTORE)
        return
    yield from _complaints(held, [line for line in said if line != "ok"])
    for table in sorted({row[0] for row in orphans}):
        parents = sorted({row[2] for row in orphans if row[0] == table})
        number = sum(row[0] == table for row in orphans)
        what = f"{number:,} rows of {table!r} point at rows of {some_of(parents)} that are gone"
        yield mendable("database", what, "they are removed", lambda: _remove_orphans(held))


def _complaints(held: Holdings, said: Sequence[str]) -> Findings:
    of_indexes = [line for line in said if _OF_AN_INDEX.search(line)]
    if of_indexes:
        yield mendable(
            "database",
            f"SQLite's own indexes are damaged: {some_of(of_indexes)}",
            "they are built again from their tables",
            lambda: _reindex(held),
        )
    others = [line for line in said if line not in of_indexes]
    if others:
        yield by_hand("database", f"SQLite says: {some_of(others)}", RESTORE)


def _reindex(held: Holdings) -> None:
    with held.database.alone() as session:
        session.execute(text("REINDEX"))


def _remove_orphans(held: Holdings) -> None:
    for _ in range(ROUNDS):
        with held.database.alone() as session:
            # removing one makes orphans of what points at it: those go in the next round
            session.execute(text("PRAGMA defer_foreign_keys=ON"))
            if not _remove_some(session):
                return


_ROW: ColumnElement[int] = literal_column("rowid", Integer)


def _remove_some(session: Session) -> bool:
    orphans = session.execute(text("PRAGMA foreign_key_check")).all()
    for table, number, parent, _ in orphans:
        if (table, parent) == ("chunk", "embedding"):  # the chunk is there, and lacks its vector
            session.execute(update(ChunkRow).where(number == _ROW).values(embedding_id=None))
        else:
            session.execute(delete(Row.metadata.tables[table]).where(number == _ROW))
    return bool(orphans)
