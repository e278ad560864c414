"""A library beside a dict: every rule does the same to both, and both must hold the same.

The dict knows of each document its lines and its group, and of each index how it cuts and which
documents it lacks. From that follows what every search has to find.
"""

import itertools
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from rag.domain import Collection, IndexId, Source, document_id
from rag.errors import Conflict
from rag.ranking.filters import Eq, Filter
from rag.storage.claims import ClaimedItem
from rag.storage.derived import IndexKind
from rag.storage.library import Library
from rag.storage.rebuilding import Recipe, Stored
from rag.storage.tables import ChunkRow
from tests.storage.deaths import die, harm
from tests.storage.recipes import (
    LINES,
    RECIPES,
    edition_in,
    editions_in,
    pieces,
    question_in,
    recipe_of,
)
from tests.storage.shelves import read

KEYS = st.sampled_from([f"key{n}" for n in range(6)])
WORDS = ("red", "green", "blue")
TEXT = st.lists(st.sampled_from([*WORDS, "red green", "blue blue"]), min_size=1, max_size=5)
GROUP = st.integers(0, 2)
PLACE = st.integers(0, 2)
SEEDS = st.integers(0, 2**32 - 1)
EVERYTHING = 1_000
LEASE = 600.0  # seconds: no claim runs out within a story

Line = tuple[str, str]
"""Key and text of a chunk."""

_numbers = itertools.count()


class Held:
    """An item in the hands of a worker who has read the document, and not yet embedded it."""

    def __init__(self, claimed: ClaimedItem, stored: Stored, change: int) -> None:
        self.claimed = claimed
        self.stored = stored
        self.change = change
        """Of the document, when it was read."""


