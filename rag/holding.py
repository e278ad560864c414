"""What a process has claimed stays its own while it lives.

Every few seconds a sign of life for all of it goes to the database. What turns out to be another's
by then, or cancelled, is dropped where it is: what it would cost from there on is not spent.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from collections.abc import Collection as Some
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic

from rag.domain import Failure
from rag.errors import Conflict
from rag.storage.claims import ClaimedItem
from rag.storage.library import Library

log = logging.getLogger(__name__)

LEASE = 60.0
"""Seconds after which what a dead process had is anybody's. A publication takes ten at most, and a
removal, for which all others wait, about as long."""

BEAT = 15.0
"""Seconds between two signs of life: three may be lost."""

CALM = 60.0
"""Seconds that a process has lived before it tries what was in hand when several died: who kills
processes now and then from outside does not come in between."""


class Holding:
    """All that the worker and the buyer of one process have claimed."""

    def __init__(
        self,
        library: Library,
        paused: Callable[[], Failure | None],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """
        Args:
            paused: why the process begins nothing at the moment.
        """
        self._clock = clock
        self._began = clock()
        self._claiming = asyncio.Lock()
        self._library = library
        self._paused = paused
        self._held: dict[int, tuple[ClaimedItem, Callable[[], None]]] = {}

    @property
    def ids(self) -> frozenset[int]:
        """Of the items in hand."""
        return frozenset(self._held)

    async def claim(
        self, find: Callable[[Some[int], bool], ClaimedItem | None]
    ) -> ClaimedItem | None:
        """What is found, in hand from then on.

        Args:
            find: on a thread; it hears what is in hand, and whether the process is calm.
        """
        async with self._claiming:  # what has to be alone is not claimed beside another
            is_calm = self._clock() - self._began >= CALM
            in_hand = {id for id, (each, _) in self._held.items() if each.fetch is None}
            return self._taken(await asyncio.to_thread(find, in_hand, is_calm))

    async def claim_fetch(self) -> ClaimedItem | None:
        """What is still to be fetched, in hand from then on."""
        async with self._claiming:
            find = partial(self._library.jobs.claim_fetch, lease=LEASE, in_hand=self.ids)
            return self._taken(await asyncio.to_thread(find))

    def _taken(self, claimed: ClaimedItem | None) -> ClaimedItem | None:
        if claimed is not None:
            self.take(claimed)
        return claimed

    def take(self, claimed: ClaimedItem, lost: Callable[[], None] = lambda: None) -> None:
        """
        Args:
            lost: called once when it is found to be another's, or cancelled.
        """
        self._held[claimed.item_id] = (claimed, lost)

    def drop(self, claimed: ClaimedItem) -> None:
        """It has ended, or was given back."""
        if self._held.get(claimed.item_id, (None,))[0] == claimed:
            del self._held[claimed.item_id]

    @asynccontextmanager
    async def working_on(self, claimed: ClaimedItem) -> AsyncIterator[None]:
        """
        Raises:
            Conflict: the item is not ours any more; the block was left at its next await.
        """
        scope = asyncio.timeout(None)
        now = asyncio.get_running_loop().time
        self.take(claimed, lambda: scope.reschedule(now()))
        try:
            async with scope:
                yield
        except TimeoutError:
            if not scope.expired():
                raise
            raise Conflict("the item was cancelled, or is another worker's by now") from None
        finally:
            self.drop(claimed)

    async def run(self) -> None:
        """Shows life until cancelled."""
        try:
            while True:
                await self.beat()
                await asyncio.sleep(BEAT)
        finally:
            await asyncio.shield(asyncio.to_thread(self._leave))

    async def beat(self) -> None:
        """Whatever fails here is tried again with the next one."""
        held = dict(self._held)
        claims = [claimed.claim for claimed, _ in held.values()]
        try:
            lost = await asyncio.to_thread(
                self._library.jobs.show_life, claims, lease=LEASE, paused=self._paused()
            )
        except Exception:
            log.exception("no sign of life was given", extra={"action": "beat_failed"})
            return
        for id in lost:
            claimed, tell = held[id]
            if self._held.get(id, (None,))[0] == claimed:
                log.info("an item was taken away", extra={"action": "item_lost"})
                del self._held[id]
                tell()

    def _leave(self) -> None:
        try:
            self._library.jobs.leave()
        except Exception:  # it counts as dead a little later
            log.exception("the end was not told", extra={"action": "leave_failed"})
