"""What the client does when the provider does not do what it was asked."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fake_mistral.app import KEY, FakeMistral
from fake_mistral.clock import Clock
from fake_mistral.faults import Changed, Cut, Drip, Reply

from rag.errors import (
    InvalidSettings,
    MalformedReply,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from rag.mistral.calls import Call
from rag.mistral.client import MistralClient
from rag.mistral.patience import BULK, INTERACTIVE
from rag.mistral.wire.decoding import decode
from rag.mistral.wire.embeddings import EmbeddingReply, EmbeddingRequest

pytestmark = pytest.mark.anyio

TEXT = "the text that nobody may log"


def embedding(deadline: float = 5.0, largest_reply: int = 1_000_000) -> Call:
    request = EmbeddingRequest("mistral-embed", (TEXT,), encoding_format="float")
    return Call("/v1/embeddings", "mistral-embed", request, deadline, largest_reply)


def width(body: bytes) -> int:
    [item] = decode(body, EmbeddingReply).data
    return len(item.embedding)


async def test_a_reply_is_read(client: MistralClient) -> None:
    assert await client.ask(embedding(), width, patience=BULK) == 1024


async def test_the_models_that_a_key_may_use_are_listed(
    client: MistralClient, fake: FakeMistral
) -> None:
    models = await client.models()

    assert "mistral-embed" in {card.id for card in models}
    assert fake.received[0].body is None  # a GET


async def test_listing_the_models_tries_the_key(fake: FakeMistral) -> None:
    client = MistralClient("another-key", transport=httpx.ASGITransport(fake.app))  # type: ignore[arg-type]

    with pytest.raises(ProviderRefused, match="refuses the key"):
        await client.models()

    await client.close()


# --- what may pass -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_passing_failure_is_waited_out(
    client: MistralClient, fake: FakeMistral, clock: Clock, status: int
) -> None:
    fake.faults = [Reply(status), Reply(status)]

    assert await client.ask(embedding(), width, patience=BULK) == 1024

    # a limit holds up all calls to the model, any other failure this call alone
    assert clock.waited == ([0.5, 1.0] if status == 429 else [0.25, 0.5])


async def test_a_job_gives_up_after_six_attempts(client: MistralClient, fake: FakeMistral) -> None:
    fake.faults = [Reply(503)] * 100

    with pytest.raises(ProviderUnavailable):
        await client.ask(embedding(), width, patience=BULK)

    assert len(fake.received) == 6


async def test_retry_after_is_honored(
    client: MistralClient, fake: FakeMistral, clock: Clock
) -> None:
    fake.faults = [Reply(429, headers={"Retry-After": "20"})]

    await client.ask(embedding(), width, patience=BULK)

    assert clock.waited == [20.0 + 0.5]


async def test_a_person_is_told_how_long_to_wait_instead_of_waiting(
    client: MistralClient, fake: FakeMistral, clock: Clock
) -> None:
    fake.faults = [Reply(429, headers={"Retry-After": "20"})]

    with pytest.raises(RateLimited) as caught:
        await client.ask(embedding(), width, patience=INTERACTIVE)

    assert caught.value.retry_after == 20
    assert clock.waited == []


async def test_over_capacity_is_the_providers_trouble_not_the_callers_quota(
    client: MistralClient, fake: FakeMistral
) -> None:
    fake.faults = [Reply(429, {"message": "Service tier capacity exceeded for this model."})] * 2

    with pytest.raises(ProviderUnavailable):
        await client.ask(embedding(), width, patience=INTERACTIVE)


# --- what will not pass --------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 413, 422, 307, 204])
async def test_a_refusal_is_not_asked_again(
    client: MistralClient, fake: FakeMistral, status: int
) -> None:
    fake.faults = [Reply(status, {"detail": "no"})]

    with pytest.raises(ProviderRefused) as caught:
        await client.ask(embedding(), width, patience=BULK)

    assert len(fake.received) == 1
    assert f"HTTP {status}" in str(caught.value)


async def test_a_wrong_key_is_told_as_one(fake: FakeMistral) -> None:
    client = MistralClient("another-key", transport=httpx.ASGITransport(fake.app))  # type: ignore[arg-type]

    with pytest.raises(ProviderRefused, match="set MISTRAL_API_KEY to one that is valid"):
        await client.ask(embedding(), width, patience=BULK)

    assert len(fake.received) == 1
    await client.close()


# --- replies not to be believed ------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body[:-20],  # cut short, and said to be whole
        lambda body: body + b"}",  # something after its end
        lambda body: b"<html>Sign in to the hotel's network</html>",
        lambda body: b"{}",
        lambda body: b"",
        lambda body: b'{"data": [{"embedding": [NaN]}]}',
    ],
)
async def test_an_unreadable_reply_is_asked_for_once_more(
    client: MistralClient, fake: FakeMistral, change: Any
) -> None:
    fake.faults = [Changed(change)]
    assert await client.ask(embedding(), width, patience=BULK) == 1024

    fake.faults = [Changed(change)] * 100
    with pytest.raises(MalformedReply):
        await client.ask(embedding(), width, patience=BULK)

    assert len(fake.received) == 2 + 2


async def test_failures_that_cost_nothing_do_not_count_as_dear(
    client: MistralClient, fake: FakeMistral
) -> None:
    fake.faults = [Reply(503), Reply(503), Changed(lambda body: b""), Reply(503)]

    assert await client.ask(embedding(), width, patience=BULK) == 1024


async def test_a_reply_that_never_ends_is_cut_off(clock: Clock) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100_000_000:
            sent += 1_000
            yield b" " * 1_000

    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=endless()))
    client = MistralClient(KEY, transport=transport, clock=clock)

    with pytest.raises(MalformedReply, match="more than 50,000 bytes"):
        await client.ask(embedding(largest_reply=50_000), width, patience=BULK)

    assert sent == 51_000
    assert clock.waited == []
    await client.close()


# --- the connection ------------------------------------------------------------------------------


async def test_a_reply_cut_on_its_way_is_asked_for_again(
    http_client: MistralClient, fake: FakeMistral
) -> None:
    fake.faults = [Cut(after=100), Cut(after=0)]

    assert await http_client.ask(embedding(), width, patience=BULK) == 1024

    assert len(fake.received) == 3


async def test_a_reply_that_drips_ends_at_the_deadline(
    http_client: MistralClient, fake: FakeMistral
) -> None:
    fake.faults = [Drip(pause=0.05)] * 2
    began = time.monotonic()

    with pytest.raises(ProviderUnavailable, match=r"did not answer within 0\.3 s"):
        await http_client.ask(embedding(deadline=0.3), width, patience=BULK)

    assert len(fake.received) == 2  # each may have been billed
    assert time.monotonic() - began < 2 * 0.3 + 1.0


async def test_a_provider_that_is_not_there_is_unavailable(clock: Clock) -> None:
    client = MistralClient(KEY, base_url="http://127.0.0.1:9", clock=clock)

    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        await client.ask(embedding(), width, patience=BULK)

    assert len(clock.waited) == BULK.attempts - 1
    await client.close()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (httpx.ConnectError("no route"), "cannot be reached"),
        (httpx.ConnectTimeout("slow"), "cannot be reached"),
        (httpx.ReadError("reset"), "broke off the connection"),
        (httpx.WriteError("reset"), "broke off the connection"),
        (httpx.RemoteProtocolError("bad chunking"), "broke off the connection"),
    ],
)
async def test_a_failing_connection_is_tried_again_and_told_in_our_words(
    clock: Clock, error: httpx.TransportError, told: str
) -> None:
    def fails(request: httpx.Request) -> httpx.Response:
        raise error

    client = MistralClient(KEY, transport=httpx.MockTransport(fails), clock=clock)

    with pytest.raises(ProviderUnavailable, match=told) as caught:
        await client.ask(embedding(), width, patience=BULK)

    assert str(error) not in str(caught.value)
    assert len(clock.waited) == BULK.attempts - 1
    await client.close()


async def test_a_reply_that_cannot_be_decompressed_is_a_broken_connection(
    client: MistralClient, fake: FakeMistral
) -> None:
    fake.faults = [Reply(200, b"not gzip at all", headers={"content-encoding": "gzip"})]

    assert await client.ask(embedding(), width, patience=BULK) == 1024


async def test_a_caller_who_leaves_takes_the_request_along(
    http_client: MistralClient, fake: FakeMistral
) -> None:
    drip = Drip(pause=5.0)
    fake.faults = [drip]
    task = asyncio.create_task(http_client.ask(embedding(), width, patience=BULK))
    while not fake.answered("/v1/embeddings"):
        await asyncio.sleep(0.01)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(1.0):
        while not drip.was_left:
            await asyncio.sleep(0.01)


async def test_a_question_does_not_stand_behind_bulk_work(clock: Clock) -> None:
    gate = asyncio.Event()

    async def bulk_waits(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/bulk":
            await gate.wait()
        return httpx.Response(200, content=b"done")

    client = MistralClient(KEY, transport=httpx.MockTransport(bulk_waits), clock=clock)
    bulk = Call("/v1/bulk", "m", None, 5.0, 100)
    work = [asyncio.create_task(client.ask(bulk, len, patience=BULK)) for _ in range(50)]

    asked = await client.ask(Call("/v1/ask", "m", None, 1.0, 100), len, patience=INTERACTIVE)

    assert asked == len("done")
    gate.set()
    assert await asyncio.gather(*work) == [len("done")] * 50
    await client.close()


# --- secrets -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "  ", "with space", "line\nbreak", "schlüssel", "a\x00b"])
def test_what_cannot_be_a_key_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        MistralClient(key)

    assert not key.strip() or key not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["api.mistral.ai", "ftp://api.mistral.ai", "https://", "http://a:port"]
)
def test_what_cannot_be_a_base_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidSettings):
        MistralClient(KEY, base_url=url)


@pytest.mark.parametrize(
    "fault",
    [
        Reply(400, {"message": f"{KEY} {TEXT}", "type": KEY, "code": TEXT}),
        Reply(422, {"detail": [{"loc": ["body", TEXT], "msg": TEXT, "input": TEXT}]}),
        Reply(500, {"message": TEXT}),
        Reply(429, {"message": TEXT}),
        Changed(lambda body: TEXT.encode()),
    ],
)
async def test_neither_key_nor_text_shows_in_an_error_or_a_log(
    client: MistralClient, fake: FakeMistral, fault: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.faults = [fault] * 20
    call = embedding()

    with pytest.raises(ProviderError) as caught:
        await client.ask(call, width, patience=BULK)

    logged = [str(vars(record)) for record in caplog.records]
    shown = [str(caught.value), repr(caught.value), repr(client), repr(call), *logged]
    assert not any(KEY in text or TEXT in text for text in shown)


async def test_a_model_about_to_be_retired_is_told_once(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"x-model-deprecation-timestamp": "2027-01-31T12:00:00Z"}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, headers=headers))
    client = MistralClient(KEY, transport=transport, clock=clock)
    call = Call("/v1/ocr", "mistral-ocr-2512", None, 1.0, 100)

    await client.ask(call, len, patience=BULK)
    await client.ask(call, len, patience=BULK)

    [warning] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert vars(warning)["model"] == "mistral-ocr-2512"
    await client.close()
