"""Claims the next queued item, runs its story (ingestion, or another index of what was ingested),
records how it ended."""

import asyncio
import logging
from collections.abc import Collection as Some
from contextlib import suppress
from itertools import count
from time import perf_counter

import msgspec

from rag.buying.buyer import Buyer
from rag.calibration import calibrate, is_due
from rag.domain import Collection, Failure, IndexId, ItemState, Source
from rag.errors import Conflict, InvalidDocument, ProviderError, RagError
from rag.holding import LEASE, Holding
from rag.ingestion import ingest
from rag.pausing import Pause
from rag.ports import Embedders, Member, Readers, Unpacker
from rag.reindexing import rebuild
from rag.spending import Purpose, spending_for
from rag.storage.claims import ClaimedItem
from rag.storage.library import Library
from rag.unpacking import members_of, take_apart
from rag.visiting import Visitor

log = logging.getLogger(__name__)

POLL = 2.0  # seconds between looks at the queue when nobody wakes us
SETTLING = 0.05  # seconds between looks at whether self-checks are done
BUILT = 4
"""Of so many items one is of an index that is built: it takes its time beside a steady stream of
documents, and comes to an end."""
RETRY = 10.0  # seconds between two tries to write down what became of an item


class Worker:
    """`lanes` documents at a time, until stopped.

    A stop lets the steps under way end; what is then unfinished keeps its place in the queue.
    """

    def __init__(
        self,
        library: Library,
        readers: Readers,
        embedders: Embedders,
        *,
        lanes: int,
        pause: Pause | None = None,
        buyer: Buyer | None = None,
        unpacker: Unpacker | None = None,
        visitor: Visitor | None = None,
    ) -> None:
        """
        Args:
            visitor: of what is queued by its address.
            unpacker: of archives; without one, an archive is what its reader makes of it.
            buyer: of what jobs in the batch lane need; it waits out the same pauses.
        """
        self._library = library
        self._readers = readers
        self._embedders = embedders
        self._lanes = lanes
        self._pause = pause or Pause()
        self._buyer = buyer
        self._unpacker = unpacker
        self._visitor = visitor
        self._holding = buyer.holding if buyer else Holding(library, lambda: self._pause.reason)
        self._turns = count(1)
        self._awake = asyncio.Event()
        self._checked: dict[IndexId, int] = {}
        """Chunks at the last self-check."""
        self._changed: dict[IndexId, Collection] = {}
        """Collections through these indexes, before the first document that came since."""
        self._missed: dict[IndexId, Collection] = {}
        """The same, before a self-check that failed."""
        self._under_way: set[object] = set()
        """One for each document, until its lane knows whether another follows."""
        self._checking = 0
        self._is_drained = False

    @property
    def paused(self) -> Failure | None:
        """Why nothing is begun at the moment; None while work goes on."""
        return self._pause.reason

    def wake(self) -> None:
        """There is something in the queue: look now. Call it on the worker's event loop."""
        self._awake.set()
        if self._visitor is not None:
            self._visitor.wake()

    async def settled(self) -> None:
        """Returns when no self-check is under way or about to be: one that is cut off was paid in
        vain. Of documents it waits for those under way: the last step of one comes after its job
        has ended."""
        under_way = set(self._under_way)
        while under_way & self._under_way and not self.paused:
            await asyncio.sleep(SETTLING)
        while self._checking or (self._changed and self._is_drained and not self.paused):
            await asyncio.sleep(SETTLING)

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as lanes:
            for _ in range(self._lanes):
                lanes.create_task(self._lane())
            lanes.create_task(self._holding.run())
            if self._visitor is not None:
                lanes.create_task(self._visitor.run(self._holding, self._awake.set))
            if self._buyer is not None:
                lanes.create_task(self._buyer.run())

    async def _lane(self) -> None:
        document = object()
        try:
            while True:
                await self._pause.passed()
                self._awake.clear()  # before looking: a wake that comes meanwhile is not lost
                claimed = await self._claim()
                self._under_way.discard(document)  # only now is it known what follows it
                if claimed is not None:
                    document = object()
                    self._under_way.add(document)
                    await self._process(claimed)
                    continue
                if self._is_drained:
                    await self._check_changed()
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL):
                        await self._awake.wait()
        finally:
            self._under_way.discard(document)

    async def _claim(self) -> ClaimedItem | None:
        claiming = asyncio.create_task(self._holding.claim(self._next))
        try:
            claimed = await asyncio.shield(claiming)
            self._is_drained = claimed is None and await asyncio.to_thread(
                self._library.jobs.is_drained, self._holding.ids
            )
            return claimed
        except asyncio.CancelledError:
            with suppress(Exception):  # then nothing was claimed
                if (claimed := await claiming) is not None:
                    await self._give_back(claimed)
                    self._holding.drop(claimed)
            raise
        except Exception as error:  # the queue cannot be read now: look again later
            if not self._paused_by(error):
                log.exception("no item could be claimed", extra={"action": "claim_failed"})
            return None

    def _next(self, in_hand: Some[int], is_calm: bool) -> ClaimedItem | None:
        return self._library.jobs.claim(
            lease=LEASE,
            in_hand=in_hand,
            is_calm=is_calm,
            builds_first=next(self._turns) % BUILT == 0,
        )

    async def _process(self, claimed: ClaimedItem) -> None:
        began = perf_counter()
        purpose = Purpose(claimed.collection.id, claimed.job_id, claimed.key)
        try:
            async with self._holding.working_on(claimed):
                with spending_for(purpose):
                    await self._story(claimed)
            self._pause.end()
            before = _before(claimed)
            self._changed.setdefault(before.index, self._missed.pop(before.index, before))
        except asyncio.CancelledError:
            await self._give_back(claimed)
            raise
        except Exception as error:  # the outermost loop: whatever happened is this item's end
            if self._paused_by(error):
                while not await self._give_back(claimed):
                    await asyncio.sleep(RETRY)
                return
            state, failure = _ending(error)
            log.log(
                logging.INFO if state == "refused" else logging.ERROR,
                "item ended badly",
                extra={"action": f"item_{state}", "code": failure.code},
                exc_info=failure.code == "internal",
            )
            await self._record(claimed, state, failure, perf_counter() - began)
        finally:
            if claimed.attempts > 1:  # it was alone, and others waited
                self.wake()

    async def _story(self, claimed: ClaimedItem) -> None:
        if claimed.builds is not None:
            await rebuild(claimed, embedders=self._embedders, library=self._library)
            return
        source = await asyncio.to_thread(self._library.jobs.source, claimed)
        members = await self._members(source)
        if self._unpacker is not None and members is not None:
            await take_apart(
                source, members, claimed, unpacker=self._unpacker, library=self._library
            )
            self.wake()
        else:
            await ingest(
                claimed,
                source,
                readers=self._readers,
                embedders=self._embedders,
                library=self._library,
            )

    async def _members(self, source: Source) -> tuple[Member, ...] | None:
        if self._unpacker is None:
            return None
        return await members_of(
            source, unpacker=self._unpacker, readers=self._readers, library=self._library
        )

    def _paused_by(self, error: Exception) -> bool:
        """Whether no work at all is begun for a while, because of this."""
        is_news = self._pause.reason is None
        begun = self._pause.begin(error)
        if begun and is_news:
            log.warning("work is paused", extra={"action": "paused", "reason": str(error)})
        return begun

    async def _give_back(self, claimed: ClaimedItem) -> bool:
        """Whether the item is ours no longer. It stays so until the next start where the database
        takes nothing now."""
        try:
            await asyncio.to_thread(self._library.jobs.release, claimed)
        except Conflict:  # it was cancelled, or its last step, on a thread, ended it
            return True
        except RagError:
            log.exception("an item was not given back", extra={"action": "release_failed"})
            return False
        return True

    async def _record(
        self, claimed: ClaimedItem, state: ItemState, failure: Failure, seconds: float
    ) -> None:
        """Writes down how the item ended, unless it is no longer ours to end: cancelled, or taken
        over after our lease ran out. A database that takes nothing now is asked again, for nobody
        else would have the item before its lease runs out."""
        while True:
            try:
                await asyncio.to_thread(
                    self._library.jobs.finish, claimed, state, error=failure, seconds=seconds
                )
                return
            except Conflict:
                log.info("an item was not ours any more", extra={"action": "item_lost"})
                return
            except Exception:
                log.exception("an item's end was not recorded", extra={"action": "finish_failed"})
                await asyncio.sleep(RETRY)

    async def _check_changed(self) -> None:
        """The queue is empty: indexes that grew have their self-check."""
        while self._changed:
            id, before = self._changed.popitem()
            self._checking += 1
            try:
                await self._check(before)
            except RagError as error:  # the weight stays as it was; the next document tries again
                self._missed[id] = before
                log.warning(
                    "self-check failed", extra={"action": "check_failed", "reason": str(error)}
                )
            except Exception:
                log.warning("self-check failed", extra={"action": "check_failed"}, exc_info=True)
            finally:
                self._checking -= 1

    async def _check(self, before: Collection) -> None:
        now = await asyncio.to_thread(self._library.indexes.view, before, before.index)
        if is_due(now.chunks, max(before.chunks, self._checked.get(now.index, 0))):
            with spending_for(Purpose(now.id)):
                await calibrate(now, embedders=self._embedders, library=self._library)
            self._checked[now.index] = now.chunks


def _before(claimed: ClaimedItem) -> Collection:
    """The collection before this item; an index that is built has had no self-check at all."""
    if claimed.builds is None:
        return claimed.collection
    return msgspec.structs.replace(claimed.collection, chunks=0)


def _ending(error: Exception) -> tuple[ItemState, Failure]:
    if isinstance(error, InvalidDocument):
        return "refused", Failure(error.code, "read", str(error))
    if isinstance(error, ProviderError):
        return "failed", Failure(error.code, "provider", str(error))
    if isinstance(error, RagError):
        return "failed", Failure(error.code, "ingest", str(error))
    return "failed", Failure(
        "internal",
        "ingest",
        f"an error of ours ({type(error).__name__}); the server's log has the details",
    )
