"""Fetches what is queued by its address: pages one by one, and sites page by page.

In lanes of their own, for whoever waits for a site needs no core, and keeps no document from being
read. What fails for now is tried again later; a process that stops gives back what it had, and a
crawl then begins again: what has not changed since is not read again.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from rag.domain import Failure, ItemState
from rag.errors import Conflict, FetchFailed, OutOfSpace, RagError
from rag.fetching import Wanted, fetch, page_source, page_to_fetch, trip_of
from rag.holding import Holding
from rag.sources.web.crawling import Bounds, Crawl, Visit
from rag.sources.web.fetching import Fetcher
from rag.storage.claims import ClaimedItem
from rag.storage.library import Library

log = logging.getLogger(__name__)

LANES = 4  # pages and sites fetched at a time
POLL = 2.0  # seconds between looks when nobody wakes us
PATIENCE = 10.0  # seconds before another look after our own disk or database failed

TRIES = 4
"""Of a page: what a site says of itself for two minutes is believed."""
BACKOFF = 5.0
"""Seconds before the second try, four times as many before each one after."""
LONGEST_WAIT = 900.0  # seconds, whatever the site asks for


class Visitor:
    """Works beside a worker, whose claims it shares."""

    def __init__(self, library: Library, fetcher: Fetcher, *, backoff: float = BACKOFF) -> None:
        self._library = library
        self._fetcher = fetcher
        self._backoff = backoff
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """There is something in the queue: look now."""
        self._awake.set()

    async def run(self, holding: Holding, came: Callable[[], None]) -> None:
        """Works until cancelled.

        Args:
            came: to be called when something is there to be read.
        """
        async with asyncio.TaskGroup() as lanes:
            for _ in range(LANES):
                lanes.create_task(self._lane(holding, came))

    async def _lane(self, holding: Holding, came: Callable[[], None]) -> None:
        while True:
            self._awake.clear()  # before looking: a wake that comes meanwhile is not lost
            claimed = await self._claim(holding)
            if claimed is not None:
                await self._process(claimed, holding, came)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._awake.wait()

    async def _claim(self, holding: Holding) -> ClaimedItem | None:
        claiming = asyncio.create_task(holding.claim_fetch())
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            with suppress(Exception):  # then nothing was claimed
                if (claimed := await claiming) is not None:
                    holding.drop(claimed)
                    await asyncio.to_thread(self._library.jobs.release, claimed)
            raise
        except Exception as error:  # the queue cannot be read now: look again later
            if not isinstance(error, OutOfSpace):
                log.exception("nothing could be claimed", extra={"action": "claim_failed"})
            await asyncio.sleep(PATIENCE)
            return None

    async def _process(
        self, claimed: ClaimedItem, holding: Holding, came: Callable[[], None]
    ) -> None:
        try:
            async with holding.working_on(claimed):
                await asyncio.to_thread(self._library.jobs.advance, claimed, "fetching")
                trip = trip_of(claimed.fetch or "")
                if trip.crawl is None:
                    await self._fetch(claimed, trip.url)
                else:
                    await self._crawl(claimed, trip.url, trip.crawl, came)
            came()
        except asyncio.CancelledError:
            with suppress(RagError):
                await asyncio.to_thread(self._library.jobs.release, claimed)
            raise
        except Conflict:
            log.info("an item was not ours any more", extra={"action": "item_lost"})
        except Exception as error:  # the outermost loop: whatever happened is this item's end
            await self._end(claimed, error)

    async def _fetch(self, claimed: ClaimedItem, url: str) -> None:
        wanted = Wanted(url, claimed.key, claimed.title, claimed.attributes)
        source = await fetch(
            wanted, claimed.collection, fetcher=self._fetcher, library=self._library
        )
        await asyncio.to_thread(self._library.jobs.keep_fetched, claimed, source)

    async def _crawl(
        self, claimed: ClaimedItem, url: str, bounds: Bounds, came: Callable[[], None]
    ) -> None:
        crawl = Crawl(url, bounds, self._fetcher)
        async for visit in crawl.visits():
            await self._note(visit, claimed)
            came()
        left = None
        if crawl.left:
            words = f"{crawl.left:,} more addresses were found and not visited; pages, depth and"
            left = Failure("bounds_reached", "fetch", f"{words} minutes say how far to go")
        await asyncio.to_thread(self._library.jobs.finish, claimed, "visited", error=left)

    async def _note(self, visit: Visit, claimed: ClaimedItem) -> None:
        """A page is queued to be read; one that cannot be had now is fetched again later, alone."""
        key, jobs = str(visit.address), self._library.jobs
        within, job = claimed.collection, claimed.job_id
        if visit.page is not None:
            stored = await asyncio.to_thread(self._library.documents.find_by_key, within, key)
            source = page_source(key, visit.page, stored, claimed.attributes)
            if not await asyncio.to_thread(jobs.has_come, job, source):
                await asyncio.to_thread(jobs.queue, within, [source], job=job)
        elif visit.failure is not None:
            wanted = page_to_fetch(Wanted(key, attributes=claimed.attributes))
            state, failure = _ending(visit.failure)
            known = None if _is_passing(visit.failure) else failure
            await asyncio.to_thread(
                jobs.queue_fetch, within, wanted, job=job, state=state, failure=known
            )
            self.wake()

    async def _end(self, claimed: ClaimedItem, error: Exception) -> None:
        """Later, or never."""
        state, failure = _ending(error)
        try:
            if isinstance(error, OutOfSpace):
                await asyncio.to_thread(self._library.jobs.release, claimed)
                await asyncio.sleep(PATIENCE)
            elif _is_passing(error) and claimed.tries + 1 < TRIES:
                asked = getattr(error, "retry_after", None) or 0.0
                wait = max(asked, self._backoff * 4.0**claimed.tries)
                await asyncio.to_thread(
                    self._library.jobs.postpone, claimed, min(wait, LONGEST_WAIT), failure
                )
            else:
                if failure.code == "internal":
                    log.error("a fetch failed", exc_info=error, extra={"action": "fetch_failed"})
                await asyncio.to_thread(self._library.jobs.finish, claimed, state, error=failure)
        except Conflict:  # it was cancelled
            log.info("an item was not ours any more", extra={"action": "item_lost"})
        except RagError:  # its lease runs out, and it is fetched again
            log.exception("a fetch's end was not recorded", extra={"action": "finish_failed"})


def _is_passing(error: Exception) -> bool:
    return isinstance(error, FetchFailed) and error.is_passing


def _ending(error: Exception) -> tuple[ItemState, Failure]:
    if isinstance(error, RagError):
        state: ItemState = "failed" if isinstance(error, FetchFailed) else "refused"
        return state, Failure(error.code, "fetch", str(error))
    words = f"an error of ours ({type(error).__name__}); the server's log has the details"
    return "failed", Failure("internal", "fetch", words)
