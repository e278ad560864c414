"""The database, whichever it is: sessions to read and to write, and no exception of its own.

On SQLite whoever writes is alone. On PostgreSQL several processes write at once, and what two of
them could do to each other is decided where it is written: see `locking`.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from rag.errors import InvalidSettings, OutOfSpace, RagError
from rag.storage.engines.looking import Look
from rag.storage.engines.options import cause, lacks_space
from rag.storage.engines.postgres import PostgresEngine
from rag.storage.engines.sqlite import SqliteEngine
from rag.storage.fencing import Fence, raise_fence

EXAMPLES = "sqlite:////path/library.db or postgresql://user@host/database"

ONLY_NODE = "owner"
"""The node of a library that one process owns."""


class _Engine(Protocol):
    """Transactions of one kind of database."""

    def read(self) -> AbstractContextManager[Session]: ...

    def look(self) -> AbstractContextManager[Look]: ...

    def write(self, fence: Fence | None) -> AbstractContextManager[Session]: ...

    def alone(self, fence: Fence | None) -> AbstractContextManager[Session]: ...

    def migrating(self) -> AbstractContextManager[Connection]: ...

    def close(self) -> None: ...


class Database:
    """Sessions, each one transaction: committed, and on disk, when its block ends; nothing
    happened when it raises. Safe to share among threads."""

    def __init__(self, url: str, *, node: str = ONLY_NODE) -> None:
        """
        Args:
            node: which of the processes that share a library this is; stays the same from one
                start to the next.

        Raises:
            InvalidSettings: no URL of a database, or it cannot be used.
        """
        self.url = url
        self.node = node
        self.is_shared = is_shared(url)
        self._fence: Fence | None = None
        self._is_closed = False
        self._writes = self._writing = 0
        self._counting = threading.Lock()
        self._engine = _engine(url)

    @property
    def writes(self) -> int | None:
        """Another number once something was written. None while something is, for others may see
        it before whoever writes it knows; and where other processes write too."""
        written = self._writes  # before looking whether somebody writes, who may end just then
        return None if self.is_shared or self._writing else written

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Sees one moment, and cannot write."""
        with self._sessions(self._engine.read()) as session:
            yield session

    @contextmanager
    def look(self) -> Iterator[Look]:
        """`read` for what every search asks: prepared queries alone, at a tenth of the cost."""
        self._require_open()
        with _translated(), self._engine.look() as look:
            yield look

    @contextmanager
    def write(self) -> Iterator[Session]:
        """May have others beside it: what they contend for is locked where it is written."""
        with self._counted(), self._sessions(self._engine.write(self._fence)) as session:
            yield session

    @contextmanager
    def alone(self) -> Iterator[Session]:
        """Nothing else writes meanwhile, in no process: for removing what others may be about to
        use. It waits for those that write, and they for it."""
        with self._counted(), self._sessions(self._engine.alone(self._fence)) as session:
            yield session

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """The one process that may change the schema now."""
        with _translated(), self._engine.migrating() as connection:
            yield connection

    @contextmanager
    def taking_over(self) -> Iterator[Session]:
        """Once this has committed, no process that opened the node before can write."""
        with self.alone() as session:
            fence = raise_fence(session, self.node)
            yield session
        self._fence = fence

    def close(self) -> None:
        self._is_closed = True
        self._engine.close()

    @contextmanager
    def _sessions(self, opened: AbstractContextManager[Session]) -> Iterator[Session]:
        self._require_open()
        with _translated(), opened as session:
            session.info["node"] = self.node
            yield session

    def _require_open(self) -> None:
        # an engine that was disposed of connects again by itself, and would write without a lock
        if self._is_closed:
            raise RagError("the library is closed")

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Also where it failed: nobody may know whether anything was written."""
        with self._counting:
            self._writing += 1
        try:
            yield
        finally:
            with self._counting:
                self._writes += 1
                self._writing -= 1


def node_of(session: Session) -> str:
    """The node whose session it is."""
    node: str = session.info["node"]
    return node


def is_shared(url: str) -> bool:
    """Whether several processes may open a library there at once.

    Raises:
        InvalidSettings: not the URL of a database that can hold a library.
    """
    return _parsed(url).get_backend_name() == "postgresql"


def _engine(url: str) -> _Engine:
    parsed = _parsed(url)
    return PostgresEngine(parsed) if is_shared(url) else SqliteEngine(parsed)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidSettings(f"the database URL is not one; try {EXAMPLES}") from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise InvalidSettings(
            f"a library is kept in SQLite or PostgreSQL, not in {parsed.get_backend_name()!r}; "
            f"try {EXAMPLES}"
        )
    return parsed


@contextmanager
def _translated() -> Iterator[None]:
    """No exception of the database's travels above storage."""
    try:
        yield
    except SQLAlchemyError as error:
        if lacks_space(error):
            raise OutOfSpace(
                "the disk of the library's database is full, and nothing was changed; make room"
            ) from error
        raise RagError(f"the library's database failed: {cause(error)}") from error
