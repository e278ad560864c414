"""A PostgreSQL that stops at once while documents are published and questions asked: who uses it
goes on without being started again, and what was acknowledged is there once."""

import random
import threading
import time
from collections import Counter
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from rag.errors import RagError
from rag.storage.engines import postgres
from rag.storage.library import Library
from tests.chaos.sizes import times
from tests.postgres import Server
from tests.storage.shelves import DIMENSION, Shelf

pytestmark = pytest.mark.postgres

SEED = 3
STOPS = times(3)
MOMENT = 0.4  # seconds at most, in which the publisher is somewhere in some tens of publications
SOON = 30.0  # seconds in which a publication is acknowledged after the server is back


class Publisher:
    """Publishes documents of two chunks, one after another, until it is stopped."""

    def __init__(self, shelf: Shelf) -> None:
        self.kept: set[str] = set()
        self.failed: set[str] = set()
        self.strange: list[Exception] = []
        self._shelf = shelf
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def wait_for_one_more(self) -> None:
        before, until = len(self.kept), time.monotonic() + SOON
        while len(self.kept) == before:
            assert time.monotonic() < until, "nothing was published after the server was back"
            time.sleep(0.01)

    def _run(self) -> None:
        number = 0
        while not self._stopping.is_set():
            key, number = f"d{number}", number + 1
            try:
                self._shelf.put(key, f"words of {key}\nwords again of {key}")
                self.kept.add(key)
            except RagError:
                self.failed.add(key)
            except Exception as error:
                self.strange.append(error)


class Asker(threading.Thread):
    """Looks for the first document, which is there all the time."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__()
        self.found = self.refused = 0
        self.wrong: list[object] = []
        self._shelf = shelf
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()
        self.join()

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                hits = self._shelf.hits("standing evergreen", k=2, modes="words")
            except RagError:
                self.refused += 1
            except Exception as error:
                self.wrong.append(error)
            else:
                self.found += 1
                if [hit.key for hit in hits] != ["evergreen"]:
                    self.wrong.append(hits)


def published_through_stops(
    tmp_path: Path, server: Server, url: str
) -> tuple[Publisher, Asker, list[str]]:
    """And the keys found in the end, once for each chunk."""
    chance = random.Random(SEED)
    with Library.open(tmp_path / "library", database_url=url) as library:
        library.collections.create(
            "notes", embedding_model="words", dimension=DIMENSION, chunk_tokens=256
        )
        shelf = Shelf(library, library.collections.find("notes"))
        shelf.put("evergreen", "standing evergreen")
        publisher, asker = Publisher(shelf), Asker(shelf)
        asker.start()
        try:
            for _ in range(STOPS):
                publisher.wait_for_one_more()
                time.sleep(chance.uniform(0, MOMENT))
                server.crash_and_restart()
            publisher.wait_for_one_more()
        finally:
            asker.stop()
            publisher.stop()
    with Library.open(tmp_path / "other", database_url=url) as library:
        hits = Shelf(library, library.collections.find("notes")).hits(
            "words", k=100_000, modes="words"
        )
        flaws = library.checkup.run().flaws
    assert {flaw.part for flaw in flaws} <= {"originals"}, "but for bytes put and never published"
    return publisher, asker, [hit.key for hit in hits]


def test_a_server_that_stops_under_load_loses_and_doubles_nothing(
    tmp_path: Path, postgres_server: Server, postgres_url: str
) -> None:
    publisher, asker, found = published_through_stops(tmp_path, postgres_server, postgres_url)
    chunks = Counter(found)

    assert publisher.strange == [], "a failure is said in our own words"
    assert asker.wrong == [], "an answer is right, or there is none"
    assert asker.found
    assert publisher.failed, "it was stopped in the middle of something"
    assert publisher.kept <= chunks.keys() <= publisher.kept | publisher.failed
    assert set(chunks.values()) == {2}


@pytest.mark.parametrize("hopes", [False, True], ids=["as it is", "planted"])
def test_a_commit_the_server_never_saw_is_not_acknowledged(
    tmp_path: Path,
    postgres_server: Server,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    hopes: bool,
) -> None:
    commit = postgres.PostgresEngine._commit

    def stop_and_commit(self, session) -> None:
        monkeypatch.setattr(postgres.PostgresEngine, "_commit", commit)
        postgres_server.crash_and_restart()
        with suppress(DBAPIError) if hopes else nullcontext():
            commit(self, session)

    with Library.open(tmp_path / "library", database_url=postgres_url) as library:
        library.collections.create(
            "notes", embedding_model="words", dimension=DIMENSION, chunk_tokens=256
        )
        shelf = Shelf(library, library.collections.find("notes"))
        library.originals.put(b"words")
        monkeypatch.setattr(postgres.PostgresEngine, "_commit", stop_and_commit)
        acknowledged = False
        with suppress(RagError):
            shelf.put("d", "words")
            acknowledged = True
    with Library.open(tmp_path / "other", database_url=postgres_url) as library:
        found = Shelf(library, library.collections.find("notes")).hits("words", modes="words")

    lost = acknowledged and not found
    assert lost == hopes, "only the planted mistake acknowledges what is not there"
