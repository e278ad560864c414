"""A bulk run under seeded schedules of everything that a provider and a network do wrong.

A hundred schedules here; all thousand with `SCHEDULES=1000`. Requests beyond the calls themselves
are bounded by the retry budget, whatever happens: a tenth of what went well, and the ten that a
run begins with. Where no more than one request in twelve fails, they are also enough.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import httpx
import msgspec
import numpy as np
import pytest
from ledgers import MemoryLedger
from msgspec import Struct
from virtual_time import run

from rag.errors import KeyRefused, MalformedReply, ProviderUnavailable, RateLimited
from rag.mistral.calls import Call, Paid
from rag.mistral.client import MistralClient
from rag.mistral.patience import BULK
from rag.mistral.wire.decoding import PROVIDER, decode
from rag.spending import Bill, Bought, EmbeddedTexts, Intent, Units

SCHEDULES = int(os.environ.get("SCHEDULES", "100"))
BLOCK = 10
CALLS = 30
AT_ONCE = 8
MOST = 100  # tokens that one call may be billed
FIRST_RETRIES = 10
GENTLE = 0.08
DEADLINE = 60.0  # seconds

NOW = "Sun, 22 Nov 2026 12:00:00 GMT"
SOON = "Sun, 22 Nov 2026 12:00:07 GMT"


class Asked(Struct):
    number: int
    tokens: int


class Told(Struct):
    numbers: tuple[int, ...]
    tokens: int


class Arriving(httpx.AsyncByteStream):
    def __init__(self, body: bytes, *, pause: float = 0.0, breaks_after: int | None = None) -> None:
        self.body, self.pause, self.breaks_after = body, pause, breaks_after

    async def __aiter__(self) -> AsyncIterator[bytes]:
        step = max(8, len(self.body) // 4)
        for start in range(0, len(self.body), step):
            if self.breaks_after is not None and start >= self.breaks_after:
                break
            await asyncio.sleep(self.pause)
            yield self.body[start : start + step]
        if self.breaks_after is not None:
            raise httpx.ReadError("reset")


REFUSED_WITH: list[dict[str, str]] = [
    {},
    {"retry-after": "3"},
    {"retry-after": "0.5"},
    {"retry-after": "0"},
    {"retry-after": "-4"},
    {"retry-after": "1e12"},
    {"retry-after": "presently"},
    {"retry-after": SOON, "date": NOW},
    {"retry-after": SOON},
    {"x-ratelimit-limit-req-minute": "600", "x-ratelimit-remaining-req-minute": "0"},
]


def limited(chance: random.Random) -> httpx.Response:
    body = {"message": "Requests rate limit exceeded", "code": "1300"}
    return httpx.Response(429, headers=chance.choice(REFUSED_WITH), json=body)


def in_trouble(chance: random.Random) -> httpx.Response:
    headers = chance.choice(({}, {}, {"retry-after": "2"}))
    status = chance.choice((500, 502, 503, 504))
    return httpx.Response(status, headers=headers, text="<html>Bad gateway</html>")


def unreachable(chance: random.Random) -> httpx.Response:
    raise httpx.ConnectError("no route to host")


FREE: list[Callable[[random.Random], httpx.Response]] = [limited, in_trouble, unreachable]
"""Faults that happen before anything is billed."""


def gone(body: bytes, chance: random.Random) -> httpx.Response:
    raise httpx.RemoteProtocolError("closed without an answer")


def cut(body: bytes, chance: random.Random) -> httpx.Response:
    return httpx.Response(200, stream=Arriving(body, breaks_after=chance.randrange(len(body))))


def cut_at_its_end(body: bytes, chance: random.Random) -> httpx.Response:
    return httpx.Response(200, stream=Arriving(body, breaks_after=len(body)))


def truncated(body: bytes, chance: random.Random) -> httpx.Response:
    return httpx.Response(200, content=body[: chance.randrange(len(body))])


def trailing(body: bytes, chance: random.Random) -> httpx.Response:
    return httpx.Response(200, content=body + b"}{")


def garbled(body: bytes, chance: random.Random) -> httpx.Response:
    return httpx.Response(200, headers={"content-encoding": "gzip"}, content=b"no gzip")


def dripping(body: bytes, chance: random.Random) -> httpx.Response:
    return httpx.Response(200, stream=Arriving(body, pause=chance.choice((25.0, 40.0))))


def endless(body: bytes, chance: random.Random) -> httpx.Response:
    return httpx.Response(200, stream=Arriving(b" " * 1_000_000))


def miscounted(body: bytes, chance: random.Random) -> httpx.Response:
    told = msgspec.json.decode(body, type=Told)
    told.numbers = chance.choice(((), told.numbers * 2))
    return httpx.Response(200, content=msgspec.json.encode(told))


BILLED: list[Callable[[bytes, random.Random], httpx.Response]] = [
    gone,
    cut,
    cut_at_its_end,
    truncated,
    trailing,
    garbled,
    dripping,
    endless,
    miscounted,
]
"""Faults that happen to answers that are paid for."""


class Schedule(httpx.AsyncBaseTransport):
    """A provider that keeps its own bill, and what goes wrong with it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        is_stormy = self.chance.random() < 0.2
        self.fault_rate = 0.5 if is_stormy else self.chance.uniform(0.0, GENTLE)
        self.storm_ends = self.chance.uniform(5.0, 600.0) if is_stormy else float("inf")
        self.is_gentle = not is_stormy
        self.revoked_at = self.chance.uniform(0.1, 3.0) if self.chance.random() < 0.1 else None
        self.arrivals: list[float] = []
        self.told_of_revocation: float | None = None
        self.billed = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = msgspec.json.decode(await request.aread(), type=Asked)
        self.arrivals.append(now())
        await asyncio.sleep(self.chance.uniform(0.05, 0.4))
        if self.revoked_at is not None and now() >= self.revoked_at:
            self.told_of_revocation = self.told_of_revocation or now()
            return httpx.Response(401, json={"detail": "Unauthorized"})
        fails = self.chance.random() < self.fault_rate and now() < self.storm_ends
        if fails and self.chance.random() < 0.6:
            return self.chance.choice(FREE)(self.chance)
        self.billed += asked.tokens
        body = msgspec.json.encode(Told((asked.number,), asked.tokens))
        if fails:
            return self.chance.choice(BILLED)(body, self.chance)
        return httpx.Response(200, content=body)


