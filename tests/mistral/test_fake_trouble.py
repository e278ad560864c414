"""The fake provider's limits, and the faults it commits on purpose."""

from collections import Counter
from typing import Any

import httpx
import msgspec
import pytest
from fake_mistral.app import KEY, FakeMistral
from fake_mistral.clock import Clock
from fake_mistral.limits import Gate, Limits
from fake_mistral.plan import EVERY_KIND, FREE, HARMLESS, FaultPlan
from fake_mistral.refusals import Refusal, every_shape

from rag.mistral.patience import retry_after
from rag.mistral.refusals import refusal

pytestmark = pytest.mark.anyio


def passed(gate: Gate, clock: Clock, seconds: int, *, each: float, tokens: int = 1) -> int:
    """Requests let through when one comes every `each` seconds."""
    count = 0
    ends = clock.now() + seconds
    while clock.now() < ends:
        try:
            gate.admit("m", tokens, 0, 1)
            count += 1
        except Refusal:
            pass
        clock._now += each
    return count


# --- limits ---------------------------------------------------------------------------------------


def test_no_second_has_more_requests_than_the_limit() -> None:
    clock = Clock()
    gate = Gate(Limits(requests_per_second=5), clock.now)

    assert passed(gate, clock, 60, each=1 / 64) == 5 * 60


def test_no_minute_has_more_tokens_than_the_limit() -> None:
    clock = Clock()
    gate = Gate(Limits(tokens_per_minute=6_000), clock.now)

    assert passed(gate, clock, 60, each=1 / 8, tokens=100) == 60
    assert passed(gate, clock, 600, each=1 / 8, tokens=100) == 600


def test_less_than_a_request_a_second_is_a_limit_too() -> None:
    clock = Clock()
    gate = Gate(Limits(requests_per_second=0.1), clock.now)

    assert passed(gate, clock, 100, each=1.0) == 10


def test_who_keeps_below_the_limit_is_never_refused() -> None:
    clock = Clock()
    gate = Gate(Limits(requests_per_second=5, tokens_per_minute=60_000), clock.now)

    assert passed(gate, clock, 100, each=0.2, tokens=200) == 500
    assert gate.refused == 0


def test_models_have_limits_of_their_own() -> None:
    gate = Gate(Limits(requests_per_second=1), lambda: 0.0)

    gate.admit("a", 1, 0, 1)
    gate.admit("b", 1, 0, 1)

    with pytest.raises(Refusal):
        gate.admit("a", 1, 0, 1)


def test_too_many_at_a_time_are_refused() -> None:
    gate = Gate(Limits(in_flight=4), lambda: 0.0)

    gate.admit("a", 1, 0, 4)

    with pytest.raises(Refusal):
        gate.admit("a", 1, 0, 5)


@pytest.mark.parametrize(("told", "seconds"), [("seconds", 50.0), ("date", 50.0), (None, None)])
def test_a_refusal_says_when_to_return_in_either_way_or_not_at_all(
    told: Any, seconds: float | None
) -> None:
    clock = Clock()
    gate = Gate(Limits(tokens_per_minute=100, retry_after=told), clock.now)
    gate.admit("m", 100, 0, 1)
    clock._now = 10.0

    with pytest.raises(Refusal) as caught:
        gate.admit("m", 1, 0, 1)

    headers = {"date": "Thu, 01 Jan 1970 00:00:10 GMT", **caught.value.headers}
    asked = retry_after(headers)
    assert asked == seconds or (seconds is None and asked is None)


def test_pages_count_when_they_are_read() -> None:
    clock = Clock()
    gate = Gate(Limits(pages_per_minute=10), clock.now)

    gate.admit("ocr", 0, 1, 1)
    gate.spend("ocr", 0, 9)

    with pytest.raises(Refusal):
        gate.admit("ocr", 0, 1, 1)


async def test_replies_say_what_is_left_unless_told_not_to(fake: FakeMistral) -> None:
    fake.limits.requests_per_second = 12
    fake.limits.tokens_per_minute = 1_000
    headers = {"authorization": f"Bearer {KEY}"}
    transport = httpx.ASGITransport(fake.app)  # type: ignore[arg-type]
    body = {"model": "mistral-embed", "input": "a"}
    async with httpx.AsyncClient(transport=transport, base_url="http://f", headers=headers) as c:
        told = (await c.post("/v1/embeddings", json=body)).headers
        fake.limits.tells = False
        silent = (await c.post("/v1/embeddings", json=body)).headers

    assert told["x-ratelimit-limit-req-minute"] == "720"
    assert told["x-ratelimit-remaining-tokens-minute"] == "997"
    assert not any(name.startswith("x-ratelimit") for name in silent)


# --- seeded faults --------------------------------------------------------------------------------


def decisions(seed: int, n: int, rate: float = 0.1, **more: Any) -> list[str | None]:
    plan = FaultPlan(seed, rate, **more)
    return [decided[0] if (decided := plan.next()) else None for _ in range(n)]


def test_the_same_seed_is_the_same_trouble() -> None:
    assert decisions(3, 1_000) == decisions(3, 1_000)
    assert decisions(3, 1_000) != decisions(4, 1_000)


def test_every_kind_of_fault_comes_at_about_the_rate_asked_for() -> None:
    seen = Counter(decisions(0, 20_000))

    assert set(EVERY_KIND) <= seen.keys()
    assert 0.05 < 1 - seen[None] / 20_000 < 0.2  # a storm takes several requests


def test_no_rate_is_no_trouble() -> None:
    assert decisions(0, 1_000, rate=0.0) == [None] * 1_000


def test_a_revoked_key_stays_revoked() -> None:
    seen = decisions(0, 20, rate=0.0, revoked_after=5)

    assert seen == [None] * 5 + ["key revoked"] * 15


@pytest.mark.parametrize("kind", EVERY_KIND)
async def test_each_kind_bills_as_it_says_and_never_looks_like_a_good_reply(kind: Any) -> None:
    fake = FakeMistral()
    fake.plan = FaultPlan(1, 1.0, [kind], drip_pause=0.0)
    headers = {"authorization": f"Bearer {KEY}"}
    transport = httpx.ASGITransport(fake.app)  # type: ignore[arg-type]
    body = {"model": "codestral-embed", "input": ["a", "b", "c"], "output_dimension": 8}
    async with httpx.AsyncClient(transport=transport, base_url="http://f", headers=headers) as c:
        try:
            reply = await c.post("/v1/embeddings", json=body)
            is_good = reply.status_code == 200 and _is_good(reply.content)
        except httpx.TransportError:
            is_good = False

    assert (len(fake.bill.charges) == 0) == (kind in FREE)
    assert is_good == (kind in (*HARMLESS, "drip"))  # a drip is good for who waits long enough
    assert fake.mistakes == []
    assert fake.state()["faults"] == {kind: 1}


def _is_good(body: bytes) -> bool:
    try:
        reply = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return False
    if not isinstance(reply, dict) or reply.get("model") != "codestral-embed":
        return False
    rows = [item["embedding"] for item in reply["data"]]
    indexes = sorted(item["index"] for item in reply["data"])
    return indexes == [0, 1, 2] and all(len(row) == 8 and any(row) for row in rows)


def test_each_of_the_seven_shapes_is_told_without_what_it_says() -> None:
    for body in every_shape(503, "the document itself"):
        told = str(refusal(503, msgspec.json.encode(body)))

        assert "HTTP 503" in told
        assert "document" not in told
