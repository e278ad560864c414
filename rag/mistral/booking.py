"""One attempt of a paid call, as the ledger sees it: an intent before, and one word on it after."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from rag.mistral.failures import is_free
from rag.ports import Ledger
from rag.spending import Bill, Bought, Intent, IntentId

Done = TypeVar("Done")


class Booking:
    """An intent that is written down, and waits for the word that ends it."""

    def __init__(self, ledger: Ledger | None, intent: IntentId | None) -> None:
        self._ledger = ledger
        self._intent = intent

    async def settle(self, bill: Bill, bought: Bought | None = None) -> None:
        """The call was billed. What it bought is kept when this returns."""
        await self._end(lambda ledger, intent: ledger.settle(intent, bill, bought))

    async def close(self, failure: BaseException | None) -> None:
        """Ends what was not settled: `failure` tells whether the call may have been billed."""
        if failure is not None and is_free(failure):
            await self._end(lambda ledger, intent: ledger.withdraw(intent))
        else:
            await self._end(lambda ledger, intent: ledger.lose(intent))

    async def _end(self, write: Callable[[Ledger, IntentId], None]) -> None:
        ledger, intent, self._intent = self._ledger, self._intent, None
        if ledger is not None and intent is not None:
            await surely(asyncio.to_thread(write, ledger, intent))


@asynccontextmanager
async def booked(ledger: Ledger | None, intent: Intent | None) -> AsyncIterator[Booking]:
    """The intent is on disk before the block begins; after it the call is settled, withdrawn or
    lost, however the block is left. Nothing is written where there is no ledger or no intent.

    Raises:
        BudgetExhausted: the call must not leave.
    """
    booking = Booking(ledger, await _intended(ledger, intent) if ledger and intent else None)
    try:
        yield booking
    except BaseException as failure:
        await booking.close(failure)
        raise
    await booking.close(None)


async def _intended(ledger: Ledger, intent: Intent) -> IntentId:
    writing = asyncio.ensure_future(asyncio.to_thread(ledger.intend, intent))
    try:
        return await surely(writing)
    except asyncio.CancelledError:
        if writing.exception() is None:
            await surely(asyncio.to_thread(ledger.withdraw, writing.result()))
        raise


async def surely(work: Awaitable[Done]) -> Done:
    """Done to its end also where the task is cancelled meanwhile, and be it twice; the task is
    told afterwards."""
    doing = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not doing.done():
        try:
            await asyncio.wait([doing])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from doing.exception()
    return doing.result()
