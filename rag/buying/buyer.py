"""The story of the batch lane: what a job needs is bought ahead, in batches, at half the price.

An item passes two steps before the workers have it: what its pages cost is bought, then what its
passages cost. The workers then find all of it bought, and what a batch failed to buy is simply
missing: they buy that at once. Safe to interrupt at any point: what is in a batch is on disk before
the provider hears of it, and what came of it when its call is settled.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from collections.abc import Collection as Some
from contextlib import suppress
from time import monotonic

from rag.buying.needs import Needs, to_be_embedded, to_be_read
from rag.domain import Failure
from rag.errors import (
    Conflict,
    InvalidRequest,
    KeyRefused,
    MalformedReply,
    ProviderRefused,
    RagError,
)
from rag.holding import BEAT, LEASE, Holding
from rag.pausing import Pause
from rag.ports import BatchLane, Embedders, Readers, Unpacker
from rag.spending import Ending, Purpose, spending_for
from rag.storage.claims import ClaimedItem
from rag.storage.library import Library
from rag.storage.orders import Batch, Placed, Queue, Step, Wish

log = logging.getLogger(__name__)

LARGEST_BATCH = 64 * 1024 * 1024
"""Bytes out and back, about: they are in memory together. Some 1,000 dense pages or 3,000 passages;
a document that has more alone goes in several batches."""

QUIET = 10.0
"""Seconds in which nothing came to a job, before its items are put together: handed in one by one,
they would else make a batch each."""

TOGETHER = 4
"""Documents that are read at the same time while a batch is put together."""

POLL = 2.0
"""Seconds between looks at our own queue, and for batches that nobody wants any more."""

SEARCHES = 6
"""Looks for a batch whose creation was not heard of, over two minutes: then there is none."""

UNREADABLE = 60
"""Looks at a batch that cannot be read, over an hour, until its results count as lost: they were
paid, and may be kept for a day only."""


class Buyer:
    """Fills batches and follows them, until stopped."""

    def __init__(
        self,
        library: Library,
        readers: Readers,
        embedders: Embedders,
        lane: BatchLane,
        *,
        pause: Pause,
        clock: Callable[[], float] = monotonic,
        quiet: float = QUIET,
        unpacker: Unpacker | None = None,
    ) -> None:
        """
        Args:
            unpacker: as of the worker.
            quiet: seconds, as `QUIET` says.
        """
        self._library = library
        self._orders = library.orders
        self._readers = readers
        self._embedders = embedders
        self._lane = lane
        self._pause = pause
        self._clock = clock
        self._quiet = quiet
        self._unpacker = unpacker
        self.holding = Holding(library, lambda: pause.reason)
        """What is being put together, and what the workers of this process have."""
        self._seen: dict[tuple[str, str], tuple[int, int, float]] = {}
        """How many items a queue had, its last one, and since when."""
        self._due: dict[str, float] = {}
        """When each batch is looked at next."""
        self._unreadable: dict[str, int] = {}
        self._sending: str | None = None
        """The batch that is leaving: nobody else looks after it."""

    async def run(self) -> None:
        """Works until cancelled, whenever no other process of the library does."""
        while True:
            await self._until_leading()
            try:
                await self._lead()
            except* _Deposed:
                log.warning("another process buys now", extra={"action": "buyer_deposed"})

    async def _until_leading(self) -> None:
        while not await self._leads():
            await asyncio.sleep(POLL)

    async def _lead(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._stay_leading())
                await self._until_done(self.recover)
                group.create_task(self._again_and_again(self.order))
                group.create_task(self._again_and_again(self.follow))
        finally:
            with suppress(RagError):  # or it ends by itself
                await asyncio.shield(asyncio.to_thread(self._orders.resign))

    async def _stay_leading(self) -> None:
        """
        Raises:
            _Deposed: another leads, or may by now.
        """
        last = monotonic()
        while True:
            await asyncio.sleep(BEAT)
            if await self._leads():
                last = monotonic()
            elif monotonic() - last > LEASE - BEAT:
                raise _Deposed

    async def _leads(self) -> bool:
        """False where nobody can tell."""
        try:
            return await asyncio.to_thread(self._orders.lead, LEASE)
        except RagError:
            log.exception("the buyer cannot be told", extra={"action": "lead_failed"})
            return False

    async def recover(self) -> None:
        """Batches that a former process had not sent: the provider never heard of them."""
        for batch in await asyncio.to_thread(self._orders.open_batches):
            if batch.state == "made":
                await asyncio.to_thread(self._orders.dissolve, batch.id)

    async def order(self) -> None:
        """Puts together what has been waiting for a while, and sends it."""
        queues = await asyncio.to_thread(self._orders.queues)
        self._seen = {_key(queue): self._since(queue) for queue in queues}
        for queue in queues:
            is_quiet = self._clock() - self._seen[_key(queue)][2] >= self._quiet
            if is_quiet and not self._pause.reason:
                await self._fill(queue)

    async def follow(self) -> None:
        """Looks at each batch that is due, and takes in what has ended."""
        batches = await asyncio.to_thread(self._orders.open_batches)
        self._due = {batch.id: self._due.get(batch.id, 0.0) for batch in batches}
        for batch in batches:
            if batch.state == "made" or batch.id == self._sending or self._pause.reason:
                continue
            if batch.state == "under_way" and not batch.is_wanted:
                await self._tried(self._cancel, batch)
            elif self._due[batch.id] <= self._clock():
                self._due[batch.id] = self._clock() + self._lane.wait(batch.looks)
                await self._tried(self._search if batch.state == "sent" else self._look, batch)

    # --- filling ---

    def _since(self, queue: Queue) -> tuple[int, int, float]:
        before = self._seen.get(_key(queue))
        if before is not None and before[:2] == (queue.items, queue.last):
            return before
        return queue.items, queue.last, self._clock()

    async def _fill(self, queue: Queue) -> None:
        """One batch, or as many as one document needs; whatever is left comes in the next round."""
        basket = _Basket()
        try:
            while basket.size < LARGEST_BATCH and await self._add(queue, basket):
                pass
            placed = await asyncio.to_thread(
                self._orders.place, basket.wishes, largest=LARGEST_BATCH, most=self._lane.most
            )
        except BaseException:
            for claimed in [*basket.in_hand, *(wish.claimed for wish in basket.wishes)]:
                await self._give_back(claimed)
            raise
        finally:
            for claimed in basket.claimed:
                self.holding.drop(claimed)
        is_going = True
        for each in placed:
            is_going = is_going and await self._send(each)
            if not is_going:  # what stopped one would stop the others
                await asyncio.to_thread(self._orders.dissolve, each.batch.id)

    async def _add(self, queue: Queue, basket: "_Basket") -> bool:
        """Whether there were more items."""

        def find(in_hand: Some[int], is_calm: bool) -> ClaimedItem | None:
            return self._orders.claim(queue, lease=LEASE, in_hand=in_hand, is_calm=is_calm)

        while len(basket.in_hand) < TOGETHER:
            claimed = await self.holding.claim(find)
            if claimed is None:
                break
            basket.claimed.append(claimed)
            basket.in_hand.append(claimed)
        looking = (self._needs_of(claimed, queue.step) for claimed in basket.in_hand)
        found = await asyncio.gather(*looking, return_exceptions=True)
        for needs in found:
            if isinstance(needs, Exception) and self._pause.begin(needs):
                raise needs
            with suppress(Conflict):  # it was cancelled
                if isinstance(needs, BaseException):
                    # whatever it is, the workers will meet it, and record it
                    log.info("an item is left to the workers", extra={"action": "batch_let_go"})
                    await asyncio.to_thread(self._orders.let_go, basket.in_hand[0])
                else:
                    await self._put(basket.in_hand[0], needs, basket)
            del basket.in_hand[0]
        return bool(found)

    async def _needs_of(self, claimed: ClaimedItem, step: Step) -> Needs:
        with spending_for(Purpose(claimed.collection.id, claimed.job_id, claimed.key)):
            if step == "read":
                return await to_be_read(claimed, self._readers, self._unpacker, self._library)
            return await to_be_embedded(
                claimed, self._readers, self._embedders, self._unpacker, self._library
            )

    async def _put(self, claimed: ClaimedItem, needs: Needs, basket: "_Basket") -> None:
        """What nobody buys yet goes into the basket; for the rest the item waits as well."""
        under_way = await asyncio.to_thread(self._orders.on_their_way, needs.purchases)
        here = basket.purchases.intersection(needs.purchases)
        others = here.union(under_way)
        own = await asyncio.to_thread(needs.errands_but, others)
        if own or under_way or here:
            basket.put(Wish(claimed, tuple(own), frozenset(under_way.values())))
        else:
            await asyncio.to_thread(self._orders.pass_on, claimed)

    async def _send(self, placed: Placed) -> bool:
        """Whether it was taken, or may have been."""
        id = placed.batch.id
        self._sending = id

        async def sending() -> None:
            await asyncio.to_thread(self._orders.sending, id)

        try:
            created = await self._lane.send(id, placed.errands, sending)
        except Exception as error:
            failure = None if self._pause.begin(error) else _failure(error)
            await asyncio.to_thread(self._orders.dissolve, id, failure)
            log.warning(
                "a batch was not taken",
                extra={"action": "batch_refused"},
                exc_info=not isinstance(error, RagError),
            )
            return False
        finally:
            self._sending = None
        self._due[id] = self._clock() + self._lane.wait(0)
        if created is not None:
            await asyncio.to_thread(self._orders.created, id, created)
            log.info("a batch is under way", extra={"action": "batch_sent"})
        return True

    # --- following ---

    async def _search(self, batch: Batch) -> None:
        """For one that was sent, and of which nothing was heard."""
        found = await self._lane.find(batch.id, batch.model)
        if found is not None:
            await asyncio.to_thread(self._orders.created, batch.id, found)
            self._due[batch.id] = self._clock()
            return
        await asyncio.to_thread(self._orders.looked, batch.id)
        if batch.looks + 1 >= SEARCHES:
            log.warning("a batch was never created", extra={"action": "batch_lost"})
            await asyncio.to_thread(self._orders.lose, batch.id, "unheard of", again=True)

    async def _look(self, batch: Batch) -> None:
        id = batch.provider_id or ""
        try:
            ended = await self._lane.look(id)
            await asyncio.to_thread(self._orders.looked, batch.id)
            if ended is None:
                return
            requests = await asyncio.to_thread(self._orders.requests, batch.id)
            async for name, ending in self._lane.endings(id, requests):
                await asyncio.to_thread(self._end_request, batch, name, ending)
        except (ProviderRefused, MalformedReply) as error:
            if isinstance(error, KeyRefused) or not self._is_hopeless(batch, error):
                raise
            log.warning("a batch's results are lost", extra={"action": "batch_lost"})
            await asyncio.to_thread(self._orders.lose, batch.id, "lost", again=False)
            return
        is_ours = batch.state == "cancelling"
        await asyncio.to_thread(self._orders.end, batch.id, ended, again=is_ours)
        log.info("a batch has ended", extra={"action": "batch_ended", "state": ended})
        with suppress(RagError):  # they go by themselves, only later
            await self._lane.tidy(id)

    def _end_request(self, batch: Batch, name: str, ending: Ending) -> None:
        try:
            self._orders.end_request(batch.id, name, ending)
        except InvalidRequest:  # it cannot be kept, and was billed all the same
            log.warning("a result cannot be kept", extra={"action": "batch_result_unusable"})
            self._orders.end_request(batch.id, name, Ending(ending.bill))

    def _is_hopeless(self, batch: Batch, error: RagError) -> bool:
        """A refusal stays one; what cannot be read is fetched again a few times."""
        if isinstance(error, ProviderRefused):
            return True
        self._unreadable[batch.id] = self._unreadable.get(batch.id, 0) + 1
        return self._unreadable[batch.id] >= UNREADABLE

    async def _cancel(self, batch: Batch) -> None:
        with suppress(ProviderRefused):  # it has ended meanwhile
            await self._lane.cancel(batch.provider_id or "")
        await asyncio.to_thread(self._orders.cancelling, batch.id)
        self._due[batch.id] = self._clock()

    # --- going on, whatever happens ---

    async def _tried(self, step: Callable[[Batch], Awaitable[None]], batch: Batch) -> None:
        """What fails here is tried again at the next look; the other batches are not held up."""
        try:
            await step(batch)
        except Exception as error:
            if not self._pause.begin(error):
                log.warning(
                    "a batch could not be looked at", extra={"action": "batch_look"}, exc_info=True
                )

    async def _again_and_again(self, round: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._until_done(round)
            await asyncio.sleep(POLL)

    async def _until_done(self, round: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._pause.passed()
            try:
                await round()
                return
            except Exception as error:  # the outermost loop
                if not self._pause.begin(error):
                    log.exception("batches do not go on", extra={"action": "batches_failed"})
                await asyncio.sleep(POLL)

    async def _give_back(self, claimed: ClaimedItem) -> None:
        with suppress(Conflict):
            await asyncio.to_thread(self._library.jobs.release, claimed)


class _Deposed(Exception):
    """Another process buys."""


class _Basket:
    """What goes into the next batch."""

    def __init__(self) -> None:
        self.wishes: list[Wish] = []
        self.purchases: set[bytes] = set()
        self.size = 0
        self.in_hand: list[ClaimedItem] = []
        """Claimed, and not yet put anywhere."""
        self.claimed: list[ClaimedItem] = []
        """All that were."""

    def put(self, wish: Wish) -> None:
        self.wishes.append(wish)
        self.purchases.update(what for errand in wish.errands for what in errand.buys)
        self.size += sum(len(errand.body) + errand.reply_size for errand in wish.errands)


def _key(queue: Queue) -> tuple[str, str]:
    return queue.job, queue.step


def _failure(error: Exception) -> Failure:
    """Why items fail whose batch was refused."""
    if isinstance(error, RagError):
        return Failure(error.code, "batch", f"{error}; hand it in again without the batch lane")
    words = f"an error of ours ({type(error).__name__}); the server's log has the details"
    return Failure("internal", "batch", words)
