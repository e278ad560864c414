"""Work on indexes that nobody waits for: catching up, writing to disk, merging, reading again."""

import logging
import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TypeVar

from rag.storage.derived import DerivedIndexes

Result = TypeVar("Result")

log = logging.getLogger(__name__)

FIRST_SCRUB = 300.0  # seconds after the start, which has enough to do
SCRUB = 3600.0  # seconds between two; `scrubbing` says how much each reads

CALM = 0.5  # seconds after a change: those that follow it closely are written together
RETRY = 30.0  # seconds after a failure: a full disk may be emptied meanwhile


class Upkeep:
    """One thread for all indexes of a library."""

    def __init__(
        self,
        indexes: Callable[[], Sequence[DerivedIndexes]],
        scrub: Callable[[Sequence[DerivedIndexes]], object],
        *,
        every: float = SCRUB,
    ) -> None:
        """
        Args:
            indexes: those that are open now.
            scrub: reads some of them again.
            every: seconds after which to look though nobody told of anything new: another process
                may have published it.
        """
        self._every = every
        self._indexes = indexes
        self._scrub = scrub
        self._next_scrub = monotonic() + FIRST_SCRUB
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
        while True:
            self._wanted.wait(max(0.0, min(self._every, self._next_scrub - monotonic())))
            if self._ending.wait(CALM):
                return
            self._wanted.clear()
            if self._ending.is_set():  # a `close` just now may have set what was cleared
                return
            for indexes in self._tried(self._indexes) or ():
                if self._ending.is_set():
                    return
                self._tried(indexes.keep_up)
            if monotonic() >= self._next_scrub:
                self._scrub_now()
                self._next_scrub = monotonic() + SCRUB

    def _scrub_now(self) -> None:
        """In a thread of its own, whose priority can be low. Not beside `keep_up`, which replaces
        files."""
        thread = threading.Thread(target=self._tried_scrub, name="scrub", daemon=True)
        thread.start()
        thread.join()
        self._wanted.set()  # what was begun anew is built now

    def _tried_scrub(self) -> None:
        try:
            self._scrub(self._indexes())
        except Exception:
            log.exception("indexes were not read again", extra={"action": "scrub_failed"})

    def _tried(self, step: Callable[[], Result]) -> Result | None:
        try:
            return step()
        except Exception:
            log.exception("an index could not be written", extra={"action": "upkeep_failed"})
            self._ending.wait(RETRY)
            self._wanted.set()
            return None
