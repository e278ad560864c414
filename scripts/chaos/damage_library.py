"""A library whose derived files are damaged: what it answers, what it says, and what it does.

Answers are compared with an exact search over the texts; until an index is built again the database
has to stand in for it, and health has to say so.
"""

import logging
import random
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
from msgspec import Struct

from rag.errors import RagError
from rag.storage import dense_leg, derived, upkeep
from rag.storage.dense.index import DenseIndex
from rag.storage.derived import IndexKind
from rag.storage.library import Library
from scripts.chaos.damage_kinds import KINDS
from tests.storage.shelves import DIMENSION, Shelf, vectors_of

COLORS = ("red", "green", "blue", "white", "black")
THINGS = ("whale", "krill", "ice", "ship", "rope", "sail")
DOCUMENTS = 30
K = 10
EVERYTHING = 1_000
HALF = 2e-3  # cosines of half-precision rows are as near as this to exact ones

IN_USE = ("flip_a_bit", "scramble", "zero_a_page", "remove", "remove_the_folder")
"""Kinds that happen to a library in use as well. Cutting a mapped file short is not among them: the
kernel ends a process that reads behind the end of one."""


class Outcome(Struct, frozen=True):
    """What became of one damage."""

    leg: IndexKind
    kind: str
    in_use: bool
    noticed: bool
    """It was said that an index is built again."""
    wrong: tuple[str, ...]
    """Promises not kept."""


