"""Work on indexes that nobody waits for: catching up, writing to disk, merging."""

import logging
import threading
from collections.abc import Callable, Sequence

from rag.storage.derived import DerivedIndexes

log = logging.getLogger(__name__)

CALM = 0.5  # seconds after a change: those that follow it closely are written together
RETRY = 30.0  # seconds after a failure: a full disk may be emptied meanwhile


class Upkeep:
    """One thread for all indexes of a library."""

    def __init__(self, indexes: Callable[[], Sequence[DerivedIndexes]]) -> None:
        """
        Args:
            indexes: those that are open now.
        """
        self._indexes = indexes
        self._wanted = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There is something new."""
        self._wanted.set()

    def close(self) -> None:
        """Returns when the step under way is done."""
        self._ending.set()
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        while self._wanted.wait() and not self._ending.wait(CALM):
            self._wanted.clear()
            for indexes in self._indexes():
                if self._ending.is_set():
                    return
                self._keep_up(indexes)

    def _keep_up(self, indexes: DerivedIndexes) -> None:
        try:
            indexes.keep_up()
        except Exception:
            log.exception("an index could not be written", extra={"action": "upkeep_failed"})
            self._ending.wait(RETRY)
            self._wanted.set()
