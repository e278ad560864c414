"""Code as a library keeps it: rows for all that is true, and an index of words for each
repository, which is brought up to date by whoever needs it next."""

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import TypeVar

from msgspec import Struct

from rag.domain import Vectors
from rag.storage.answers import remove_answers_showing
from rag.storage.batches import batches
from rag.storage.code import contents, repositories, vectors
from rag.storage.code.contents import Content, Known
from rag.storage.code.vectors import DenseView
from rag.storage.code.words import CodeWords, Match, Row
from rag.storage.database import Database
from rag.storage.lexical.damage import WordsDamaged
from rag.storage.remembering import Remembered
from rag.storage.space import Space
from rag.syntax.outline import Outline
from rag.trees import CodeFile, LeftOut, Repository, Selection, Snapshot, Tree
from rag.verbatim.demands import Demands

Result = TypeVar("Result")

log = logging.getLogger(__name__)

_AT_A_TIME = 200  # files read and indexed at once: some MB of text
_VIEWS = 20  # states that are kept open: lists of files
_DENSE = 4  # states whose vectors are in memory: 1.5 KB for a chunk of 384 numbers
LAG = 2.0  # seconds for which what is embedded meanwhile may not be seen
_OUTLINES = 20_000  # outlines that are remembered, some 100 MB


class View(Struct, frozen=True, eq=False):
    """One state of a repository, open to be searched. It stays as it is, whatever is published."""

    repository: Repository
    snapshot: Snapshot
    files: Mapping[int, CodeFile]
    """Those that can be found, by their numbers."""
    others: tuple[int, ...]
    """Files that only other states have."""
    words: CodeWords


class Lookup(Struct, frozen=True):
    """What the words leg is asked for."""

    terms: Mapping[str, float]
    fields: Mapping[str, float]
    k: int
    only: Collection[int] | None = None
    """Files that may be found; all of the state's where None."""


