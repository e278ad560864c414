"""A PostgreSQL that fails, or is set so that it would, loses nothing and is told the truth of."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cutting_proxy import CuttingProxy, cutting_proxy
from sqlalchemy import text

from rag.errors import InvalidSettings, RagError
from rag.storage.database import Database
from rag.storage.engines import outcomes, postgres
from rag.storage.library import Library
from tests.postgres import Server
from tests.storage.shelves import DIMENSION, Shelf

pytestmark = pytest.mark.postgres

RECOVERY = 10.0  # seconds within which everything works again after a restart of the server


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[CuttingProxy]:
    with cutting_proxy(postgres_url) as proxy:
        yield proxy


@contextmanager
def opened(folder: Path, url: str) -> Iterator[Shelf]:
    with Library.open(folder, database_url=url) as library:
        library.collections.create(
            "notes", embedding_model="words", dimension=DIMENSION, chunk_tokens=256
        )
        yield Shelf(library, library.collections.find("notes"))


@pytest.fixture
def shelf(tmp_path: Path, postgres_url: str) -> Iterator[Shelf]:
    with opened(tmp_path / "library", postgres_url) as shelf:
        yield shelf


@pytest.fixture
def far_shelf(tmp_path: Path, proxy: CuttingProxy) -> Iterator[Shelf]:
    """One whose connections can be cut."""
    with opened(tmp_path / "library", proxy.url) as shelf:
        yield shelf


def test_a_commit_that_was_done_but_not_answered_succeeds(far_shelf, proxy: CuttingProxy) -> None:
    far_shelf.library.originals.put(b"some words")
    proxy.cut = "after"
    summary = far_shelf.put("a", "some words")

    assert proxy.cut is None
    assert far_shelf.library.documents.find(summary.id) == summary
    assert far_shelf.texts("words") == {"some words"}


def test_a_commit_that_never_arrived_fails_and_nothing_is_there(
    far_shelf, proxy: CuttingProxy
) -> None:
    far_shelf.library.originals.put(b"some words")
    proxy.cut = "before"
    with pytest.raises(RagError, match="database failed"):
        far_shelf.put("a", "some words")

    assert proxy.cut is None
    assert far_shelf.hits("words") == []
    far_shelf.put("a", "some words")
    assert far_shelf.texts("words") == {"some words"}


def test_when_the_server_cannot_say_the_outcome_is_called_unknown(
    far_shelf, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "PATIENCE", 0.0)
    proxy.cut = "after"
    with pytest.raises(RagError, match="look before you repeat"):
        far_shelf.library.collections.create(
            "other", embedding_model=None, dimension=None, chunk_tokens=256
        )

    assert far_shelf.library.collections.find("other").documents == 0


def test_connections_that_were_dropped_are_replaced(shelf, postgres_url: str) -> None:
    shelf.put("a", "some words")
    killer = Database(postgres_url)
    with killer.read() as session:
        ended = session.scalars(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        ).all()
    killer.close()

    assert len(ended) >= 1
    assert shelf.texts("words") == {"some words"}
    shelf.put("b", "more words")
    assert shelf.texts("words") == {"some words", "more words"}


def test_after_a_crash_of_the_server_all_that_was_acknowledged_is_there(
    shelf, postgres_server: Server
) -> None:
    acknowledged: set[str] = set()
    stopped = threading.Event()

    def put_without_end() -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            try:
                shelf.put(f"{number}", f"words number{number}")
            except RagError:
                time.sleep(0.01)
            else:
                acknowledged.add(f"{number}")

    writer = threading.Thread(target=put_without_end)
    writer.start()
    while len(acknowledged) < 10:
        time.sleep(0.01)
    postgres_server.crash_and_restart()
    up, before = time.monotonic(), len(acknowledged)
    while len(acknowledged) == before:
        assert time.monotonic() < up + RECOVERY
        time.sleep(0.01)
    stopped.set()
    writer.join()

    documents = shelf.library.documents.versions_by_key(shelf.collection)
    assert acknowledged <= documents.keys()
    hits = shelf.hits("words", k=len(documents) + 10, modes="words")
    assert sorted(hit.key for hit in hits) == sorted(documents)


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
def test_a_server_that_could_lose_what_it_acknowledged_is_refused(
    postgres_url: str, tmp_path: Path, name: str
) -> None:
    def set_to(value: str) -> None:
        database = Database(postgres_url)
        with database._engine._engine.connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text(f"ALTER SYSTEM SET {name} = {value}"))
            connection.execute(text("SELECT pg_reload_conf()"))
            while connection.scalar(text(f"SHOW {name}")) != value:
                time.sleep(0.01)
        database.close()

    set_to("off")
    try:
        with pytest.raises(InvalidSettings, match=f"{name} = off"):
            Library.open(tmp_path, database_url=postgres_url)
    finally:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(postgres.NEEDED, name, ("on", "off"))
            set_to("on")
    Library.open(tmp_path, database_url=postgres_url).close()


def test_a_server_that_is_too_old_is_refused(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "OLDEST", 99)
    with pytest.raises(InvalidSettings, match="needs 99 or newer"):
        Database(postgres_url)


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    with pytest.raises(InvalidSettings, match="cannot be used") as refused:
        Database("postgresql://someone:secret@127.0.0.1:1/library")

    assert "secret" not in str(refused.value)


def test_every_connection_has_its_limits(shelf) -> None:
    database = shelf.library._database
    for session_of, more in (
        (
            database.read,
            {"transaction_isolation": "repeatable read", "transaction_read_only": "on"},
        ),
        (database.write, {"transaction_isolation": "read committed"}),
    ):
        with session_of() as session:
            shown = {name: session.scalar(text(f"SHOW {name}")) for name in more}
            settings = {name: session.scalar(text(f"SHOW {name}")) for name in postgres.SETTINGS}
        assert shown == more
        assert settings["synchronous_commit"] == "on"
        assert "0" not in settings.values()


def test_a_reader_cannot_write(shelf) -> None:
    with pytest.raises(RagError, match="read-only"), shelf.library._database.read() as session:
        session.execute(text("DELETE FROM meta"))


def test_a_removal_waits_for_those_that_write_and_they_for_it(shelf) -> None:
    database = shelf.library._database
    order: list[str] = []
    inside, goes_on = threading.Event(), threading.Event()

    def write() -> None:
        with database.write():
            inside.set()
            assert goes_on.wait(20)
            order.append("writer")

    def alone() -> None:
        with database.alone():
            order.append("alone")

    writer = threading.Thread(target=write)
    writer.start()
    assert inside.wait(20)
    with database.write():  # beside the other
        pass
    remover = threading.Thread(target=alone)
    remover.start()
    remover.join(0.3)
    assert order == []
    goes_on.set()
    writer.join()
    remover.join()

    assert order == ["writer", "alone"]
