"""PostgreSQL 15 and newer: several processes write at once.

Two kinds of transactions write. Most only add, or change what is theirs, and run together; what
they contend for they lock. Those that take away what others may be about to use (texts, vectors
and bytes are shared by their content) run alone. Both take one advisory lock before anything
else, so that no deadlock leads through it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from rag.errors import InvalidSettings
from rag.storage.engines.looking import PostgresLook
from rag.storage.engines.options import OPTIONS, cause
from rag.storage.engines.outcomes import was_committed
from rag.storage.fencing import Fence

CONNECTIONS = 8  # kept open; more are opened under load and closed again
MOST_CONNECTIONS = 24  # of PostgreSQL's 100 for all processes together

NETWORK = {  # seconds, but for the last: milliseconds
    "connect_timeout": 5,
    "keepalives_idle": 15,  # a server that is gone without a word is noticed within the minute
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
SETTINGS = {
    "application_name": "rag",
    "TimeZone": "UTC",
    "statement_timeout": "120s",  # the largest publication takes some 10 s
    "lock_timeout": "60s",  # a removal waits for the publications under way
    "idle_in_transaction_session_timeout": "60s",  # a stopped process must not hold its locks
    "synchronous_commit": "on",  # an acknowledged commit survives a power cut
}
NEEDED = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_write", "remote_apply"),
    "server_encoding": ("UTF8",),
}
OLDEST = 15

LOCKS = 0x726167
"""Class of our advisory locks: other programs may have theirs in the same database."""
WRITING, MIGRATING = 1, 2

_TOGETHER = text(f"SELECT pg_advisory_xact_lock_shared({LOCKS}, {WRITING})")
_ALONE = text(f"SELECT pg_advisory_xact_lock({LOCKS}, {WRITING})")
_TRANSACTION = text("SELECT CAST(pg_current_xact_id_if_assigned() AS text)")


class PostgresEngine:
    """One pool of connections; a reader's see one moment and cannot write."""

    def __init__(self, url: URL) -> None:
        """
        Raises:
            InvalidSettings: it cannot be reached, is too old, or would lose what it acknowledged.
        """
        try:
            self._engine = create_engine(
                url.set(drivername="postgresql+psycopg"),
                pool_size=CONNECTIONS,
                max_overflow=MOST_CONNECTIONS - CONNECTIONS,
                pool_pre_ping=True,  # the server may have been restarted since
                connect_args=NETWORK,
                **OPTIONS,
            )
        except ImportError as error:
            raise InvalidSettings(
                "PostgreSQL needs its driver; install rag with the extra [postgres]"
            ) from error
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "connect", _read_binary)
        self._reader = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        try:
            with self._reader.connect() as connection:
                _check_server(connection)
        except SQLAlchemyError as error:
            self._engine.dispose()
            raise InvalidSettings(f"PostgreSQL cannot be used: {cause(error)}") from error
        except InvalidSettings:
            self._engine.dispose()
            raise

    @contextmanager
    def read(self) -> Iterator[Session]:
        with Session(self._reader) as session:
            yield session

    @contextmanager
    def look(self) -> Iterator[PostgresLook]:
        """Like `read`, without what a session costs."""
        with self._reader.connect() as connection:
            yield PostgresLook(connection)

    @contextmanager
    def write(self, fence: Fence | None) -> Iterator[Session]:
        with self._transaction(_TOGETHER, fence) as session:
            yield session

    @contextmanager
    def alone(self, fence: Fence | None) -> Iterator[Session]:
        with self._transaction(_ALONE, fence) as session:
            yield session

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        # apart from the others, for SQLAlchemy reads the catalog as text
        with create_engine(self._engine.url, poolclass=NullPool).begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCKS}, {MIGRATING})"))
            yield connection

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _transaction(self, lock: Any, fence: Fence | None) -> Iterator[Session]:
        with Session(self._engine) as session:
            session.execute(lock)
            if fence is not None:
                fence.check(session)  # only now: whoever takes over is alone while it does
            yield session
            self._commit(session)

    def _commit(self, session: Session) -> None:
        """
        Raises:
            SQLAlchemyError: nothing was committed.
            RagError: nobody can tell whether it was.
        """
        session.flush()
        transaction = session.scalar(_TRANSACTION)
        try:
            session.commit()
        except DBAPIError as error:
            is_unheard_of = error.connection_invalidated and transaction is not None
            if not is_unheard_of or not was_committed(self._engine, transaction):
                raise


def _prepare(connection: Any, _: ConnectionPoolEntry) -> None:
    connection.autocommit = True
    for name, value in SETTINGS.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    connection.autocommit = False


def _read_binary(connection: Any, _: ConnectionPoolEntry) -> None:
    connection.cursor_factory = _binary_cursor


def _binary_cursor(connection: Any, **options: Any) -> Any:
    """Bytes come back as they are: as text, in hexadecimal, they took 2.5 times as long."""
    from psycopg import Cursor
    from psycopg.pq import Format

    cursor = Cursor(connection, **options)
    cursor.format = Format.BINARY
    return cursor


def _check_server(connection: Connection) -> None:
    """
    Raises:
        InvalidSettings: too old, or set so that it would lose what it acknowledged.
    """
    version = int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000
    if version < OLDEST:
        raise InvalidSettings(f"this is PostgreSQL {version}; a library needs {OLDEST} or newer")
    for name, good in NEEDED.items():
        value = connection.scalar(text(f"SHOW {name}"))
        if value not in good:
            raise InvalidSettings(
                f"PostgreSQL runs with {name} = {value}, and a library needs {good[0]}: with less "
                "it could lose what it acknowledged"
            )