class CodeStore:
    """The repositories of a library."""

    def __init__(self, database: Database, folder: Path, library_id: str, space: Space) -> None:
        self._database = database
        self._folder = folder
        self._library_id = library_id
        self._space = space
        self._opening = threading.Lock()
        self._following: dict[str, threading.Lock] = {}
        self._words: dict[str, CodeWords] = {}
        self._views: dict[tuple[str, str | None], tuple[int, View]] = {}
        self._changes = Remembered[int](database)
        self._outlines: dict[int, Outline] = {}
        self._dense: dict[tuple[str, str, str, str], tuple[float, DenseView]] = {}
        self._pending: dict[tuple[str, str, str, str], tuple[float, int]] = {}
        self._weights = Remembered[float | None](database)

    # --- repositories ---

    def create(self, name: str, location: str) -> Repository:
        """
        Raises:
            Conflict: the name is another's.
        """
        self._space.require_room()
        with self._database.write() as session:
            return repositories.create_repository(session, name, location)

    def find(self, wanted: str) -> Repository:
        """By name, id or location.

        Raises:
            NotFound: with the names there are.
        """
        with self._database.read() as session:
            return repositories.find_repository(session, wanted)

    def all(self) -> tuple[Repository, ...]:
        with self._database.read() as session:
            return repositories.all_repositories(session)

    def delete(self, repository: Repository) -> None:
        """With the answers that show its code."""
        with self._database.alone() as session:
            remove_answers_showing(session, repository.id)
            repositories.delete_repository(session, repository.id)
        with self._opening:
            for key in [key for key in self._views if key[0] == repository.id]:
                del self._views[key]
            words = self._words.pop(repository.id, None)
            self._outlines = {}
        if words is not None:
            words.remove()

    def selection(self, name: str) -> Selection:
        """Of the repository of that name; nothing is selected where there is none."""
        with self._database.read() as session:
            known = {each.name: each for each in repositories.all_repositories(session)}
        return known[name].selection if name in known else Selection()

    def select(self, repository: Repository, selection: Selection) -> None:
        with self._database.write() as session:
            repositories.set_selection(session, repository.id, selection)

    def set_embeds(self, repository: Repository, embeds: bool) -> None:
        """Says whether its vectors are wanted."""
        with self._database.write() as session:
            repositories.set_embeds(session, repository.id, embeds)

    def to_embed(self) -> dict[str, int]:
        """Ids of those whose vectors are wanted, each with how often it was published."""
        with self._database.read() as session:
            return repositories.repositories_to_embed(session)

    def hold(self, id: str, until: str) -> bool:
        """Keeps other processes from embedding it until then; False where one of them does."""
        if not self._database.is_shared:
            return True  # there is no other
        with self._database.write() as session:
            return repositories.hold_for_embedding(session, id, until)

    def let_go(self, id: str, ours: str) -> None:
        with self._database.write() as session:
            repositories.let_go(session, id, ours)

    # --- contents ---

    def unknown(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Ids and languages that were not looked at yet, each once."""
        with self._database.read() as session:
            known = contents.known_contents(session, pairs)
        return [pair for pair in dict.fromkeys(pairs) if pair not in known]

    def known(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Known]:
        """What came of those that were looked at."""
        with self._database.read() as session:
            return contents.known_contents(session, pairs)

    def keep(self, looked_at: Sequence[Content]) -> None:
        self._space.require_room()
        with self._database.write() as session:
            contents.keep_contents(session, looked_at)

    # --- states ---

    def publish(self, repository: Repository, tree: Tree, languages: Sequence[str]) -> Snapshot:
        with self._database.write() as session:
            return repositories.publish_snapshot(session, repository, tree, languages)

    def snapshots(self, repository: Repository) -> tuple[Snapshot, ...]:
        with self._database.read() as session:
            return repositories.snapshots_of(session, repository)

    def snapshot(self, repository: Repository, ref: str | None) -> Snapshot:
        """
        Raises:
            NotFound: with the refs there are.
        """
        with self._database.read() as session:
            return repositories.find_snapshot(session, repository, ref)

    def left_out(self, repository: Repository, ref: str) -> tuple[LeftOut, ...]:
        with self._database.read() as session:
            return repositories.left_out_of(session, repository, ref)

    # --- looking ---

    def view(self, repository: Repository, ref: str | None) -> View:
        """A state with its words up to date.

        Args:
            ref: None for the one indexed last.

        Raises:
            NotFound: no such ref is indexed; the repository was deleted.
        """
        changes = self._changes.of(repository.id, lambda: self._read_changes(repository))
        seen, view = self._views.get((repository.id, ref), (-1, None))
        if view is not None and seen == changes:
            return view
        with self._opening:
            alone = self._following.setdefault(repository.id, threading.Lock())
        with alone:  # others may search what is open, and open what else there is
            view = self._opened(repository, ref)
        with self._opening:
            if len(self._views) >= _VIEWS:
                self._views.pop(next(iter(self._views)))
            self._views[repository.id, ref] = changes, view
        return view

    def search(self, view: View, asked: Lookup) -> list[Match]:
        """The chunks with the best words."""
        few = asked.only
        if few is None and len(view.others) > len(view.files):
            few = view.files
        without = view.others if few is None else ()
        return self._sound(
            view.words,
            lambda: view.words.search(
                asked.terms, asked.fields, asked.k, only=few, without=without
            ),
        )

    def may_hold(
        self, view: View, demands: Demands, only: Collection[int] | None = None
    ) -> list[int]:
        """Files of the state whose text may have what is demanded; no other has it."""
        among = view.files.keys() if only is None else only
        return self._sound(view.words, lambda: view.words.may_hold(demands, among))

    def outlines(self, files: Iterable[CodeFile]) -> dict[int, Outline]:
        """Of their contents, by their numbers."""
        return self.outlines_by_number({file.content for file in files})

    def outlines_by_number(self, wanted: Collection[int]) -> dict[int, Outline]:
        unread = [content for content in wanted if content not in self._outlines]
        if unread:
            with self._database.read() as session:
                read = contents.outlines_of(session, unread)
            if len(self._outlines) + len(read) > _OUTLINES:
                self._outlines = {}
            self._outlines |= read
            return {content: self._outlines.get(content) or read[content] for content in wanted}
        return {content: self._outlines[content] for content in wanted}

    def texts(self, files: Iterable[CodeFile]) -> dict[int, str]:
        """Of their contents, by their numbers."""
        return self.texts_by_number({file.content for file in files})

    def texts_by_number(self, wanted: Collection[int]) -> dict[int, str]:
        with self._database.read() as session:
            return contents.texts_of(session, list(wanted))

    def oids(self, files: Iterable[CodeFile]) -> dict[int, str]:
        """What git calls their contents, by their numbers."""
        with self._database.read() as session:
            return contents.oids_of(session, list({file.content for file in files}))

    # --- meaning ---

    def unembedded(self, view: View, model: str) -> list[int]:
        """Numbers of the state's contents that are not embedded whole."""
        wanted = sorted({file.content for file in view.files.values()})
        with self._database.read() as session:
            return vectors.unembedded(session, model, wanted)

    def unembedded_contents(self, model: str, wanted: Sequence[int]) -> list[int]:
        """As `unembedded`, of contents by their numbers."""
        with self._database.read() as session:
            return vectors.unembedded(session, model, wanted)

    def unknown_texts(self, model: str, texts: Sequence[str]) -> list[str]:
        with self._database.read() as session:
            return vectors.unknown_texts(session, model, texts)

    def keep_vectors(self, model: str, texts: Sequence[str], found: Vectors) -> None:
        self._space.require_room()
        with self._database.write() as session:
            vectors.keep_vectors(session, model, texts, found)

    def keep_cards(self, model: str, cards: Mapping[int, Sequence[str]]) -> None:
        with self._database.write() as session:
            vectors.keep_cards(session, model, cards)

    def dense(self, view: View, model: str, dimension: int) -> DenseView:
        """The vectors of a state, as they were a moment ago while more are coming."""
        key = (view.repository.id, view.snapshot.ref, view.snapshot.indexed_at, model)
        read_at, known = self._dense.get(key, (-LAG, None))
        if known is not None and (not known.pending or monotonic() < read_at + LAG):
            return known
        files = {file.id: (file.content, file.chunks) for file in view.files.values()}
        with self._database.read() as session:
            known = vectors.dense_view(session, model, dimension, files, known)
        if key not in self._dense and len(self._dense) >= _DENSE:
            self._dense = {}
        self._dense[key] = monotonic(), known
        return known

    def pending(self, view: View, model: str) -> int:
        """Chunks of a state that are not embedded yet, as it was a moment ago."""
        key = (view.repository.id, view.snapshot.ref, view.snapshot.indexed_at, model)
        counted_at, count = self._pending.get(key, (-LAG, -1))
        if count == 0 or (count > 0 and monotonic() < counted_at + LAG):
            return count
        chunks = {file.content: file.chunks for file in view.files.values()}
        with self._database.read() as session:
            unembedded = vectors.unembedded(session, model, list(chunks))
        count = sum(chunks[content] for content in unembedded)
        if len(self._pending) >= _VIEWS:
            self._pending = {}
        self._pending[key] = monotonic(), count
        return count

    def show_embedded(self) -> None:
        """What was embedded is seen at once."""
        self._dense = {key: (-LAG, known) for key, (_, known) in self._dense.items()}
        self._pending = {}

    def weight(self, view: View, model: str) -> float | None:
        """The share of meaning in its ranking; None where it was not checked."""
        name = f"{view.repository.id}/{model}"
        return self._weights.of(name, lambda: self._read_weight(view, model))

    def adopt_weight(self, view: View, model: str) -> float | None:
        """What was found of a repository with nearly the same contents, from now on for this one
        too."""
        wanted = sorted({file.content for file in view.files.values()})
        with self._database.write() as session:
            weight = vectors.weight_of_twin(session, model, wanted)
            if weight is not None:
                vectors.set_weight(session, view.repository.id, model, weight)
        return weight

    def set_weight(self, view: View, model: str, weight: float) -> None:
        with self._database.write() as session:
            vectors.set_weight(session, view.repository.id, model, weight)

    def _read_weight(self, view: View, model: str) -> float | None:
        with self._database.read() as session:
            return vectors.weight_of(session, view.repository.id, model)

    # --- the index of words ---

    def rebuild(self) -> int:
        """Builds the words of all repositories again; how many there are."""
        all = [each for each in self.all() if self.snapshots(each)]
        for repository in all:
            self.view(repository, None).words.rebuild()
        return len(all)

    def _sound(self, words: CodeWords, search: Callable[[], Result]) -> Result:
        """What a search finds; where the index turns out to be damaged, once it is built again."""
        try:
            return search()
        except WordsDamaged:
            log.exception("words of code are built again", extra={"action": "code_words_damaged"})
            words.rebuild()
            return search()

    def _opened(self, repository: Repository, ref: str | None) -> View:
        with self._database.read() as session:
            changes = repositories.changes_of(session, repository)
            snapshot = repositories.find_snapshot(session, repository, ref)
            own = repositories.files_of(session, repository, snapshot.ref).tolist()
            known = repositories.files_in_use(session, repository)
        words = self._words.get(repository.id)
        if words is None:
            owner = f"{self._library_id}/{repository.id}"
            words = self._words[repository.id] = CodeWords(self._folder / repository.id, owner)
        words.follow(changes, known.keys(), lambda ids: self._rows(ids, known))
        files = {id: known[id] for id in own}
        return View(repository, snapshot, files, tuple(known.keys() - files.keys()), words)

    def _read_changes(self, repository: Repository) -> int:
        with self._database.read() as session:
            return repositories.changes_of(session, repository)

    def _rows(self, ids: Sequence[int], known: Mapping[int, CodeFile]) -> Iterator[Row]:
        for some in batches(ids, _AT_A_TIME):
            files = [known[id] for id in some]
            numbers = list({file.content for file in files})
            with self._database.read() as session:
                texts = contents.texts_of(session, numbers)
                outlines = contents.outlines_of(session, numbers)
            for file in files:
                yield Row(file.id, file.path, texts[file.content], outlines[file.content])
