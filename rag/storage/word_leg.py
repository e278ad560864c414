"""The word index of an index version, and how it follows the database."""

import logging
import shutil
import threading
from pathlib import Path
from typing import Literal

from rag.storage.chunks import live_entries
from rag.storage.database import Database
from rag.storage.indexversions import IndexVersion
from rag.storage.lexical.words import Found, Within, WordIndex
from rag.storage.operations import changes_after
from rag.storage.texts import Texts

log = logging.getLogger(__name__)

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
        other = _beside(folder)
        if folder.exists() or not other.exists():
            shutil.rmtree(other, ignore_errors=True)  # it was not complete yet
            self.folder, self._other = folder, other
        else:
            self.folder, self._other = other, folder
        self._index = WordIndex(self.folder, self._owner)
        if self._index.was_lost:
            log.warning(
                "a word index is damaged or of another format, and is built again",
                extra={
                    "action": "index_rebuilt",
                    "index": self.kind,
                    "index_version": version.id,
                },
            )

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
        log.warning(
            "an index is built again from the database",
            extra={
                "action": "index_rebuilt",
                "index": self.kind,
                "index_version": self._version.id,
                "reason": reason,
            },
        )
        self._is_to_be_new.set()

    @property
    def seq(self) -> int:
        """Complete up to this operation."""
        return self._index.seq

    def __len__(self) -> int:
        return len(self._index)

    def step(self) -> bool:
        """Applies the next operations; False when there are none."""
        with self._following:
            if not self._apply_next(self._index):
                return False
        if self._index.unsaved > UNSAVED:
            self._index.absorb()
        return True

    def keep_up(self, ending: threading.Event) -> None:
        """Catches up, and writes to disk what is in memory. For as long as it takes, or until it
        is to end."""
        if self._is_to_be_new.is_set():
            self._build_beside(ending)
        while not ending.is_set() and self.step():
            pass
        if self._index.unsaved and not ending.is_set():
            self._index.absorb()

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

    def search(self, question: str, k: int, within: Within | None) -> Found:
        return self._index.search(question, k, within=within)

    def close(self) -> None:
        """Leaves nothing to be applied by the next start."""
        self._index.close()

    def discard(self) -> None:
        """Lets go of the files, which are about to be deleted."""
        self._index.close()


def _beside(folder: Path) -> Path:
    """Where another is built. Which of the two places is used changes each time."""
    return folder.with_name(f"anew-{folder.name}")
