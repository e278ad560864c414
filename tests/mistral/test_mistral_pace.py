"""What a hostile or broken provider, and impatient callers, cannot do to the pace of all."""

import asyncio
import random
from collections.abc import AsyncIterator

import httpx
import pytest
from virtual_time import run

from rag.errors import ProviderUnavailable
from rag.mistral.calls import Call
from rag.mistral.client import MistralClient
from rag.mistral.pacing.buckets import Bucket
from rag.mistral.pacing.limits import Limit, Limits
from rag.mistral.pacing.pace import Departure, Lane, Outcome, Pace
from rag.mistral.patience import BULK, INTERACTIVE, Patience

NOTHING = Limits()

HEAVY, LIGHT = 5_000.0, 40.0
"""Tokens of a bulk request and of a question."""


def due(pace: Pace, lane: Lane, now: float) -> float:
    """Seconds that a call of that lane waits for."""
    wait = pace.wait(lane, now)
    return 0.0 if wait is None else wait.seconds


def call(
    pace: Pace,
    now: float,
    outcome: Outcome = "done",
    lane: Lane = "bulk",
    stated: Limits = NOTHING,
) -> Departure:
    """That leaves and arrives at once."""
    left = pace.leave(lane, HEAVY if lane == "bulk" else LIGHT, now)
    pace.arrive(left, outcome, now, stated=stated, chance=0.999)
    return left


# --- people, while bulk work is refused -----------------------------------------------------------


def stalled() -> tuple[Pace, float]:
    """Bulk work has been refused six times in a row, and keeps still for half a minute."""
    pace, now = Pace(), 0.0
    for _ in range(20):
        call(pace, now := now + 0.1)
    for _ in range(6):
        now += due(pace, "bulk", now)
        call(pace, now, "limited")
    assert due(pace, "bulk", now) > 30.0
    return pace, now


def test_a_question_fits_where_bulk_work_was_refused() -> None:
    pace, now = stalled()
    now += 1.0  # a counter of seconds, if it was one, is there anew

    for _ in range(20):
        assert due(pace, "interactive", now) == 0.0
        call(pace, now, lane="interactive")
        now += 0.5
    assert due(pace, "bulk", now) > 20.0  # a question that goes through is no sign for it


def test_questions_that_are_refused_too_are_soon_tried_again() -> None:
    pace, now = stalled()
    ends = now + 30.0
    tried = 0
    while now < ends:
        call(pace, now, "limited", "interactive")
        tried += 1
        wait = due(pace, "interactive", now)
        assert wait < INTERACTIVE.longest_wait
        now += wait

    assert tried < 15


def test_a_wait_that_the_provider_asks_for_is_for_people_too() -> None:
    pace = Pace()
    left = pace.leave("bulk", HEAVY, 0.0)

    pace.arrive(left, "limited", 0.0, hold=20.0, chance=0.0)

    assert due(pace, "bulk", 0.0) == due(pace, "interactive", 0.0) == 20.0


# --- headers --------------------------------------------------------------------------------------


def test_a_limit_that_changes_with_each_reply_forgives_no_debt() -> None:
    bucket = Bucket(0.1)
    for turn in range(100):
        bucket.state(1.0 if turn % 2 else 1.1, None, 0.0)
        bucket.use(1.0, 0.0)

    assert bucket.wait(0.0) > 50.0


def test_a_limit_that_is_lowered_holds_from_then_on() -> None:
    bucket = Bucket(0.0)
    bucket.state(100.0, None, 0.0)
    bucket.use(98.0, 0.0)
    assert bucket.wait(0.0) == pytest.approx(1.0)

    bucket.state(50.0, None, 0.0)

    assert bucket.wait(0.0) == pytest.approx(2.0)  # the same debt


@pytest.mark.parametrize(
    "said",
    [
        Limits(Limit(1e-9, 0.0)),
        Limits(units=Limit(1e-9, 0.0)),
        Limits(units=Limit(1e-300, 1e300)),
        Limits(cost=1e300),
        Limits(units=Limit(100.0), cost=1e18),
        Limits(Limit(1e300, 0.0), Limit(1e300, 0.0)),
    ],
)
def test_what_one_reply_says_stops_nobody_for_longer_than_a_minute(said: Limits) -> None:
    pace, now = Pace(), 0.0
    call(pace, now, stated=said)

    for _ in range(50):  # and what the others say is believed again
        wait = due(pace, "bulk", now)
        assert wait <= 60.0
        now += wait
        call(pace, now, stated=Limits(Limit(10.0), Limit(1e6), HEAVY))
    assert due(pace, "bulk", now) <= 0.2