def now() -> float:
    return asyncio.get_running_loop().time()


def read(body: bytes) -> Told:
    told = decode(body, Told)
    if len(told.numbers) != 1:
        raise MalformedReply(PROVIDER, f"sent {len(told.numbers)} for 1")
    return told


def bill(told: Told) -> tuple[Bill, Bought | None]:
    bought = EmbeddedTexts("m", "passage", tuple(map(str, told.numbers)), np.ones((1, 1), "f4"))
    return Bill(Units(told.tokens), Decimal(told.tokens)), bought


def bill_of_unusable(body: bytes) -> Bill | None:
    try:
        return bill(decode(body, Told))[0]
    except MalformedReply:
        return None


async def ask(client: MistralClient, number: int, tokens: int, asks: list[int]) -> Told:
    """As a worker asks: an outage is waited for, and the document tried again."""
    intent = Intent("mistral", "m", "embed", Units(MOST), Decimal(MOST))
    call = Call("/v1/embeddings", "m", Asked(number, tokens), DEADLINE, 10_000)
    while True:
        asks.append(number)
        try:
            return await client.ask(
                call, read, patience=BULK, paid=Paid(intent, bill, bill_of_unusable)
            )
        except (ProviderUnavailable, RateLimited, MalformedReply):
            await asyncio.sleep(60.0)


class Ran(Struct):
    schedule: Schedule
    ledger: MemoryLedger
    results: list[Told | BaseException]
    asks: int
    """Times that the client was asked: again where it gave a call up."""


async def perform(seed: int) -> Ran:
    schedule, ledger = Schedule(seed), MemoryLedger()
    chance = random.Random(seed + 1)
    client = MistralClient("key", ledger, transport=schedule, chance=chance.random)
    places = asyncio.Semaphore(AT_ONCE)
    asks: list[int] = []

    async def work(number: int) -> Told:
        async with places:
            return await ask(client, number, chance.randint(1, MOST), asks)

    results = await asyncio.gather(*map(work, range(CALLS)), return_exceptions=True)
    await client.close()
    return Ran(schedule, ledger, list(results), len(asks))


def check(ran: Ran) -> None:
    schedule, ledger = ran.schedule, ran.ledger
    done = [(n, told) for n, told in enumerate(ran.results) if isinstance(told, Told)]
    kept = Counter(
        text
        for line in ledger.lines
        if isinstance(line.bought, EmbeddedTexts)
        for text in line.bought.texts
    )

    if schedule.told_of_revocation is None:
        assert len(done) == CALLS  # none lost
    else:
        assert all(isinstance(each, Told | KeyRefused) for each in ran.results)
        assert max(schedule.arrivals) <= schedule.told_of_revocation
    assert all(told.numbers == (number,) for number, told in done)
    assert kept == Counter(str(number) for number, _ in done)  # none twice
    assert len(schedule.arrivals) <= ran.asks + 0.1 * len(done) + FIRST_RETRIES
    assert "open" not in ledger.states()
    assert len(ledger.lines) == len(schedule.arrivals)
    settled, lost = ledger.settled().input, ledger.lost().input
    assert settled <= schedule.billed <= settled + lost


@pytest.mark.parametrize("first", range(0, SCHEDULES, BLOCK))
def test_nothing_is_lost_or_had_twice_and_the_ledger_is_the_bill(first: int) -> None:
    requests = calls = 0
    for seed in range(first, first + BLOCK):
        ran = run(perform(seed))

        check(ran)
        if ran.schedule.is_gentle and ran.schedule.told_of_revocation is None:
            requests += len(ran.schedule.arrivals)
            calls += CALLS

    assert requests <= 1.10 * calls
