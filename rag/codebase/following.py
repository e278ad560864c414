"""What follows an indexing: the vectors of what is new, while words are searched already.

What is left to do is read off the library each time, so nothing is lost with a process that dies:
the next one goes on with the next chunk. Of several processes one does a repository at a time.
"""

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from rag.codebase.embedding import embed_code
from rag.domain import Failure
from rag.errors import ModelUnavailable, NotFound
from rag.pausing import Pause
from rag.ports import Embedder
from rag.spending import Purpose, spending_for
from rag.storage.code.store import View
from rag.storage.library import Library
from rag.storage.timestamps import written

log = logging.getLogger(__name__)

STEP = 15.0  # seconds of embedding between two looks at what else there is
HELD = timedelta(seconds=90)
"""For which a repository is kept from other processes: a step, and what a slow provider adds. So
long its vectors wait after the death of whoever embeds it."""
POLL = 10.0  # seconds between looks when nobody wakes us
LOOK = 0.5  # seconds between looks at what is left, for somebody who waits
RETRY = 30.0  # seconds after something failed that may pass


class CodeFollower:
    """Embeds repositories whose vectors are wanted, until stopped."""

    def __init__(self, library: Library, embedder: Embedder, pause: Pause) -> None:
        """
        Args:
            pause: of all that a provider works on; it may begin here too.
        """
        self._library = library
        self._embedder = embedder
        self._pause = pause
        self._awake = asyncio.Event()
        self._done: dict[str, int] = {}
        """How often each repository was published when nothing of it was left."""

    def wake(self) -> None:
        """There is something new: look now. Call it on the event loop."""
        self._awake.set()

    @property
    def paused(self) -> Failure | None:
        """Why nothing is embedded at the moment."""
        return self._pause.reason

    async def embedded(self, view: View, seconds: float) -> int:
        """Waits until all of a state is embedded, for so long at most; chunks that are left.

        Raises:
            ModelUnavailable: nothing is embedded for a while, and why.
        """
        ends = asyncio.get_running_loop().time() + seconds
        self.wake()
        while True:
            pending = await asyncio.to_thread(
                self._library.code.pending, view, self._embedder.model
            )
            if self.paused is not None:
                raise ModelUnavailable(self.paused.message)
            if not pending or asyncio.get_running_loop().time() >= ends:
                return pending
            await asyncio.sleep(LOOK)

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            await self._pause.passed()
            self._awake.clear()
            try:
                has_worked = await self._round()
            except Exception as error:  # the outermost loop: tried again, or for a person to mend
                has_worked = False
                if not self._pause.begin(error):
                    log.exception("code was not embedded", extra={"action": "embedding_failed"})
                    await asyncio.sleep(RETRY)
            if not has_worked:
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL):
                        await self._awake.wait()

    async def _round(self) -> bool:
        """A step of each repository that has something left; whether there was one."""
        has_worked = False
        for id, changes in (await asyncio.to_thread(self._library.code.to_embed)).items():
            if self._done.get(id) != changes:
                with suppress(NotFound):  # it was deleted meanwhile
                    pending = await self._step(id)
                    if pending == 0:
                        self._done[id] = changes
                    has_worked = has_worked or bool(pending)
        return has_worked

    async def _step(self, id: str) -> int | None:
        """Chunks that are left; None where another process has it."""
        code = self._library.code
        until = written(datetime.now(UTC) + HELD)
        if not await asyncio.to_thread(code.hold, id, until):
            return None
        try:
            repository = await asyncio.to_thread(code.find, id)
            for snapshot in await asyncio.to_thread(code.snapshots, repository):
                view = await asyncio.to_thread(code.view, repository, snapshot.ref)
                with spending_for(Purpose(key=repository.name)):
                    done = await embed_code(view, self._embedder, STEP, library=self._library)
                if done.pending:
                    return done.pending
            return 0
        finally:
            await asyncio.to_thread(code.let_go, id, until)
