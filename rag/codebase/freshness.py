"""Whether what was indexed is still what lies there: a ref that moves leaves its snapshot stale."""

import threading
import time
from pathlib import Path

from rag.errors import RagError
from rag.sources.git.repository import Place
from rag.trees import Repository, Snapshot

KNOWN_FOR = 2.0
"""Seconds for which git, a process of some milliseconds, is not asked again about a ref."""
MOST = 1_000  # refs that are remembered


class Freshness:
    """Of the refs of any repository. Safe to use from many threads."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[float, str | None]] = {}
        self._lock = threading.Lock()

    def is_stale(self, repository: Repository, snapshot: Snapshot) -> bool:
        """Whether the ref has another commit now. Of a folder without commits, or one that is not
        there any more, nothing is known."""
        if snapshot.commit is None:
            return False
        commit = self._commit(repository.location, snapshot.ref)
        return commit is not None and commit != snapshot.commit

    def forget(self) -> None:
        """Git is asked again."""
        with self._lock:
            self._known.clear()

    def _commit(self, location: str, ref: str) -> str | None:
        asked_at, commit = self._known.get((location, ref), (-KNOWN_FOR, None))
        if time.monotonic() < asked_at + KNOWN_FOR:
            return commit
        try:
            commit = Place(Path(location)).commit(ref or "HEAD")
        except RagError:
            commit = None
        with self._lock:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[location, ref] = time.monotonic(), commit
        return commit
