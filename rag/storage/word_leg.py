"""The word index of an index version, and how it follows the database."""

import logging
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeVar

from rag.errors import OutOfSpace, RagError
from rag.storage.chunks import live_entries
from rag.storage.database import Database
from rag.storage.indexversions import IndexVersion
from rag.storage.lexical.damage import WordsDamaged, damage_told
from rag.storage.lexical.disk import refusal
from rag.storage.lexical.seals import undamaged
from rag.storage.lexical.words import Found, Ids, Within, WordIndex
from rag.storage.operations import changes_after, latest_operation
from rag.storage.texts import Texts

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

UNSAVED = 5_000  # rows in memory, some 20 MB; a rebuild writes them out and goes on


class WordLeg:
    """Words of an index version, by chunk number. Safe to use from many threads."""

    kind: Literal["words"] = "words"

    def __init__(
        self,
        database: Database,
        folder: Path,
        library_id: str,
        version: IndexVersion,
        texts: Texts,
    ) -> None:
        self._database = database
        self._version = version
        self._texts = texts
        self._owner = f"{library_id}/{version.id}"
        self._following = threading.Lock()
        self._is_to_be_new = threading.Event()
        self._has_failed = False
        """Whether the last write did."""
        other = _beside(folder)
        if folder.exists() or not other.exists():
            shutil.rmtree(other, ignore_errors=True)  # it was not complete yet
            self.folder, self._other = folder, other
        else:
            self.folder, self._other = other, folder
        self._index = WordIndex(self.folder, self._owner)
        if self._index.was_lost:
            self._tell("it is damaged or of another format")
        elif self._is_ahead():
            self._tell("the database is older than it, as after a copy was put back")
            self._index.close()
            shutil.rmtree(self.folder)
            self._index = WordIndex(self.folder, self._owner)

    def _is_ahead(self) -> bool:
        """Whether it knows operations that never were: their numbers, and those of their chunks,
        are about to be given to others."""
        with self._database.read() as session:
            return self._index.seq > latest_operation(session, self._version.id)

    @property
    def index(self) -> WordIndex:
        """As it is now."""
        return self._index

    @property
    def is_to_be_new(self) -> bool:
        """Whether another is being built, or about to be."""
        return self._is_to_be_new.is_set()

    def begin_anew(self, reason: str) -> None:
        """Lets `keep_up` build another, beside this one, which answers until then."""
        self._tell(reason)
        self._is_to_be_new.set()

    def _tell(self, reason: str) -> None:
        log.warning(
            "an index is built again from the database",
            extra={
                "action": "index_rebuilt",
                "index": self.kind,
                "index_version": self._version.id,
                "reason": reason,
            },
        )

    @property
    def seq(self) -> int:
        """Complete up to this operation."""
        return self._index.seq

    def __len__(self) -> int:
        return len(self._index)

    def languages(self) -> dict[str, int]:
        """How many chunks are in each, about; none where a file turns out to be damaged."""
        return self._asked(self._index.languages) or {}

    def step(self) -> bool:
        """Applies the next operations; False when there are none."""
        with self._following:
            if not self._apply_next(self._index):
                return False
        if self._index.unsaved > UNSAVED:
            try:
                self._save()
            except RagError:  # it is found in memory: nobody who publishes or searches fails for it
                log.exception("words were not written", extra={"action": "words_unsaved"})
        return True

    def keep_up(self, ending: threading.Event) -> None:
        """Catches up, and writes to disk what is in memory. For as long as it takes, or until it
        is to end."""
        if self._is_to_be_new.is_set() and not ending.is_set():
            self._build_beside(ending)
        while not ending.is_set() and self.step():
            pass
        if self._index.unsaved and not ending.is_set():
            self._save()
        if self._is_to_be_new.is_set() and not ending.is_set():  # that was found out just now
            self._build_beside(ending)

    def _save(self) -> None:
        """Writes to disk what is in memory, where the index is sound; else it is to be new. One
        that looks sound and fails twice in a row is not.

        Raises:
            RagError: the index is sound, and the disk does not take it.
        """
        try:
            with damage_told():
                self._index.absorb()
        except WordsDamaged as damage:
            refused = refusal(damage)
            is_sound = isinstance(refused, OutOfSpace) or not self._has_failed
            self._has_failed = True
            if is_sound and undamaged(self.folder):
                raise refused from damage
            self.begin_anew(str(damage))
        self._has_failed = False

    def _build_beside(self, ending: threading.Event) -> None:
        shutil.rmtree(self._other, ignore_errors=True)
        new = WordIndex(self._other, self._owner)
        while not ending.is_set() and self._apply_next(new):
            if new.unsaved > UNSAVED:
                new.absorb()
        if ending.is_set():
            return
        with self._following:
            while self._apply_next(new):
                pass
            former, self._index = self._index, new
            self.folder, self._other = self._other, self.folder
        self._is_to_be_new.clear()
        with suppress(WordsDamaged), damage_told():
            former.close()
        shutil.rmtree(self._other, ignore_errors=True)

    def _apply_next(self, index: WordIndex) -> bool:
        with self._database.read() as session:
            changes = changes_after(session, self._version.id, index.seq)
            if changes is None:
                return False
            index.change(
                live_entries(session, changes.put, self._texts), changes.deleted, changes.seq
            )
            return True

    def search(self, question: str, k: int, within: Within | None) -> Found | None:
        """None where a file turns out to be damaged: the words are missing until `keep_up`."""
        return self._asked(lambda: self._index.search(question, k, within=within))

    def holding(self, text: str) -> Ids | None:
        """Chunks that hold all words of a text, sorted; None as for a search."""
        return self._asked(lambda: self._index.holding(text))

    def _asked(self, ask: Callable[[], Answer]) -> Answer | None:
        try:
            with damage_told():
                return ask()
        except WordsDamaged as damage:
            if not self.is_to_be_new:
                self.begin_anew(str(damage))
            return None

    def close(self) -> None:
        """Leaves nothing to be applied by the next start; which finds out that it is damaged.

        Raises:
            RagError: the index is sound, and the disk does not take it.
        """
        try:
            with damage_told():
                self._index.close()
        except WordsDamaged as damage:
            if undamaged(self.folder):
                raise refusal(damage) from damage

    def discard(self) -> None:
        """Lets go of the files, which are about to be deleted."""
        with suppress(WordsDamaged), damage_told():
            self._index.close()


def _beside(folder: Path) -> Path:
    """Where another is built. Which of the two places is used changes each time."""
    return folder.with_name(f"anew-{folder.name}")
