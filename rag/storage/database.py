"""Connections. SQLite gets one writer, which alone checkpoints, and readers that cannot write.

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
from typing import Any

import msgspec
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from rag.errors import InvalidSettings, RagError
from rag.storage.durable import PRIVATE_FILE

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
READER_PRAGMAS = {"query_only": "ON", "wal_autocheckpoint": "0"}


class Database:
    """Sessions of two kinds, each one transaction: `read` sees one moment, `write` is alone."""

    def __init__(self, url: str) -> None:
        """
        Raises:
            InvalidSettings: not the URL of a SQLite file, or the file is something else.
        """
        self.url = url
        path = sqlite_file(url)
        # SQLite gives its side files the permissions of this one
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE))
        self._writing = threading.Lock()
        self._is_closed = False
        self._writer = _engine(url, PRAGMAS, "BEGIN IMMEDIATE", connections=1)
        try:
            self._writer.connect().close()
        except SQLAlchemyError as error:
            raise InvalidSettings(f"{path} cannot be opened as a database: {_cause(error)}") from (
                error
            )
        self._reader = _engine(url, PRAGMAS | READER_PRAGMAS, "BEGIN", connections=READERS)

    @contextmanager
    def read(self) -> Iterator[Session]:
        self._require_open()
        with _translated(), Session(self._reader) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Committed, and on disk, when the block ends; nothing happened when it raises."""
        self._require_open()
        with self._writing, _translated(), Session(self._writer) as session, session.begin():
            yield session

    @property
    def writer(self) -> Engine:
        """For migrations, which open their own transaction."""
        return self._writer

    def close(self) -> None:
        self._is_closed = True
        self._reader.dispose()
        with self._writing:
            self._writer.dispose()

    def _require_open(self) -> None:
        # an engine that was disposed of connects again by itself, and would write without a lock
        if self._is_closed:
            raise RagError("the library is closed")


def sqlite_file(url: str) -> Path:
    """
    Raises:
        InvalidSettings: not the URL of a SQLite file.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidSettings("the database URL is not one; try sqlite:////path/library.db") from (
            error
        )
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise InvalidSettings(
            f"a library is kept in a SQLite file so far, not in {parsed.get_backend_name()!r}; "
            "use sqlite:////path/library.db"
        )
    return Path(parsed.database)


def _engine(url: str, pragmas: dict[str, str], begin: str, *, connections: int) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0 if connections == 1 else 2 * connections,
        connect_args={"check_same_thread": False, "cached_statements": 256},
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        json_deserializer=msgspec.json.decode,
        hide_parameters=True,  # parameters are document text, and errors are logged
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


@contextmanager
def _translated() -> Iterator[None]:
    """No exception of the database's travels above storage."""
    try:
        yield
    except SQLAlchemyError as error:
        raise RagError(f"the library's database failed: {_cause(error)}") from error


def _cause(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or type(error).__name__)