@pytest.mark.parametrize("used", [-1e18, -1.0, 0.0, 1e18])
def test_a_reply_that_counts_absurdly_changes_the_pace_a_little(used: float) -> None:
    pace = Pace()
    call(pace, 0.0, stated=Limits(Limit(10.0), Limit(HEAVY)))
    left = pace.leave("bulk", HEAVY, 100.0)
    pace.arrive(left, "done", 100.0, used=used)

    now = 200.0
    for _ in range(30):
        now += due(pace, "bulk", now)
        call(pace, now, stated=Limits(Limit(10.0), Limit(HEAVY), HEAVY))

    assert 220.0 < now < 295.0  # one a second is stated; a minute at most is lost


# --- others use the same account ------------------------------------------------------------------


def test_where_others_use_half_of_a_stated_limit_few_calls_are_refused() -> None:
    bucket, now, left, taken, refused = Bucket(0.1), 0.0, 5.0, 0, 0
    bucket.state(10.0, None, now)
    while now < 1_200.0:
        wait = max(0.01, bucket.wait(now))
        now, left = now + wait, min(5.0, left + wait * 5.0)  # ten a second are stated
        bucket.use(1.0, now)
        if left >= 1.0:
            left -= 1.0
            taken += 1
        else:
            refused += 1
            bucket.correct(-1.0, now)
            bucket.fall(now)
            now, left = now + 0.5, min(5.0, left + 0.5 * 5.0)

    assert taken >= 0.9 * 5.0 * 1_200.0
    assert refused <= 0.01 * taken


# --- callers come and go --------------------------------------------------------------------------


class Provider(httpx.AsyncBaseTransport):
    """Answers each path as it is told, by number of the request."""

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = seconds
        self.is_down = False
        self.under_way = self.most_under_way = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.under_way -= 1
        return httpx.Response(503 if self.is_down else 200, content=b"done")


async def ask(client: MistralClient, patience: Patience = BULK) -> int:
    return await client.ask(Call("/v1/chat", "m", None, 60.0, 1_000), len, patience=patience)


@pytest.mark.parametrize("seed", range(5))
def test_callers_that_leave_whenever_they_like_leak_no_place(seed: int) -> None:
    async def main() -> None:
        chance = random.Random(seed)
        provider = Provider(0.3)
        client = MistralClient("key", transport=provider, chance=chance.random)

        async def impatient() -> None:
            await asyncio.sleep(chance.uniform(0.0, 20.0))
            patience = chance.choice((BULK, INTERACTIVE))
            asking = asyncio.create_task(ask(client, patience))
            await asyncio.wait([asking], timeout=chance.expovariate(2.0))
            for _ in range(chance.choice((1, 2))):
                asking.cancel()
                await asyncio.sleep(0)

        await asyncio.gather(*(impatient() for _ in range(400)))
        await asyncio.sleep(5.0)
        assert provider.under_way == 0

        began = asyncio.get_running_loop().time()
        assert await asyncio.gather(*(ask(client) for _ in range(2))) == [4, 4]
        assert asyncio.get_running_loop().time() - began == pytest.approx(0.3)

    run(main())


def test_after_an_outage_calls_come_back_a_few_at_a_time() -> None:
    async def main() -> None:
        provider = Provider(0.2)
        client = MistralClient("key", transport=provider, chance=lambda: 0.5)
        await asyncio.gather(*(ask(client) for _ in range(300)))
        provider.is_down = True
        work = [asyncio.create_task(ask(client)) for _ in range(100)]
        await asyncio.sleep(45.0)
        provider.is_down, provider.most_under_way = False, 0
        work += [asyncio.create_task(ask(client)) for _ in range(100)]
        while not provider.most_under_way:
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)

        assert provider.most_under_way <= 3
        await asyncio.gather(*work, return_exceptions=True)

    run(main())


def test_a_long_answer_that_has_begun_is_a_sign_that_an_outage_is_over() -> None:
    class Chat(httpx.AsyncBaseTransport):
        is_down = True

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            async def words() -> AsyncIterator[bytes]:
                for _ in range(100):
                    yield b"word "
                    await asyncio.sleep(1.0)

            return httpx.Response(503) if self.is_down else httpx.Response(200, content=words())

    async def main() -> None:
        provider = Chat()
        client = MistralClient("key", transport=provider, chance=lambda: 0.5)
        question = Call("/v1/chat", "m", None, 600.0, 10_000)
        work = [asyncio.create_task(ask(client)) for _ in range(40)]
        await asyncio.sleep(20.0)
        with pytest.raises(ProviderUnavailable):
            await ask(client, INTERACTIVE)
        for task in work:
            task.cancel()
        provider.is_down = False
        await asyncio.sleep(60.0)

        async with client.stream(question, patience=INTERACTIVE) as answer:
            assert await anext(answer.pieces) == b"word "
            async with client.stream(question, patience=INTERACTIVE) as another:
                assert await anext(another.pieces) == b"word "

    run(main())
