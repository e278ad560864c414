"""Fixtures for every test, and the walls around them."""

import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, text

from rag.storage.migrating import migrate
from tests.postgres import Absent, Server, running_server

settings.register_profile("unhurried", deadline=None)  # a busy machine is not a failed property
settings.load_profile("unhurried")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sqlite: runs on SQLite")
    config.addinivalue_line("markers", "postgres: runs on a PostgreSQL that the tests start")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Reaching for anything but this machine is an error, not a slow test."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0]
            assert host in {"127.0.0.1", "::1", "localhost"}, f"a test tried to reach {host}"
        connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


# --- two databases ---

BACKENDS = [pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("sqlite", "postgres")]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """A test that asks for it, or for what follows from it, runs on both databases; with
    `-m sqlite` or `-m postgres`, on one."""
    name: str = request.param
    return name


@pytest.fixture
def database_url(backend: str, request: pytest.FixtureRequest) -> str | None:
    """Of a library with nothing in it; None for SQLite in the library's own folder."""
    if backend == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Of our own, started when the first test asks for it."""
    try:
        with running_server() as server:
            yield server
    except Absent as absent:
        pytest.fail(str(absent))


@pytest.fixture(scope="session")
def migrated_database(postgres_server: Server) -> str:
    """Name of a database with all its tables and nothing in them; others are copies of it."""
    _at_server(postgres_server, "CREATE DATABASE migrated")
    migrate(_database(postgres_server, "migrated"))
    return "migrated"


@pytest.fixture
def postgres_url(postgres_server: Server, migrated_database: str) -> Iterator[str]:
    """Of an empty library on PostgreSQL."""
    with _new_database(postgres_server, f"TEMPLATE {migrated_database}") as url:
        yield url


@pytest.fixture
def bare_postgres_url(postgres_server: Server) -> Iterator[str]:
    """Of a database without any tables."""
    with _new_database(postgres_server, "") as url:
        yield url


_numbers = itertools.count(1)


@contextmanager
def _new_database(server: Server, like: str) -> Iterator[str]:
    name = f"library_{next(_numbers)}"
    _at_server(server, f"CREATE DATABASE {name} {like}")
    yield _database(server, name)
    _at_server(server, f"DROP DATABASE {name} WITH (FORCE)")


def _database(server: Server, name: str) -> str:
    return server.url.rpartition("/")[0] + f"/{name}"


def _at_server(server: Server, statement: str) -> None:
    url = server.url.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
