"""Who leaves when, in virtual time, through the client's own door."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from decimal import Decimal

import httpx
import pytest
from ledgers import MemoryLedger
from virtual_time import run

from rag.errors import (
    BudgetExhausted,
    KeyRefused,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from rag.mistral.calls import Call, Paid
from rag.mistral.client import MistralClient
from rag.mistral.patience import BULK, INTERACTIVE, Patience
from rag.spending import Bill, Bought, Intent, IntentId, Units

Answer = Callable[[float], Awaitable[httpx.Response]]
"""Of the moment of arrival."""


class Provider(httpx.AsyncBaseTransport):
    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.arrivals: list[tuple[float, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.arrivals.append((now(), request.url.path))
        return await self.answer(now())


def now() -> float:
    return asyncio.get_running_loop().time()


def client_of(provider: Provider, ledger: MemoryLedger | None = None) -> MistralClient:
    return MistralClient("key", ledger, transport=provider, chance=lambda: 0.5)


def call(path: str = "/v1/embeddings", model: str = "m") -> Call:
    return Call(path, model, None, 60.0, 1_000)


async def ask(client: MistralClient, patience: Patience = BULK, model: str = "m") -> int:
    return await client.ask(call(model=model), len, patience=patience)


async def done(moment: float) -> httpx.Response:
    await asyncio.sleep(1.0)
    return httpx.Response(200, content=b"done")


def test_two_calls_begin_and_more_follow_as_it_goes_well() -> None:
    async def main() -> None:
        provider = Provider(done)
        client = client_of(provider)
        await asyncio.gather(*(ask(client) for _ in range(9)))

        at = [moment for moment, _ in provider.arrivals]
        assert at == [0.0] * 2 + [1.0] * 3 + [2.0] * 4

    run(main())


def test_older_calls_go_first() -> None:
    async def main() -> None:
        provider = Provider(done)
        client = client_of(provider)
        paths = [f"/v1/embeddings/{number}" for number in range(30)]
        await asyncio.gather(*(client.ask(call(path), len, patience=BULK) for path in paths))

        assert [path for _, path in provider.arrivals] == paths

    run(main())


def test_a_person_does_not_wait_for_the_places_of_bulk_work() -> None:
    async def main() -> None:
        client = client_of(Provider(done))
        work = [asyncio.create_task(ask(client)) for _ in range(200)]
        await asyncio.sleep(0.5)

        for _ in range(5):
            began = now()
            await ask(client, INTERACTIVE)
            assert now() - began == pytest.approx(1.0)
        await asyncio.gather(*work)

    run(main())


def test_bulk_work_waits_behind_a_person_where_both_wait_for_a_limit() -> None:
    async def limited(moment: float) -> httpx.Response:
        return httpx.Response(200, headers={"x-ratelimit-limit-req-minute": "60"})

    async def main() -> None:
        provider = Provider(limited)
        client = client_of(provider)
        work = [asyncio.create_task(ask(client)) for _ in range(30)]
        await asyncio.sleep(5.0)

        for _ in range(5):
            began = now()
            await ask(client, INTERACTIVE)
            assert now() - began < 1.1  # one second is the limit itself
        await asyncio.gather(*work)
        assert now() >= 30.0

    run(main())


def test_a_stated_wait_holds_back_all_calls_to_the_model_and_no_other() -> None:
    async def once(moment: float) -> httpx.Response:
        if moment == 0.0:
            return httpx.Response(429, headers={"retry-after": "20"})
        return httpx.Response(200)

    async def main() -> None:
        provider = Provider(once)
        client = client_of(provider)
        await asyncio.gather(*(ask(client) for _ in range(6)))
        assert all(moment == 0.0 or moment > 20.0 for moment, _ in provider.arrivals)

        began = now()
        await ask(client, model="another")
        assert now() == began

    run(main())


def test_a_person_is_told_at_once_of_a_wait_that_is_too_long() -> None:
    async def always(moment: float) -> httpx.Response:
        return httpx.Response(429, headers={"retry-after": "20"})

    async def main() -> None:
        provider = Provider(always)
        client = client_of(provider)
        with pytest.raises(RateLimited):
            await ask(client, INTERACTIVE)
        with pytest.raises(RateLimited) as caught:
            await ask(client, INTERACTIVE)

        assert caught.value.retry_after == pytest.approx(20.0, abs=1.0)
        assert len(provider.arrivals) == 1  # the second was not even sent

    run(main())


def test_a_storm_of_ten_minutes_costs_few_requests_and_no_call() -> None:
    async def storm(moment: float) -> httpx.Response:
        await asyncio.sleep(0.2)
        return httpx.Response(429 if 10.0 <= moment < 600.0 else 200)

    async def main() -> None:
        provider = Provider(storm)
        client = client_of(provider)
        calls = 1_000
        await asyncio.gather(*(ask(client) for _ in range(calls)))

        assert len(provider.arrivals) <= 1.1 * calls
        assert sum(10.0 <= moment < 600.0 for moment, _ in provider.arrivals) < 40

    run(main())


def test_an_outage_opens_the_breaker_and_people_are_told_at_once() -> None:
    async def down(moment: float) -> httpx.Response:
        await asyncio.sleep(0.1)
        return httpx.Response(503 if moment < 300.0 else 200)

    async def main() -> None:
        provider = Provider(down)
        client = client_of(provider)
        work = [asyncio.create_task(ask(client)) for _ in range(60)]
        await asyncio.sleep(60.0)
        sent = len(provider.arrivals)

        began = now()
        with pytest.raises(ProviderUnavailable):
            await ask(client, INTERACTIVE)
        assert now() == began
        ended = await asyncio.gather(*work, return_exceptions=True)

        assert all(isinstance(each, int | ProviderUnavailable) for each in ended)
        assert len(provider.arrivals) - sent <= 2 * 4 + 60  # two probes a minute, then the rest

    run(main())


@pytest.mark.parametrize("status", [401, 402])
def test_after_a_refused_key_nothing_leaves_any_more(status: int) -> None:
    async def revoked(moment: float) -> httpx.Response:
        await asyncio.sleep(0.3)
        return httpx.Response(status if now() > 2.0 else 200, json={"detail": "Unauthorized"})

    async def main() -> None:
        provider = Provider(revoked)
        client = client_of(provider)
        work = [ask(client, each) for each in [BULK] * 500 + [INTERACTIVE] * 20]
        ended = await asyncio.gather(*work, return_exceptions=True)

        refused = [each for each in ended if isinstance(each, BaseException)]
        assert refused
        assert all(isinstance(each, KeyRefused) for each in refused)
        first = min(moment for moment, _ in provider.arrivals if moment + 0.3 > 2.0) + 0.3
        assert max(moment for moment, _ in provider.arrivals) <= first
        sent = len(provider.arrivals)
        with pytest.raises(KeyRefused):
            await ask(client, model="another")
        assert len(provider.arrivals) == sent

    run(main())


def test_a_model_that_is_not_allowed_closes_its_own_lane_alone() -> None:
    async def forbidden(moment: float) -> httpx.Response:
        return httpx.Response(403 if moment == 0.0 else 200, json={"detail": "not allowed"})

    async def main() -> None:
        provider = Provider(forbidden)
        client = client_of(provider)
        for _ in range(2):
            with pytest.raises(KeyRefused):
                await ask(client)
        await asyncio.sleep(1.0)

        await ask(client, model="another")
        assert len(provider.arrivals) == 2

    run(main())


def test_a_guardrail_is_about_the_request_and_closes_nothing() -> None:
    async def blocked(moment: float) -> httpx.Response:
        body = {"error": {"message": "Blocked by guardrail", "status": 403}}
        return httpx.Response(403 if moment == 0.0 else 200, json=body)

    async def main() -> None:
        client = client_of(Provider(blocked))
        with pytest.raises(ProviderRefused) as caught:
            await ask(client)
        assert not isinstance(caught.value, KeyRefused)
        await asyncio.sleep(1.0)

        await ask(client)

    run(main())


def test_calls_that_leave_the_line_hold_nobody_up() -> None:
    async def main() -> None:
        provider = Provider(done)
        client = client_of(provider)
        work = [asyncio.create_task(ask(client)) for _ in range(100)]
        await asyncio.sleep(0.5)
        for task in work[:99]:
            task.cancel()
        await work[99]

        assert len(provider.arrivals) == 3  # two were under way
        assert await ask(client) == len(b"done")

    run(main())


# --- the ledger ----------------------------------------------------------------------------------


def paid(usd: int = 1) -> Paid[int]:
    intent = Intent("mistral", "m", "embed", Units(100), Decimal(usd))
    return Paid(intent, lambda value: (Bill(Units(value), Decimal(usd)), None))


@pytest.mark.parametrize(
    ("answers", "states"),
    [
        ([httpx.Response(200, content=b"1234")], ["settled"]),
        ([httpx.Response(400)], ["withdrawn"]),
        ([httpx.Response(401)], ["withdrawn"]),
        ([httpx.Response(503), httpx.Response(200)], ["withdrawn", "settled"]),
        ([httpx.Response(429), httpx.Response(200)], ["withdrawn", "settled"]),
        ([httpx.ConnectError("no"), httpx.Response(200)], ["withdrawn", "settled"]),
        ([httpx.ReadError("no"), httpx.Response(200)], ["lost", "settled"]),
        ([TimeoutError(), httpx.Response(200)], ["lost", "settled"]),
        ([httpx.Response(200, content=b"x" * 2_000)], ["lost"]),  # more than was asked for
    ],
)
def test_each_attempt_is_written_down_with_how_it_ended(
    answers: list[httpx.Response | Exception], states: list[str]
) -> None:
    ledger = MemoryLedger()

    async def answer(moment: float) -> httpx.Response:
        assert ledger.states()[-1] == "open"  # before anything leaves
        next_one = answers.pop(0)
        if isinstance(next_one, Exception):
            raise next_one
        return next_one

    async def main() -> None:
        client = client_of(Provider(answer), ledger)
        await asyncio.gather(
            client.ask(call(), len, patience=BULK, paid=paid()), return_exceptions=True
        )

    run(main())

    assert ledger.states() == states


def test_a_cancelled_call_may_have_been_billed() -> None:
    ledger = MemoryLedger()

    async def main() -> None:
        client = client_of(Provider(done), ledger)
        task = asyncio.create_task(client.ask(call(), len, patience=BULK, paid=paid()))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())

    assert ledger.states() == ["lost"]


class SlowLedger(MemoryLedger):
    """One of its words takes until it may go on, as with a busy disk."""

    def __init__(self, slow: str) -> None:
        super().__init__()
        self.slow = slow
        self.is_writing, self.may_go_on = threading.Event(), threading.Event()

    def intend(self, intent: Intent) -> IntentId:
        self._wait("intend")
        return super().intend(intent)

    def settle(self, intent: IntentId, bill: Bill, bought: Bought | None = None) -> None:
        self._wait("settle")
        super().settle(intent, bill, bought)

    def _wait(self, word: str) -> None:
        if word == self.slow:
            self.is_writing.set()
            self.may_go_on.wait()


@pytest.mark.anyio
@pytest.mark.parametrize(("slow", "state"), [("intend", "withdrawn"), ("settle", "settled")])
async def test_a_call_that_is_cancelled_twice_is_still_written_down(slow: str, state: str) -> None:
    async def at_once(moment: float) -> httpx.Response:
        return httpx.Response(200, content=b"done")

    ledger = SlowLedger(slow)
    client = client_of(Provider(at_once), ledger)
    task = asyncio.create_task(client.ask(call(), len, patience=BULK, paid=paid()))
    await asyncio.to_thread(ledger.is_writing.wait)
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0.01)
    ledger.may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ledger.states() == [state]


@pytest.mark.anyio
async def test_a_reply_that_is_being_read_is_kept_though_its_caller_leaves() -> None:
    is_reading, may_go_on = threading.Event(), threading.Event()

    def read(body: bytes) -> int:
        is_reading.set()
        may_go_on.wait()
        return len(body)

    async def long(moment: float) -> httpx.Response:
        return httpx.Response(200, content=bytes(1_000_000))

    ledger = MemoryLedger()
    client = client_of(Provider(long), ledger)
    asked = Call("/v1/ocr", "m", None, 60.0, 2_000_000)
    task = asyncio.create_task(client.ask(asked, read, patience=BULK, paid=paid()))
    await asyncio.to_thread(is_reading.wait)
    task.cancel()
    may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ledger.states() == ["settled"]


def test_what_would_cost_too_much_is_not_sent() -> None:
    ledger = MemoryLedger(budget=Decimal(2))

    async def main() -> None:
        provider = Provider(done)
        client = client_of(provider, ledger)
        work = (client.ask(call(), len, patience=BULK, paid=paid()) for _ in range(5))
        ended = await asyncio.gather(*work, return_exceptions=True)

        assert sum(isinstance(each, BudgetExhausted) for each in ended) == 3
        assert len(provider.arrivals) == 2

    run(main())


@pytest.mark.parametrize(
    ("is_told", "is_read", "state"),
    [(True, True, "settled"), (False, True, "lost"), (False, False, "lost")],
)
def test_a_stream_is_settled_when_it_has_told_its_usage_and_lost_otherwise(
    is_told: bool, is_read: bool, state: str
) -> None:
    ledger = MemoryLedger()

    async def main() -> None:
        client = client_of(Provider(done), ledger)
        async with client.stream(call(), patience=INTERACTIVE, intent=paid().intent) as stream:
            if is_read:
                assert [piece async for piece in stream.pieces] == [b"done"]
            if is_told:
                await stream.settle(Bill(Units(4), Decimal(1)))

    run(main())

    assert ledger.states() == [state]
