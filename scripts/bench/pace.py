"""How much of unknown rate limits a bulk run uses, how often it is refused, and how long a person
waits beside it: twenty minutes against a provider that enforces a limit of requests per second and
one of tokens per minute. It tells nothing of either but by refusals, or by headers as well.

    python scripts/bench/pace.py [--quick]

The time is virtual. Client and provider run on one event loop whose clock stands still while they
compute and jumps to the next moment for which anybody waits; so both have the same clock, which
real ones have not, and computing costs nothing. All that takes time is said by the provider: each
request is 10 to 40 ms on its way before it is counted, a refusal as long back, and an answer 0.7 to
1.5 times the setting's latency. Everything of the client is real but the network: its lanes, its
retries, its own random jitter, from a seed. There is no Retry-After. Use is that of the tighter
limit from the second minute to the eleventh, with no allowance made for the person.
"""

import argparse
import asyncio
import random
import sys
from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from math import inf
from pathlib import Path

import httpx
import msgspec
from msgspec import Struct

from rag.errors import RateLimited
from rag.mistral.calls import Call, Paid
from rag.mistral.client import MistralClient
from rag.mistral.patience import BULK, INTERACTIVE, Patience
from rag.spending import Bill, Bought, Intent, Units

sys.path.append(str(Path(__file__).parents[2] / "tests" / "mistral"))
from virtual_time import run

MEASURED = (60.0, 660.0)
WAITING = 120  # bulk calls that stand in line at any time
BOUND = 16_000  # tokens that a request is thought to have at most
QUESTION = 40  # tokens


class Asked(Struct):
    tokens: int


class Told(Struct):
    tokens: int
    seconds: float


class Setting(Struct, frozen=True):
    requests: float
    """Per second."""
    tokens: float
    """Per minute."""
    latency: float
    """Seconds, typical."""
    is_windowed: bool
    """Counted in fixed seconds and minutes; else in buckets that refill all the time."""
    has_headers: bool


class Counter:
    """Allows `amount` in `span` seconds."""

    def __init__(self, amount: float, span: float, is_windowed: bool) -> None:
        self.amount, self.span, self.is_windowed = amount, span, is_windowed
        self.left = amount
        self._at = 0.0

    def refill(self, now: float) -> None:
        if self.is_windowed:
            if now // self.span != self._at // self.span:
                self.left = self.amount
        else:
            self.left = min(self.amount, self.left + (now - self._at) * self.amount / self.span)
        self._at = now


