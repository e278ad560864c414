"""SQLite: one writer, which alone checkpoints, and readers that cannot write.

SQLite before 3.51.3 can corrupt a file in WAL mode when two connections write or checkpoint at
the same moment ("WAL-reset bug", March 2026); with one writer and one checkpointer it cannot
happen. `synchronous=FULL` makes an acknowledged commit survive a power cut.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from rag.errors import InvalidSettings
from rag.storage.durable import PRIVATE_FILE
from rag.storage.engines.looking import SqliteLook
from rag.storage.engines.options import OPTIONS, cause
from rag.storage.fencing import Fence

BUSY_TIMEOUT = 10_000  # milliseconds
READERS = 8  # connections kept open; more are opened under load and closed again

PRAGMAS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "busy_timeout": str(BUSY_TIMEOUT),
    "foreign_keys": "ON",
    "trusted_schema": "OFF",  # a damaged schema must not call functions
    "secure_delete": "ON",  # a deleted text is overwritten, not only unlinked
    "cell_size_check": "ON",  # notice damaged pages early
    "mmap_size": "0",  # an I/O error under a memory map kills the process
}
READER_PRAGMAS = {
    "query_only": "ON",
    "wal_autocheckpoint": "0",
    "cache_size": "-8000",  # kB: with SQLite's 2,000, rows of 76,000 chunks cost a sixth more CPU
}


class SqliteEngine:
    """Two engines over one file. Whoever writes is alone."""

    def __init__(self, url: URL) -> None:
        """
        Raises:
            InvalidSettings: no file is named, or it is something else than a database.
        """
        if not url.database:
            raise InvalidSettings("the database URL names no file; try sqlite:////path/library.db")
        path = Path(url.database)
        # SQLite gives its side files the permissions of this one
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE))
        self._writing = threading.Lock()
        self._writer = _engine(url, PRAGMAS, "BEGIN IMMEDIATE", connections=1)
        try:
            self._writer.connect().close()
        except SQLAlchemyError as error:
            raise InvalidSettings(f"{path} cannot be opened as a database: {cause(error)}") from (
                error
            )
        self._reader = _engine(url, PRAGMAS | READER_PRAGMAS, "BEGIN", connections=READERS)

    @contextmanager
    def read(self) -> Iterator[Session]:
        with Session(self._reader) as session:
            yield session

    @contextmanager
    def look(self) -> Iterator[SqliteLook]:
        """Like `read`, without what a session costs."""
        connection = self._reader.raw_connection()
        try:
            driver = cast(sqlite3.Connection, connection.driver_connection)  # what the driver made
            driver.execute("BEGIN")
            yield SqliteLook(driver, self._reader.dialect)
        except sqlite3.Error as error:
            raise OperationalError("a query", None, error) from error
        finally:
            connection.close()  # and rolls back

    @contextmanager
    def write(self, fence: Fence | None) -> Iterator[Session]:
        with self._writing, Session(self._writer) as session, session.begin():
            if fence is not None:
                fence.check(session)
            yield session

    alone = write

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        with self._writing, self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        self._reader.dispose()
        with self._writing:
            self._writer.dispose()


def _engine(url: URL, pragmas: dict[str, str], begin: str, *, connections: int) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=connections,
        pool_use_lifo=True,  # the one that was used last has in its cache what the next one needs
        max_overflow=0 if connections == 1 else 2 * connections,
        connect_args={"check_same_thread": False, "cached_statements": 256},
        **OPTIONS,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we begin transactions, not the driver
        for name, value in pragmas.items():
            connection.execute(f"PRAGMA {name}={value}")

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
