"""The one door to the provider: whoever calls it waits his turn, and is told our own errors."""

import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

import httpx
from msgspec import Struct

from rag.errors import ProviderError, RateLimited
from rag.mistral.booking import Booking, booked
from rag.mistral.calls import Call, Paid, Value
from rag.mistral.connection import BASE_URL, IDLE, Connection
from rag.mistral.failures import MayPass
from rag.mistral.hosts import Host, rooted
from rag.mistral.pacing.clock import Clock, LoopClock
from rag.mistral.pacing.lanes import Lanes, Place
from rag.mistral.pacing.limits import Limits, limits
from rag.mistral.pacing.pace import Lane
from rag.mistral.patience import INTERACTIVE, Patience, RetryBudget, date_of
from rag.mistral.understanding import taken
from rag.mistral.wire.decoding import decode
from rag.mistral.wire.models import ModelCard, ModelList
from rag.ports import Ledger
from rag.spending import Bill, Bought, Intent, Units

log = logging.getLogger(__name__)

_QUICK = 10.0
"""Seconds for a call that does no work."""

_LARGEST_LIST = 8 * 1024 * 1024
"""Bytes; the card of a model has some two thousand."""

_LONGEST_POVERTY = 30.0
"""Seconds for which bulk work waits for a retry that others must earn first."""

_DEAR_FAILURES = 2
"""Of one call until it is given up: replies that were too slow or not readable, and yet were
probably billed."""


class Stream:
    """A reply that is still arriving."""

    def __init__(self, pieces: AsyncIterator[bytes], booking: Booking, place: Place) -> None:
        self.pieces = pieces
        """Decompressed."""
        self._booking = booking
        self._place = place

    async def settle(self, bill: Bill, bought: Bought | None = None) -> None:
        """To be called when the reply has told its usage; else the call counts as lost."""
        self._place.used = _units(bill.units)
        await self._booking.settle(bill, bought)


class Look(Struct, frozen=True):
    """What one free call tells."""

    models: tuple[ModelCard, ...]
    date: datetime | None
    """The provider's own clock, to the second."""
    limits: Limits
    """As far as the headers tell them."""


class MistralClient:
    """Speaks to one account. Safe to share among tasks; `close` it once."""

    def __init__(
        self,
        account: str | Host,
        ledger: Ledger | None = None,
        *,
        base_url: str = BASE_URL,
        headers: Mapping[str, str] | None = None,
        idle: float = IDLE,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """
        Args:
            account: a host and how it is authorized at, or a key of Mistral's.
            ledger: where paid calls are written down; nowhere where None.
            base_url, headers: of Mistral, or what stands for it; a `Host` has its own. Headers
                are sent besides ours, and instead of them where they have the same name.
            idle: seconds between two pieces of a reply that has begun.
            transport: what carries the requests; the network where None.
            clock: the event loop's where None.
            chance: uniform in [0, 1).

        Raises:
            InvalidSettings: the key, the base URL or a header cannot be one.
        """
        if not isinstance(account, Host):
            account = Host(rooted(base_url), account, tuple((headers or {}).items()))
        self.host = account
        self._connection = Connection(
            account.api_key,
            base_url=account.base_url,
            headers=dict(account.headers),
            idle=idle,
            transport=transport,
        )
        self._ledger = ledger
        self._clock = clock or LoopClock()
        self._lanes = Lanes(self._clock, chance)
        self._retries: dict[Lane, RetryBudget] = {
            "bulk": RetryBudget(),
            "interactive": RetryBudget(),
        }
        self._retiring: set[str] = set()
        """Models whose retirement was told."""
        self._chance = chance

    def __repr__(self) -> str:
        return f"MistralClient({self.host!r})"

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
        ticket = self._lanes.ticket()
        expected = _units(paid.intent.most) if paid else 0.0

        async def attempt() -> Value:
            async with self._lanes.place(call, ticket, patience, expected) as place:
                return await self._answer(call, read, paid, place)

        with self.host.speaking():
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
        ticket = self._lanes.ticket()
        expected = _units(intent.most) if intent else 0.0
        async with AsyncExitStack() as held:
            held.enter_context(self.host.speaking())

            async def attempt() -> Stream:
                async with AsyncExitStack() as opened:
                    place = await opened.enter_async_context(
                        self._lanes.place(call, ticket, patience, expected)
                    )
                    booking = await opened.enter_async_context(booked(self._ledger, intent))
                    incoming = await opened.enter_async_context(self._connection.open(call))
                    place.headers = incoming.headers
                    self._lanes.begin(call, place)
                    self._warn_of_retirement(call, incoming.headers)
                    held.push_async_exit(opened.pop_all())
                    return Stream(_told(incoming.pieces), booking, place)

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

    async def look(self) -> Look:
        """The same in one attempt, with what its headers say. Costs nothing.

        Raises:
            ProviderError: the key was refused, or the provider cannot be reached.
        """
        call = Call("/v1/models", "list of models", None, _QUICK, _LARGEST_LIST)
        with self.host.speaking():
            try:
                reply = await self._connection.exchange(call)
            except MayPass as failure:
                raise failure.error from failure.__cause__
            models = decode(reply.body(), ModelList).data
            return Look(models, date_of(reply.headers), limits(reply.headers))

    async def _persist(
        self, call: Call, patience: Patience, attempt: Callable[[], Awaitable[Value]]
    ) -> Value:
        attempts = dear = 0
        while True:
            try:
                value = await attempt()
            except MayPass as failure:
                is_limited = isinstance(failure.error, RateLimited)
                is_all = is_limited or self._lanes.is_in_trouble(call)
                attempts += not (is_all and patience.lane == "bulk")
                dear += failure.is_dear
                is_over = attempts >= patience.attempts or dear >= _DEAR_FAILURES
                is_long = (failure.retry_after or 0.0) > patience.longest_wait
                if is_over or is_long or not await self._may_retry(patience):
                    raise failure.error from failure.__cause__
                _tell_of_retry(call, attempts, failure.error)
            else:
                self._retries[patience.lane].earn()
                return value
            if not is_limited:  # a limit holds up all calls to the model, in the lanes
                await self._clock.sleep(patience.backoff(max(1, attempts), self._chance()))

    async def _may_retry(self, patience: Patience) -> bool:
        """Bulk work waits a while for others to earn a retry for it."""
        retries = self._retries[patience.lane]
        ends = self._clock.now() + (_LONGEST_POVERTY if patience.lane == "bulk" else 0.0)
        while not retries.spend():
            if self._clock.now() >= ends:
                return False
            await self._clock.sleep(1.0)
        return True

    async def _answer(
        self, call: Call, read: Callable[[bytes], Value], paid: Paid[Value] | None, place: Place
    ) -> Value:
        async with booked(self._ledger, paid.intent if paid else None) as booking:
            reply = await self._connection.exchange(call)
            place.headers = reply.headers
            self._warn_of_retirement(call, reply.headers)
            value, bill = await taken(reply, read, paid, booking)
            place.used = _units(bill.units) if bill else None
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


def _units(units: Units) -> float:
    return float(units.input + units.output)


def _tell_of_retry(call: Call, attempt: int, error: ProviderError) -> None:
    log.info(
        "provider call is repeated",
        extra={
            "action": "provider_retry",
            "model": call.model,
            "attempt": attempt,
            "reason": error.code,
        },
    )
