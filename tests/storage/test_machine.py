"""A library against a dict: whatever happens in whatever order, both hold the same.

`MACHINE=2000 pytest tests/storage/test_machine.py` runs that many stories instead of a few.
"""

import itertools
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from rag.ranking.filters import Eq
from rag.storage import dense_leg, derived, word_leg
from rag.storage.dense.index import DenseIndex
from rag.storage.library import Library
from tests.storage.shelves import DIMENSION, Shelf

STORIES = int(os.environ.get("MACHINE", "5"))
STEPS = 20

KEYS = st.sampled_from([f"key{n}" for n in range(6)])
WORDS = ("red", "green", "blue")
TEXT = st.lists(st.sampled_from([*WORDS, "red green", "blue blue"]), min_size=1, max_size=5)
GROUP = st.integers(0, 2)
EVERYTHING = 1_000

Line = tuple[str, str]
"""Key and text of a chunk."""

_numbers = itertools.count()


class Machine(RuleBasedStateMachine):
    """Chunks are lines; each document has a group to filter by."""

    reopened: Callable[[], Shelf]
    data_dir: Path

    @initialize()
    def begin(self) -> None:
        self.name = f"machine{next(_numbers)}"
        self.documents: dict[str, tuple[list[str], int]] = {}
        self.shelf = self._opened()

    @rule(key=KEYS, lines=TEXT, group=GROUP)
    def put(self, key: str, lines: list[str], group: int) -> None:
        self.shelf.put(key, "\n".join(lines), group=group)
        self.documents[key] = (lines, group)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        found = self.shelf.library.documents.find_by_key(self.shelf.collection, key)
        assert (found is not None) == (key in self.documents)
        if found is not None:
            self.shelf.library.documents.delete(found.id)
            del self.documents[key]

    @rule()
    def keep_up(self) -> None:
        for indexes in self.shelf.library._indexes.now():
            indexes.keep_up()

    @rule()
    def restart(self) -> None:
        self.shelf = self._opened()

    @rule()
    def crash(self) -> None:
        die(self.shelf.library)
        self.shelf = self._opened()

    @rule(seed=st.integers(0, 2**32 - 1), is_removed=st.booleans())
    def damage(self, seed: int, is_removed: bool) -> None:
        """A file of an index changes while nobody runs."""
        die(self.shelf.library)
        files = sorted(path for path in self.data_dir.glob("indexes/**/*") if path.is_file())
        if files:
            harm(random.Random(seed).choice(files), seed, is_removed=is_removed)
        self.shelf = self._opened()

    @rule()
    def lose_indexes(self) -> None:
        die(self.shelf.library)
        shutil.rmtree(self.data_dir / "indexes", ignore_errors=True)
        self.shelf = self._opened()

    @invariant()
    def by_meaning_all_are_found_once(self) -> None:
        assert self._found("red", modes="dense") == self._lines()

    @rule(word=st.sampled_from(WORDS))
    def search_words(self, word: str) -> None:
        found = self.shelf.library.chunks.search(
            self.shelf.collection, word, None, k=EVERYTHING, modes=frozenset({"words"})
        )
        if not found.missing:
            lines = sorted((hit.key, hit.text) for hit in found.hits)
            assert lines == [line for line in self._lines() if word in line[1].split()]

    @rule(group=GROUP)
    def search_filtered(self, group: int) -> None:
        expected = [line for line in self._lines() if self.documents[line[0]][1] == group]
        assert self._found("green", modes="dense", filter=Eq("group", group)) == expected

    @rule()
    def count(self) -> None:
        collection = self.shelf.library.collections.find(self.name)
        assert (collection.documents, collection.chunks) == (
            len(self.documents),
            len(self._lines()),
        )

    def teardown(self) -> None:
        if hasattr(self, "shelf"):
            self.shelf.library.collections.delete(self.shelf.collection.id)
            self.shelf.library.close()

    def _opened(self) -> Shelf:
        library = type(self).reopened().library
        if self.name not in [each.name for each in library.collections.list(limit=100).data]:
            library.collections.create(
                self.name, embedding_model="words", dimension=DIMENSION, chunk_tokens=256
            )
        return Shelf(library, library.collections.find(self.name))

    def _lines(self) -> list[Line]:
        return sorted((key, line) for key, (lines, _) in self.documents.items() for line in lines)

    def _found(self, question: str, **options: object) -> list[Line]:
        hits = self.shelf.hits(question, k=EVERYTHING, **options)
        return sorted((hit.key, hit.text) for hit in hits)


def die(library: Library) -> None:
    """As a process dies: nothing is saved, and the locks fall."""
    library._upkeep.close()
    for indexes in library._indexes.now():
        indexes.words._index._disk._writer = None
    library._is_closed = True
    library._database.close()
    library._ownership.release()


def harm(path: Path, seed: int, *, is_removed: bool) -> None:
    content = bytearray(path.read_bytes())
    if is_removed or not content:
        path.unlink()
    else:
        content[seed % len(content)] ^= 1 << (seed % 8)
        path.write_bytes(content)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that happens at thousands of rows happens at a few."""
    monkeypatch.setitem(DenseIndex.due.__kwdefaults__, "at_least", 4)
    monkeypatch.setattr(dense_leg, "FLUSH", 4)
    monkeypatch.setattr(dense_leg, "AT_ONCE", 12)
    monkeypatch.setattr(word_leg, "UNSAVED", 6)
    monkeypatch.setattr(derived, "A_FEW", 8)
    monkeypatch.setattr("rag.storage.upkeep.CALM", 0.01)


def test_a_library_is_a_dict(open_shelf, data_dir: Path, small: None) -> None:
    story = type("Story", (Machine,), {"reopened": staticmethod(open_shelf), "data_dir": data_dir})
    run_machine(
        story,
        settings=settings(
            max_examples=STORIES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
