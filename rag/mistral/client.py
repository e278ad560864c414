"""The one door to the provider: whoever calls it waits his turn, and is told our own errors."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
from msgspec import Struct

from rag.errors import MalformedReply, ProviderError
from rag.mistral.booking import Booking, booked
from rag.mistral.calls import Call, Paid, Value
from rag.mistral.connection import BASE_URL, Connection
from rag.mistral.failures import MayPass
from rag.mistral.patience import BULK, INTERACTIVE, Patience
from rag.mistral.wire.decoding import decode
from rag.mistral.wire.models import ModelCard, ModelList
from rag.ports import Ledger
from rag.spending import Bill, Bought, Intent

log = logging.getLogger(__name__)

_QUICK = 10.0
"""Seconds for a call that does no work."""

_LARGEST_LIST = 8 * 1024 * 1024
"""Bytes; the card of a model has some two thousand."""

_DEAR_FAILURES = 2
"""Of one call until it is given up: replies that were too slow or not readable, and yet were
probably billed."""


class Stream(Struct, frozen=True):
    """A reply that is still arriving."""

    pieces: AsyncIterator[bytes]
    booking: Booking

    async def settle(self, bill: Bill, bought: Bought | None = None) -> None:
        """To be called when the reply has told its usage; else the call counts as lost."""
        await self.booking.settle(bill, bought)


class MistralClient:
    """Speaks to one account. Safe to share among tasks; `close` it once."""

    def __init__(
        self,
        api_key: str,
        ledger: Ledger | None = None,
        *,
        base_url: str = BASE_URL,
        headers: Mapping[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """
        Args:
            ledger: where paid calls are written down; nowhere where None.
            headers: sent besides our own, and instead of them where they have the same name.
            transport: what carries the requests; the network where None.
            sleep: waits so many seconds.
            chance: uniform in [0, 1).

        Raises:
            InvalidSettings: the key, the base URL or a header cannot be one.
        """
        self._connection = Connection(
            api_key, base_url=base_url, headers=headers, transport=transport
        )
        self._ledger = ledger
        self._places = {each: asyncio.Semaphore(each.places) for each in (BULK, INTERACTIVE)}
        self._retiring: set[str] = set()
        """Models whose retirement was told."""
        self._sleep = sleep
        self._chance = chance

    def __repr__(self) -> str:
        return f"MistralClient({self._connection.host!r})"

    async def close(self) -> None:
        await self._connection.close()

    async def ask(
        self,
        call: Call,
        read: Callable[[bytes], Value],
        *,
        patience: Patience,
        paid: Paid[Value] | None = None,
    ) -> Value:
        """What `read` makes of the reply. Repeated where a failure may pass; the provider knows
        no idempotency key, so a reply that was lost on its way may be billed twice.

        Args:
            read: body -> value; raises MalformedReply for a body not to be believed.
            paid: how each attempt is written down; None for a call that costs nothing.

        Raises:
            BudgetExhausted: it would cost more than is allowed, and was not made.
            KeyRefused: nothing is done for this key; what else is to be done must wait.
            Refused: this will not be done, however often it is asked.
            RateLimited: it asks us to wait longer than the patience lasts.
            ProviderUnavailable: it is down, or too slow.
            MalformedReply: it answered in no shape that was agreed.
        """

        async def attempt() -> Value:
            async with self._places[patience]:
                return await self._answer(call, read, paid)

        return await self._persist(call, patience, attempt)

    @asynccontextmanager
    async def stream(
        self, call: Call, *, patience: Patience, intent: Intent | None = None
    ) -> AsyncIterator[Stream]:
        """A reply piece by piece. Repeated until it begins, and not afterwards: what the reader
        has seen cannot be taken back. Leaving the block ends the reply.

        Raises:
            As `ask` does; the pieces too.
        """
        async with AsyncExitStack() as held:

            async def attempt() -> Stream:
                async with AsyncExitStack() as opened:
                    await opened.enter_async_context(self._places[patience])
                    booking = await opened.enter_async_context(booked(self._ledger, intent))
                    incoming = await opened.enter_async_context(self._connection.open(call))
                    self._warn_of_retirement(call, incoming.headers)
                    held.push_async_exit(opened.pop_all())
                    return Stream(_told(incoming.pieces), booking)

            yield await self._persist(call, patience, attempt)

    async def models(self) -> tuple[ModelCard, ...]:
        """Every model that the key may use, with the date on which it goes, where that is known.
        Costs nothing, and a wrong key is refused: the cheapest way to try one.

        Raises:
            ProviderError: the key was refused, or the provider failed.
        """
        call = Call("/v1/models", "list of models", None, _QUICK, _LARGEST_LIST)
        reply = await self.ask(call, lambda body: decode(body, ModelList), patience=INTERACTIVE)
        return reply.data

    async def _persist(
        self, call: Call, patience: Patience, attempt: Callable[[], Awaitable[Value]]
    ) -> Value:
        attempts = dear = 0
        while True:
            attempts += 1
            try:
                return await attempt()
            except MayPass as failure:
                wait = patience.wait(attempts, failure.retry_after, self._chance())
                dear += failure.is_dear
                if wait is None or dear == _DEAR_FAILURES:
                    raise failure.error from failure.__cause__
                _tell_of_retry(call, attempts, failure.error, wait)
            await self._sleep(wait)

    async def _answer(
        self, call: Call, read: Callable[[bytes], Value], paid: Paid[Value] | None
    ) -> Value:
        async with booked(self._ledger, paid.intent if paid else None) as booking:
            reply = await self._connection.exchange(call)
            self._warn_of_retirement(call, reply.headers)
            try:
                value = read(reply.body)
            except MalformedReply as error:
                bill = paid.bill_of_unusable(reply.body) if paid else None
                if bill is not None:
                    await booking.settle(bill)
                raise MayPass(error, is_dear=True) from error.__cause__
            if paid is not None:
                await booking.settle(*paid.bill(value))
            return value

    def _warn_of_retirement(self, call: Call, headers: Mapping[str, str]) -> None:
        """Once for each model."""
        retires = headers.get("x-model-deprecation-timestamp")
        if retires and call.model not in self._retiring:
            self._retiring.add(call.model)
            log.warning(
                "a model is about to be retired",
                extra={"action": "model_retires", "model": call.model, "on": retires[:40]},
            )


async def _told(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for piece in pieces:
            yield piece
    except MayPass as failure:
        raise failure.error from failure.__cause__


def _tell_of_retry(call: Call, attempt: int, error: ProviderError, wait: float) -> None:
    log.info(
        "provider call is repeated",
        extra={
            "action": "provider_retry",
            "model": call.model,
            "attempt": attempt,
            "reason": error.code,
            "wait": round(wait, 2),
        },
    )