class Machine(RuleBasedStateMachine):
    """Chunks are lines, or whole documents; each document has a group to filter by."""

    reopened: Callable[[], Library]
    """Opens the library; whoever had it open before has closed it, or died."""
    data_dir: Path

    library: Library | None = None
    """Stays open from one story to the next."""

    @initialize()
    def begin(self) -> None:
        self.documents: dict[str, tuple[list[str], int]] = {}
        self.changes: dict[str, int] = {}
        self.held: list[Held] = []
        self.is_harmed = False
        self.lib = type(self).library or self._open()
        self.collection = self.lib.collections.create(
            f"machine{next(_numbers)}",
            embedding_model=LINES.model,
            dimension=LINES.dimension,
            chunk_tokens=LINES.chunk_tokens,
        )
        self.recipes = {self.collection.index: LINES}
        self.lacking: dict[IndexId, set[str]] = {self.collection.index: set()}

    # --- documents ---

    @rule(key=KEYS, lines=TEXT, group=GROUP, leaves_out=st.sampled_from([False, False, True]))
    def put(self, key: str, lines: list[str], group: int, leaves_out: bool) -> None:
        """In every index, or in all but one whose model is not there."""
        others = [index for index in self.recipes if index != self.serving]
        left_out = frozenset(others[:1] if leaves_out else ())
        taking = {index: each for index, each in self.recipes.items() if index not in left_out}
        source = Source(key, "\n".join(lines).encode(), attributes={"group": group})
        document = read(source)
        self.lib.originals.put(source.content)
        editions = editions_in(taking, document)
        own = editions.pop(self.serving)
        self.lib.documents.publish(
            self.collection, document, own.chunks, own.vectors, others=editions, left_out=left_out
        )

        is_same = self.documents.get(key) == (lines, group)
        if is_same and not any(key in self.lacking[index] for index in taking):
            return
        self.documents[key] = (lines, group)
        self.changes[key] = self.changes.get(key, 0) + 1
        for index, lacking in self.lacking.items():
            (lacking.add if index in left_out else lacking.discard)(key)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        found = self.lib.documents.find_by_key(self.collection, key)
        assert (found is not None) == (key in self.documents)
        if found is None:
            return
        self.lib.documents.delete(found.id)
        del self.documents[key]
        self.changes[key] += 1
        for lacking in self.lacking.values():
            lacking.discard(key)
        for held in self.held:
            if held.claimed.key == key:
                held.change = -1  # its item was cancelled

    # --- indexes ---

    @rule(recipe=st.sampled_from(RECIPES))
    def reindex(self, recipe: Recipe) -> None:
        """Begins another index, or goes on with one that is there."""
        if self.recipes[self.serving] == recipe:
            assert refused(lambda: self.lib.indexes.begin(self.collection, recipe))
            return
        job = self.lib.indexes.begin(self.collection, recipe)
        assert job.index is not None
        if job.index not in self.recipes:
            self.recipes[job.index] = recipe
            self.lacking[job.index] = set(self.documents)
        assert self.recipes[job.index] == recipe

    @rule(most=st.integers(1, 6))
    def build(self, most: int) -> None:
        """A worker puts stored documents into the index that is being built."""
        for _ in range(most):
            held = self._claimed()
            if held is None:
                return
            self._finish(held)

    @rule()
    def begin_to_build(self) -> None:
        """A worker has read a document, and embeds it while other things happen."""
        held = self._claimed()
        if held is not None:
            self.held.append(held)

    @rule()
    def finish_what_was_begun(self) -> None:
        while self.held:
            self._finish(self.held.pop())

    @rule(place=PLACE)
    def switch(self, place: int) -> None:
        """To any index, forth and back."""
        index = self._index_at(place)
        if self.lacking[index]:
            assert refused(lambda: self.lib.indexes.switch(self.collection, index))
            return
        assert not refused(lambda: self.lib.indexes.switch(self.collection, index)), (
            "it is complete"
        )
        self.collection = self.lib.collections.find(self.collection.name)
        assert recipe_of(self.collection) == self.recipes[index]
        assert self.serving == index

    @rule(place=PLACE)
    def drop(self, place: int) -> None:
        index = self._index_at(place)
        if index == self.serving:
            assert refused(lambda: self.lib.indexes.drop(self.collection, index))
            return
        self.lib.indexes.drop(self.collection, index)
        del self.recipes[index], self.lacking[index]
        for held in self.held:
            if held.claimed.builds == index:
                held.change = -1

    # --- what happens to the process and its files ---

    @rule()
    def keep_up(self) -> None:
        """Flushes and merges, catches up and builds anew."""
        for indexes in self.lib._indexes.now():
            indexes.keep_up()

    @rule(kind=st.sampled_from(["dense", "words"]))
    def rebuild(self, kind: IndexKind) -> None:
        number = self.lib.indexes.rebuild(
            self.collection.name, ["dense" if kind == "dense" else "words"]
        )
        assert number == len(self.recipes)

    @rule()
    def restart(self) -> None:
        self.lib.close()
        self._reopen()

    @rule()
    def crash(self) -> None:
        die(self.lib)
        self._reopen()

    @rule(seed=SEEDS)
    def damage(self, seed: int) -> None:
        """A file of an index changes while nobody runs."""
        die(self.lib)
        files = sorted(path for path in self.data_dir.glob("indexes/**/*") if path.is_file())
        if files:
            chance = random.Random(seed)
            harm(chance.choice(files), chance)
            self.is_harmed = True
        self._reopen()

    @rule()
    def lose_indexes(self) -> None:
        die(self.lib)
        shutil.rmtree(self.data_dir / "indexes", ignore_errors=True)
        self._reopen()

    # --- what must hold ---

    @invariant()
    def by_meaning_all_are_found_once(self) -> None:
        assert self._found(self.collection, "red") == self._lines(self.serving)

    @rule(group=GROUP)
    def search_filtered(self, group: int) -> None:
        expected = [
            line for line in self._lines(self.serving) if self.documents[line[0]][1] == group
        ]
        assert self._found(self.collection, "green", filter=Eq("group", group)) == expected

    @rule(word=st.sampled_from(WORDS))
    def search_words(self, word: str) -> None:
        for view in self.lib.indexes.views(self.collection.id):
            found = self.lib.chunks.search(
                view, word, None, k=EVERYTHING, modes=frozenset({"words"})
            )
            if not found.missing:
                lines = sorted((hit.key, hit.text) for hit in found.hits)
                assert lines == [
                    line for line in self._lines(view.index) if word in line[1].split()
                ]

    @rule()
    def search_the_others(self) -> None:
        """Those that do not serve: what they lack is not found, and all else is."""
        for view in self.lib.indexes.views(self.collection.id):
            assert self._found(view, "blue") == self._lines(view.index)

    @rule()
    def count(self) -> None:
        collection = self.lib.collections.find(self.collection.name)
        documents, chunks = len(self.documents), len(self._lines(self.serving))
        assert (collection.documents, collection.chunks) == (documents, chunks)
        kept = {one.id: one for one in self.lib.indexes.list(collection)}
        assert kept.keys() == self.recipes.keys()
        for index, one in kept.items():
            assert one.documents == documents - len(self.lacking[index])
            assert one.chunks == len(self._lines(index))
            assert one.serves == (index == self.serving)
            assert (one.state == "ready") == (not self.lacking[index])

    @rule()
    def compare_rows(self) -> None:
        """A dense index has the rows that SQL has: none that was deleted, none twice."""
        for index in self.recipes:
            indexes = self.lib._indexes.of(index)
            if indexes.dense is None or "dense" in indexes.follow().behind:
                continue
            _, parts = indexes.dense.index.moment()
            rows = [part.numbers.ids[live] for part, live in parts]
            with self.lib._database.read() as session:
                number = ChunkRow.index_version_id == indexes.version.id
                live = session.scalars(select(ChunkRow.id).where(number, ChunkRow.live)).all()
            has = np.concatenate([np.empty(0, np.int64), *rows]).tolist()
            assert sorted(has) == sorted(live)

    def teardown(self) -> None:
        if not hasattr(self, "lib"):
            return
        self.count()
        self.compare_rows()
        self._check()
        self.lib.collections.delete(self.collection.id)

    # --- how it is done ---

    @property
    def serving(self) -> IndexId:
        return self.collection.index

    def _index_at(self, place: int) -> IndexId:
        """By age."""
        return list(self.recipes)[place % len(self.recipes)]

    def _open(self) -> Library:
        type(self).library = type(self).reopened()
        return type(self).library

    def _reopen(self) -> None:
        self.held.clear()  # its workers died with it
        self.lib = self._open()

    def _claimed(self) -> Held | None:
        claimed = self.lib.jobs.claim(lease=LEASE)
        if claimed is None:
            return None
        assert claimed.builds in self.recipes
        stored = self.lib.indexes.stored(document_id(self.collection.id, claimed.key))
        assert stored is not None, "a document that is deleted takes its items along"
        return Held(claimed, stored, self.changes[claimed.key])

    def _finish(self, held: Held) -> None:
        index, key = held.claimed.collection.index, held.claimed.key
        edition = edition_in(recipe_of(held.claimed.collection), held.stored.document)
        if held.change < 0:
            assert refused(lambda: self.lib.indexes.publish(held.claimed, held.stored, edition))
            return
        state = self.lib.indexes.publish(held.claimed, held.stored, edition)
        if held.change != self.changes[key]:
            assert state == "superseded"
        else:
            assert state == ("indexed" if key in self.lacking[index] else "unchanged")
            self.lacking[index].discard(key)

    def _lines(self, index: IndexId) -> list[Line]:
        return sorted(
            (key, piece)
            for key, (lines, _) in self.documents.items()
            if key not in self.lacking[index]
            for piece in pieces(self.recipes[index], lines)
        )

    def _found(
        self, view: Collection, question: str, *, filter: Filter | None = None
    ) -> list[Line]:
        vector = question_in(self.recipes[view.index], question)
        found = self.lib.chunks.search(
            view, question, vector, k=EVERYTHING, filter=filter, modes=frozenset({"dense"})
        )
        return sorted((hit.key, hit.text) for hit in found.hits)

    def _check(self) -> None:
        """The library's own check finds nothing, but in files that were harmed."""
        report = self.lib.checkup.run(repair=self.is_harmed)
        if self.is_harmed:
            assert {flaw.part for flaw in report.flaws} <= {"dense", "words"}, report.flaws
            self.keep_up()
            report = self.lib.checkup.run()
        assert report.state == "done"
        assert report.flaws == ()


def refused(step: Callable[[], object]) -> bool:
    try:
        step()
    except Conflict:
        return True
    return False
