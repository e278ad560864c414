"""Code as a library keeps it: rows for all that is true, and an index of words for each
repository, which is brought up to date by whoever needs it next."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from rag.storage.batches import batches
from rag.storage.code import contents, repositories
from rag.storage.code.contents import Content
from rag.storage.code.words import CodeWords, Match, Row
from rag.storage.database import Database
from rag.storage.space import Space
from rag.syntax.outline import Outline
from rag.trees import CodeFile, LeftOut, Repository, Snapshot, Tree

_AT_A_TIME = 200  # files read and indexed at once: some MB of text
_OUTLINES = 20_000  # outlines that are remembered, some 100 MB


class Lookup(Struct, frozen=True):
    """What the words leg is asked for."""

    terms: Mapping[str, float]
    fields: Mapping[str, float]
    k: int
    files: frozenset[int]
    """Those that may be found."""


class CodeStore:
    """The repositories of a library."""

    def __init__(self, database: Database, folder: Path, library_id: str, space: Space) -> None:
        self._database = database
        self._folder = folder
        self._library_id = library_id
        self._space = space
        self._opening = threading.Lock()
        self._words: dict[str, CodeWords] = {}
        self._in_use: dict[str, tuple[int, dict[int, CodeFile]]] = {}
        self._outlines: dict[int, Outline] = {}

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
        with self._database.alone() as session:
            repositories.delete_repository(session, repository.id)
        with self._opening:
            self._in_use.pop(repository.id, None)
            words = self._words.pop(repository.id, None)
        if words is not None:
            words.remove()

    # --- contents ---

    def unknown(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Ids and languages that were not looked at yet, each once."""
        with self._database.read() as session:
            known = contents.known_contents(session, pairs)
        return [pair for pair in dict.fromkeys(pairs) if pair not in known]

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

    def files(self, repository: Repository, ref: str) -> dict[int, CodeFile]:
        """Those that are searched, by their numbers."""
        with self._database.read() as session:
            ids = repositories.files_of(session, repository, ref).tolist()
        known = self._followed(repository)[1]
        return {id: known[id] for id in ids if id in known}

    # --- looking ---

    def search(self, repository: Repository, asked: Lookup) -> list[Match]:
        """The chunks with the best words."""
        words, known = self._followed(repository)
        others = known.keys() - asked.files
        if not others:
            return words.search(asked.terms, asked.fields, asked.k)
        if len(others) < len(asked.files):
            return words.search(asked.terms, asked.fields, asked.k, without=list(others))
        return words.search(asked.terms, asked.fields, asked.k, only=list(asked.files))

    def outlines(self, files: Iterable[CodeFile]) -> dict[int, Outline]:
        """Of those contents, by their numbers."""
        wanted = {file.content for file in files}
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
        """Of those contents, by their numbers."""
        with self._database.read() as session:
            return contents.texts_of(session, list({file.content for file in files}))

    def prepare(self, repository: Repository) -> None:
        """Brings its words up to date, which its next search would do."""
        self._followed(repository)

    # --- the index of words ---

    def _followed(self, repository: Repository) -> tuple[CodeWords, dict[int, CodeFile]]:
        with self._opening:
            words = self._words.get(repository.id) or self._opened(repository)
            with self._database.read() as session:
                changes = repositories.changes_of(session, repository)
                seen, known = self._in_use.get(repository.id, (-1, {}))
                if seen != changes:
                    known = repositories.files_in_use(session, repository)
                    self._in_use[repository.id] = changes, known
        if words.changes != changes:
            words.follow(changes, known.keys(), lambda ids: self._rows(ids, known))
        return words, known

    def _opened(self, repository: Repository) -> CodeWords:
        folder = self._folder / repository.id
        owner = f"{self._library_id}/{repository.id}"
        self._words[repository.id] = CodeWords(folder, owner)
        return self._words[repository.id]

    def _rows(self, ids: Sequence[int], known: Mapping[int, CodeFile]) -> Iterator[Row]:
        for some in batches(ids, _AT_A_TIME):
            files = [known[id] for id in some]
            numbers = list({file.content for file in files})
            with self._database.read() as session:
                texts = contents.texts_of(session, numbers)
                outlines = contents.outlines_of(session, numbers)
            for file in files:
                yield Row(file.id, file.path, texts[file.content], outlines[file.content])
