"""Connections to PostgreSQL that are cut at any byte, and a server stopped under load: what was
acknowledged is there once, and what failed is there wholly or not at all."""

import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from rag.errors import RagError
from rag.storage.engines import postgres
from rag.storage.library import Library
from tests.storage.shelves import DIMENSION, Shelf

pytestmark = pytest.mark.postgres

CUTS = 12
SOON = 60_000  # bytes, those of some publications, after which a connection is cut
COMMITTING = 40  # bytes of a COMMIT and of its reply
SEED = 5


class ByteCutter:
    """Stands before PostgreSQL, and cuts all connections when so many bytes have passed."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self._server = (parsed.host, parsed.port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = parsed.set(port=self._listening.getsockname()[1]).render_as_string(False)
        self._lock = threading.Lock()
        self._left: int | None = None
        self._left_of_commit: int | None = None
        self._open: list[socket.socket] = []
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, size: int, *, of_commit: bool = False) -> None:
        """Bytes of both directions together, from now or from the next COMMIT on."""
        with self._lock:
            self._left = None if of_commit else size
            self._left_of_commit = size if of_commit else None

    def close(self) -> None:
        self._listening.close()
        self._cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._server)
                with self._lock:
                    self._open += [client, server]
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while sent := one.recv(1 << 16):
                passes, is_last = self._passing(sent)
                other.sendall(sent[:passes])
                if is_last:
                    self._cut()
                    return
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _passing(self, sent: bytes) -> tuple[int, bool]:
        """How many bytes may pass, and whether they are the last."""
        with self._lock:
            if self._left_of_commit is not None and b"COMMIT\0" in sent:
                self._left, self._left_of_commit = self._left_of_commit, None
            if self._left is None:
                return len(sent), False
            passes = min(len(sent), self._left)
            self._left -= passes
            if passes < len(sent) or not self._left:
                self._left = 0
            else:
                return passes, False
            self._left = None
            self.cuts += 1
            return passes, True

    def _cut(self) -> None:
        with self._lock:
            closing, self._open = self._open, []
        for each in closing:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@contextmanager
def _cutter(url: str) -> Iterator[ByteCutter]:
    cutter = ByteCutter(url)
    try:
        yield cutter
    finally:
        cutter.close()


def published_through_cuts(tmp_path: Path, url: str) -> tuple[set[str], set[str], list[str], int]:
    """Keys that were acknowledged, those that failed, those found in the end, and the cuts."""
    chance = random.Random(SEED)
    kept, failed = set(), set()
    with _cutter(url) as cutter:
        with Library.open(tmp_path / "library", database_url=cutter.url) as library:
            library.collections.create(
                "notes", embedding_model="words", dimension=DIMENSION, chunk_tokens=256
            )
            shelf = Shelf(library, library.collections.find("notes"))
            while cutter.cuts < CUTS:
                key = f"d{len(kept) + len(failed)}"
                content = f"words of {key}\nwords again of {key}"
                try:
                    library.originals.put(content.encode())  # first: it has a COMMIT of its own
                except RagError:
                    continue  # the last one's cut came late
                if chance.random() < 0.5:
                    cutter.cut_after(chance.randrange(COMMITTING), of_commit=True)
                else:
                    cutter.cut_after(chance.randrange(SOON))
                try:
                    shelf.put(key, content)
                except RagError:
                    failed.add(key)
                else:
                    kept.add(key)
        cuts = cutter.cuts
    with Library.open(tmp_path / "other", database_url=url) as library:
        shelf = Shelf(library, library.collections.find("notes"))
        hits = shelf.hits("words", k=10_000, modes="words")
        flaws = library.checkup.run().flaws
    assert {flaw.part for flaw in flaws} <= {"originals"}, "but for bytes put and never published"
    return kept, failed, [hit.key for hit in hits], cuts


def test_whatever_byte_a_connection_is_cut_at_nothing_is_lost_or_doubled(
    tmp_path: Path, postgres_url: str
) -> None:
    kept, failed, found, cuts = published_through_cuts(tmp_path, postgres_url)
    times = Counter(found)

    assert cuts >= CUTS
    assert kept <= times.keys() <= kept | failed
    assert set(times.values()) == {2}


def test_who_takes_an_unknown_outcome_for_success_is_found_out(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def commit_and_hope(self, session) -> None:
        with suppress(DBAPIError):
            session.commit()

    monkeypatch.setattr(postgres.PostgresEngine, "_commit", commit_and_hope)
    kept, _, found, _ = published_through_cuts(tmp_path, postgres_url)

    assert kept - set(found)
