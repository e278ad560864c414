"""The word index of an index version, and how it follows the database."""

import logging
import threading
from pathlib import Path
from typing import Literal

from rag.storage.chunks import live_entries
from rag.storage.collections import IndexVersion
from rag.storage.database import Database
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
        self._following = threading.Lock()
        self._index = WordIndex(folder, f"{library_id}/{version.id}")
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
    def seq(self) -> int:
        """Complete up to this operation."""
        return self._index.seq

    def __len__(self) -> int:
        return len(self._index)

    def step(self) -> bool:
        """Applies the next operations; False when there are none."""
        with self._following, self._database.read() as session:
            changes = changes_after(session, self._version.id, self._index.seq)
            if changes is None:
                return False
            entries = live_entries(session, changes.put, self._texts)
            self._index.change(entries, changes.deleted, changes.seq)
        if self._index.unsaved > UNSAVED:
            self._index.absorb()
        return True

    def keep_up(self, ending: threading.Event) -> None:
        """Catches up, and writes to disk what is in memory. For as long as it takes, or until it
        is to end."""
        while not ending.is_set() and self.step():
            pass
        if self._index.unsaved and not ending.is_set():
            self._index.absorb()

    def search(self, question: str, k: int, within: Within | None) -> Found:
        return self._index.search(question, k, within=within)

    def close(self) -> None:
        """Leaves nothing to be applied by the next start."""
        self._index.close()

    def discard(self) -> None:
        """Lets go of the files, which are about to be deleted."""
        self._index.close()