class Provider(httpx.AsyncBaseTransport):
    def __init__(self, setting: Setting, chance: random.Random) -> None:
        self.setting = setting
        self.chance = chance
        self.requests = Counter(setting.requests, 1.0, setting.is_windowed)
        self.tokens = Counter(setting.tokens, 60.0, setting.is_windowed)
        self.answered: list[tuple[float, int, int]] = []
        """When, status, tokens."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        seconds = self.setting.latency * self.chance.uniform(0.7, 1.5)
        on_the_way = 0.02 * self.chance.uniform(0.5, 2.0)
        await asyncio.sleep(on_the_way)
        now = asyncio.get_running_loop().time()
        tokens = msgspec.json.decode(await request.aread(), type=Asked).tokens
        self.requests.refill(now)
        self.tokens.refill(now)
        is_allowed = self.requests.left >= 1 and self.tokens.left >= tokens
        if is_allowed:
            self.requests.left -= 1
            self.tokens.left -= tokens
        self.answered.append((now, 200 if is_allowed else 429, tokens))
        headers = self._headers(tokens if is_allowed else 0)
        if not is_allowed:
            await asyncio.sleep(on_the_way)
            return httpx.Response(429, headers=headers, json={"message": "Rate limit exceeded"})
        await asyncio.sleep(seconds)
        return httpx.Response(
            200, headers=headers, content=msgspec.json.encode(Told(tokens, on_the_way + seconds))
        )

    def _headers(self, cost: int) -> dict[str, str]:
        if not self.setting.has_headers:
            return {}
        return {
            "x-ratelimit-limit-req-minute": f"{self.setting.requests * 60:.0f}",
            "x-ratelimit-limit-tokens-minute": f"{self.setting.tokens:.0f}",
            "x-ratelimit-remaining-tokens-minute": f"{self.tokens.left:.0f}",
            "x-ratelimit-tokens-query-cost": str(cost),
        }


async def call(client: MistralClient, tokens: int, bound: int, patience: Patience) -> float:
    """Seconds that were spent waiting, not being answered."""
    began = asyncio.get_running_loop().time()
    intent = Intent("mistral", "mistral-embed", "embed", Units(bound), Decimal(0))

    def bill(told: Told) -> tuple[Bill, Bought | None]:
        return Bill(Units(told.tokens), Decimal(0)), None

    told = await client.ask(
        Call("/v1/embeddings", "mistral-embed", Asked(tokens), 30.0, 10_000),
        lambda body: msgspec.json.decode(body, type=Told),
        patience=patience,
        paid=Paid(intent, bill),
    )
    return asyncio.get_running_loop().time() - began - told.seconds


async def simulate(
    setting: Setting, seed: int, end: float, with_person: bool
) -> tuple[Provider, list[float]]:
    chance = random.Random(seed)
    provider = Provider(setting, chance)
    client = MistralClient("key", transport=provider, chance=chance.random)
    waits: list[float] = []

    async def bulk() -> None:
        while True:
            await call(client, int(chance.gauss(5_300, 700)), BOUND, BULK)

    async def person() -> None:
        while True:
            await asyncio.sleep(chance.expovariate(0.5))
            try:
                waits.append(await call(client, QUESTION, QUESTION * 3, INTERACTIVE))
            except RateLimited:
                waits.append(inf)

    tasks = [asyncio.create_task(bulk()) for _ in range(WAITING)]
    if with_person:
        tasks.append(asyncio.create_task(person()))
    done, _ = await asyncio.wait(tasks, timeout=end, return_when=asyncio.FIRST_EXCEPTION)
    for task in done:
        task.result()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await client.close()
    return provider, waits


def shares(provider: Provider, start: float, end: float) -> tuple[float, float]:
    """Of the tighter limit used, and of the requests refused."""
    within = [each for each in provider.answered if start <= each[0] < end]
    taken = [tokens for _, status, tokens in within if status == 200]
    setting, seconds = provider.setting, end - start
    used = max(
        len(taken) / (setting.requests * seconds), sum(taken) / (setting.tokens * seconds / 60)
    )
    return used, 1 - len(taken) / max(1, len(within))


def settings(is_quick: bool) -> Iterator[Setting]:
    limits = [(2.0, 500_000.0), (6.0, 20_000_000.0), (20.0, 2_000_000.0), (12.0, 5_000_000.0)]
    latencies = [0.3] if is_quick else [0.3, 1.5]
    for has_headers, (requests, tokens), latency, is_windowed in product(
        (True, False), limits, latencies, (False, True)
    ):
        yield Setting(requests, tokens, latency, is_windowed, has_headers)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="one latency")
    parser.add_argument("--alone", action="store_true", help="without a person beside")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--only", type=float, help="requests/s")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    print(
        "headers requests/s tokens/min latency counted by"
        " |  used    429 429 in all  person's p99, turned away"
    )
    for setting in settings(asked.quick):
        if asked.only not in (None, setting.requests):
            continue
        provider, waits = run(simulate(setting, asked.seed, asked.minutes * 60, not asked.alone))
        used, refused = shares(provider, *MEASURED)
        _, refused_in_all = shares(provider, 0.0, asked.minutes * 60)
        waited = sorted(waits)[int(len(waits) * 0.99)] if waits else 0.0
        away = sum(wait == inf for wait in waits) / max(1, len(waits))
        print(
            f"{'yes' if setting.has_headers else 'no':7} {setting.requests:10g}"
            f" {setting.tokens:10,.0f} {setting.latency:7g}"
            f" {'window' if setting.is_windowed else 'bucket':10} |"
            f" {used:5.1%} {refused:6.2%} {refused_in_all:6.2%}  {waited:6.2f} s {away:6.2%}",
            flush=True,
        )


if __name__ == "__main__":
    main()
