"""A writer that was stopped in the middle, and goes on when its library is another's: it can write
no more, and nothing that it acknowledged before is lost."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from rag.errors import LibraryInUse, RagError
from rag.storage import ownership
from rag.storage.engines import sqlite
from rag.storage.lexical.damage import WordsDamaged
from rag.storage.library import Library
from tests.storage.shelves import DIMENSION, Shelf, only_postgres, only_sqlite

HELD_UP = 30.0  # seconds; the server ends the paused one's transaction after one


class Writer:
    """A child that publishes without end."""

    def __init__(self, folder: Path, url: str | None, prefix: str, *more: str) -> None:
        module = "scripts.chaos.paused_writer"
        self._child = subprocess.Popen(
            [sys.executable, "-m", module, str(folder), url or "-", prefix, *more],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._child.pid
        self.acknowledged: list[str] = []
        self.said: list[str] = []

    def hear(self, *, at_least: int) -> None:
        """Until it has acknowledged so many, or ends."""
        assert self._child.stdout is not None
        while len(self.acknowledged) < at_least:
            line = self._child.stdout.readline()
            if not line:
                return
            self.said.append(line.split()[0])
            if self.said[-1] == "kept":
                self.acknowledged.append(line.split()[1])

    def stop(self) -> None:
        self._child.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._child.send_signal(signal.SIGCONT)

    def end(self) -> None:
        self._child.kill()
        self._child.wait()
        if self._child.stdout is not None:
            self._child.stdout.close()


@contextmanager
def writer(*arguments: object) -> Iterator[Writer]:
    one = Writer(*arguments)
    try:
        yield one
    finally:
        one.end()


@pytest.fixture
def folder(tmp_path: Path, database_url: str | None) -> Path:
    data_dir = tmp_path / "data"
    with Library.open(data_dir, database_url=database_url) as library:
        library.collections.create(
            "notes", embedding_model="words", dimension=DIMENSION, chunk_tokens=256
        )
    return data_dir


def keys_of(library: Library) -> set[str]:
    return set(library.documents.versions_by_key(library.collections.find("notes")))


def found(library: Library) -> list[str]:
    shelf = Shelf(library, library.collections.find("notes"))
    return sorted(hit.key for hit in shelf.hits("words", k=10_000, modes="words"))


def test_a_paused_owner_keeps_its_library(folder: Path, database_url: str | None) -> None:
    with writer(folder, database_url, "a") as paused:
        paused.hear(at_least=3)
        paused.stop()
        with pytest.raises(LibraryInUse, match=f"process {paused.pid}"):
            Library.open(folder, database_url=database_url)
        paused.go_on()
        paused.hear(at_least=6)
        paused.end()

        with Library.open(folder, database_url=database_url) as library:
            assert set(paused.acknowledged) <= keys_of(library)
            assert "failed" not in paused.said


def taken_over_while_paused(
    folder: Path, url: str | None, monkeypatch: pytest.MonkeyPatch, *traits: str
) -> tuple[Writer, set[str], set[str]]:
    """The writer, what was there when it went on, and what is there in the end."""
    monkeypatch.setattr(ownership, "_locked", lambda *_: True)
    monkeypatch.setitem(sqlite.PRAGMAS, "busy_timeout", "100")
    with writer(folder, url, "a", "lying", *traits) as paused:
        library = None
        while library is None:
            paused.hear(at_least=len(paused.acknowledged) + 3)
            paused.stop()
            try:
                library = Library.open(folder, database_url=url)
            except RagError:  # it was stopped in a transaction of SQLite's, and has that alone
                paused.go_on()
        before = keys_of(library)
        paused.go_on()
        paused.hear(at_least=len(paused.acknowledged) + 3)
        paused.end()  # where it has not ended
        after = keys_of(library)
        assert found(library) == sorted(after)
        with suppress(WordsDamaged, RagError):  # two wrote into one folder of words meanwhile
            library.close()
    return paused, before, after


def test_who_lost_its_library_while_it_was_paused_writes_no_more(
    folder: Path, database_url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused, before, after = taken_over_while_paused(folder, database_url, monkeypatch)

    assert paused.said[-1] == "fenced"
    assert set(paused.acknowledged) <= before == after


@only_sqlite
def test_without_a_fence_it_would_go_on_writing(
    folder: Path, database_url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused, before, after = taken_over_while_paused(folder, database_url, monkeypatch, "unfenced")

    assert "fenced" not in paused.said
    assert before < after


@only_postgres
@pytest.mark.parametrize("seed", range(2))
def test_a_node_that_is_paused_holds_nobody_up_for_long_and_loses_nothing(
    folder: Path, database_url: str | None, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    with (
        writer(folder, database_url, "a") as paused,
        Library.open(tmp_path / "other", database_url=database_url) as library,
    ):
        shelf = Shelf(library, library.collections.find("notes"))
        for number in range(4):
            paused.hear(at_least=len(paused.acknowledged) + 2)
            time.sleep(chance.uniform(0, 0.02))
            paused.stop()
            began = time.monotonic()
            shelf.put(f"b{number}", f"words of b{number}")
            assert time.monotonic() - began < HELD_UP
            assert f"words of b{number}" in shelf.texts(f"b{number}", modes="words", k=1_000)
            paused.go_on()
        paused.hear(at_least=len(paused.acknowledged) + 2)
        paused.end()

        expected = {*paused.acknowledged, *(f"b{number}" for number in range(4))}
        assert expected <= keys_of(library)
        assert found(library) == sorted(keys_of(library))