def damage_library(work: Path, rounds: int, seed: int, url: str | None = None) -> Iterator[Outcome]:
    """One damage after another to the same library, which mends itself in between."""
    chance = random.Random(seed)
    legs: tuple[IndexKind, ...] = ("dense", "words")
    with _small_and_calm():
        case = Case(work, url, chance)
        for number in range(rounds):
            in_use = number % 4 == 3
            kinds = IN_USE if in_use else tuple(KINDS)
            yield case.harmed(legs[number % 2], kinds[number // 4 % len(kinds)], in_use=in_use)
        case.library.close()


class Case:
    """Two collections, some rows of which were deleted, and what one of them must answer."""

    def __init__(self, work: Path, url: str | None, chance: random.Random) -> None:
        self._folder = work / "library"
        self._url = url
        self._chance = chance
        self._lines: dict[str, list[str]] = {}
        self._open()
        for name in ("notes", "others"):
            self.library.collections.create(
                name, embedding_model="words", dimension=DIMENSION, chunk_tokens=256
            )
            self._fill(Shelf(self.library, self.library.collections.find(name)))
        self._mine = self._shelf.collection.id
        self._close()
        shutil.copytree(self._folder / "indexes", work / "former")
        self._former = work / "former"
        self._open()

    def harmed(self, leg: IndexKind, kind: str, *, in_use: bool) -> Outcome:
        """Damages a generation, and looks at what follows until all is well."""
        self._change()
        if not in_use:
            self._close()
        with _rebuilding_heard() as heard:
            self._harm(leg, kind)
            if not in_use:
                self._open()
            # what changes in a mapped word index is found out by tantivy, or else by the scrub
            is_unseen = in_use and leg == "words"
            wrong = [] if is_unseen else [f"before: {each}" for each in self._look()]
            building = self._being_built()
            wrong += [f"health says nothing of {each}" for each in sorted(heard - building)]
            if in_use:
                self.library.checkup.run(repair=True)
            self._keep_up()
            wrong += [f"after: {each}" for each in (*self._look(), *self._unmended())]
        return Outcome(leg, kind, in_use, leg in heard | building, tuple(wrong))

    # --- what is done to it ---

    def _open(self) -> None:
        self.library = Library.open(self._folder, database_url=self._url)

    def _close(self) -> None:
        self.library.close()

    @property
    def _shelf(self) -> Shelf:
        return Shelf(self.library, self.library.collections.find("notes"))

    def _fill(self, shelf: Shelf) -> None:
        for number in range(DOCUMENTS):
            self._put(shelf, f"d{number}")
            if number % 10 == 9:
                self._keep_up()
        for number in range(0, DOCUMENTS, 7):
            self._delete(shelf, f"d{number}")

    def _change(self) -> None:
        """So that every generation is of another moment."""
        keys = sorted(self._lines)
        self._delete(self._shelf, self._chance.choice(keys))
        for number in range(2):
            self._put(self._shelf, f"new{self._chance.randrange(DOCUMENTS)}{number}")
        self._keep_up()

    def _put(self, shelf: Shelf, key: str) -> None:
        chance = self._chance
        things = chance.sample(THINGS, chance.randint(1, 4))
        lines = [f"{chance.choice(COLORS)} {thing} {key}" for thing in things]
        shelf.put(key, "\n".join(lines))
        if shelf.collection.name == "notes":
            self._lines[key] = lines

    def _delete(self, shelf: Shelf, key: str) -> None:
        found = shelf.library.documents.find_by_key(shelf.collection, key)
        assert found is not None
        shelf.library.documents.delete(found.id)
        if shelf.collection.name == "notes":
            del self._lines[key]

    def _keep_up(self) -> None:
        for indexes in self.library._indexes.now():
            try:
                indexes.keep_up()
            except RagError:  # as upkeep does
                indexes.keep_up()

    def _harm(self, leg: IndexKind, kind: str) -> None:
        mine, others = self._generations(leg)
        KINDS[kind](self._chance.choice(mine), others, self._chance)

    def _generations(self, leg: IndexKind) -> tuple[list[Path], list[Path]]:
        """Of the collection that is looked at; and others."""
        each = "words-*" if leg == "words" else "dense-*/*"
        there = sorted((self._folder / "indexes").glob(f"*/*{each}"))
        former = sorted(self._former.glob(f"*/*{each}"))
        return [path for path in there if self._mine in path.parts], there + former

    # --- what it says ---

    def _look(self) -> Iterator[str]:
        """What of its answers is not what an exact search gives."""
        shelf, question = self._shelf, f"{self._chance.choice(COLORS)} whale"
        lines = {line: key for key, lines in self._lines.items() for line in lines}
        texts = [f"{key}\n{line}" for line, key in lines.items()]
        exact = np.sort(vectors_of(texts) @ vectors_of([question])[0])[::-1][:K]
        dense, words = frozenset({"dense"}), frozenset({"words"})

        nearest = shelf.library.chunks.search(
            shelf.collection, question, vectors_of([question]), k=K, modes=dense
        )
        cosines = [each.dense or 0.0 for each in nearest.candidates]
        if len(cosines) != len(exact) or not np.allclose(cosines, exact, atol=HALF):
            yield f"not the {K} nearest"
        if sorted(hit.text for hit in shelf.hits(question, k=EVERYTHING, modes="dense")) != sorted(
            lines
        ):
            yield "not all, or not each once, by meaning"
        found = shelf.library.chunks.search(
            shelf.collection, question, None, k=EVERYTHING, modes=words
        )
        if not found.missing and sorted(hit.text for hit in found.hits) != sorted(
            line for line in lines if set(question.split()) & set(line.split())
        ):
            yield "not all, or not each once, by words"

    def _being_built(self) -> set[str]:
        """Indexes that are to be built again, by what health says."""
        states = self.library.health().indexes
        return {one.kind for one in states if one.collection == self._mine and one.state != "ready"}

    def _unmended(self) -> Iterator[str]:
        for one in self.library.health().indexes:
            if one.state != "ready":
                yield f"{one.kind} was not built again"
        yield from (flaw.what for flaw in self.library.checkup.run().flaws)


@contextmanager
def _small_and_calm() -> Iterator[None]:
    """Segments of a few rows, and no upkeep but when it is called."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(DenseIndex.due.__kwdefaults__, {"at_least": 4}))
        for where, name, value in (
            (dense_leg, "FLUSH", 24),
            (derived, "A_FEW", 1),
            (upkeep, "CALM", 3600.0),
        ):
            stack.enter_context(mock.patch.object(where, name, value))
        yield


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.kinds: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "action", "") == "index_rebuilt":
            self.kinds.add(getattr(record, "index", "?"))


@contextmanager
def _rebuilding_heard() -> Iterator[set[str]]:
    log, handler = logging.getLogger("rag.storage"), _Heard()
    log.addHandler(handler)
    try:
        yield handler.kinds
    finally:
        log.removeHandler(handler)
