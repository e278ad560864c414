"""Neither the key nor what was sent or answered shows anywhere, however a call fails."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

import httpx
import msgspec
import pytest
from fake_mistral.clock import Clock
from msgspec import Struct

from rag.errors import InvalidSettings, RagError
from rag.mistral.calls import Call, Upload
from rag.mistral.client import MistralClient
from rag.mistral.patience import BULK, INTERACTIVE, Patience
from rag.mistral.wire.decoding import decode
from rag.mistral.wire.embeddings import EmbeddingReply

pytestmark = pytest.mark.anyio

KEY = "canary-key-77e1"
PROXY_KEY = "canary-proxy-key-31b9"
ASKED = "canary question 5c0d"
TOLD = "canary answer 9a4f"
CANARIES = (KEY, PROXY_KEY, ASKED, TOLD, "canary")


Failing: TypeAlias = Callable[[httpx.Request], httpx.Response]


class Question(Struct):
    input: str


def answers(status: int, body: object, headers: dict[str, str] | None = None) -> Failing:
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return lambda request: httpx.Response(status, headers=headers, content=content)


def raises(kind: type[httpx.TransportError]) -> Failing:
    def fail(request: httpx.Request) -> httpx.Response:
        raise kind(f"{KEY} {ASKED} {TOLD}", request=request)

    return fail


async def never_ends() -> AsyncIterator[bytes]:
    while True:
        yield TOLD.encode()


async def breaks() -> AsyncIterator[bytes]:
    yield TOLD.encode()
    raise httpx.ReadError(TOLD)


async def hangs() -> AsyncIterator[bytes]:
    yield TOLD.encode()
    await asyncio.sleep(60)


FAILURES: dict[str, Failing] = {
    **{
        f"{status} that repeats all": answers(
            status, {"message": f"{KEY} {ASKED}", "type": ASKED, "code": KEY, "detail": TOLD}
        )
        for status in (307, 400, 401, 402, 403, 404, 413, 422, 429, 500, 503)
    },
    "validation error with its input": answers(
        422, {"detail": [{"loc": ["body", ASKED], "msg": ASKED, "type": ASKED, "input": ASKED}]}
    ),
    "another shape": answers(200, {"data": TOLD}),
    "wrong types": answers(200, {"data": [{"embedding": [TOLD]}]}),
    "not JSON": answers(200, TOLD.encode()),
    "not UTF-8": answers(200, b'{"data": "' + TOLD.encode() + b"\xff"),
    "not gzip": answers(200, TOLD.encode(), {"content-encoding": "gzip"}),
    "a header that repeats": answers(429, {}, {"retry-after": TOLD, "x-request-id": KEY}),
    "a retirement that repeats": answers(400, {}, {"x-model-deprecation-timestamp": TOLD}),
    "too long": lambda request: httpx.Response(200, content=never_ends()),
    "broken off": lambda request: httpx.Response(200, content=breaks()),
    "too slow": lambda request: httpx.Response(200, content=hangs()),
    **{
        kind.__name__: raises(kind)
        for kind in (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.ReadError,
            httpx.WriteError,
            httpx.RemoteProtocolError,
            httpx.LocalProtocolError,
            httpx.ProxyError,
        )
    },
}


@pytest.mark.parametrize("patience", [BULK, INTERACTIVE], ids=["bulk", "interactive"])
@pytest.mark.parametrize("failure", FAILURES)
async def test_no_failure_tells_a_secret(
    failure: str, patience: Patience, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = MistralClient(
        KEY,
        headers={"X-Proxy-Key": PROXY_KEY},
        transport=httpx.MockTransport(FAILURES[failure]),
        clock=Clock(),
    )
    call = Call("/v1/embeddings", "mistral-embed", Question(ASKED), 0.05, 10_000)

    with pytest.raises(RagError) as caught:
        await client.ask(call, lambda body: decode(body, EmbeddingReply), patience=patience)
    await client.close()

    told = [str(caught.value), repr(caught.value), repr(client), repr(call)]
    told += [str(vars(record)) for record in caplog.records]
    assert not [text for text in told if any(canary in text for canary in CANARIES)]


async def test_what_is_uploaded_does_not_show_in_its_repr() -> None:
    upload = Upload("a.pdf", ASKED.encode(), "application/pdf", {"purpose": ASKED})

    assert "canary" not in repr(upload) + repr(Call("/v1/files", "files", upload, 1.0, 10))


async def test_what_goes_over_real_http_is_not_logged_below_either(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = MistralClient(KEY, base_url=url, headers={"X-Proxy-Key": PROXY_KEY})
    call = Call("/v1/embeddings", "mistral-embed", Question(ASKED), 5.0, 10_000)

    with pytest.raises(RagError) as caught:  # it is not the fake's key
        await client.ask(call, len, patience=BULK)
    await client.close()

    logged = "".join(str(vars(record)) for record in caplog.records)
    shown = logged + "".join(traceback.format_exception(caught.value))
    assert logged  # the connection library does log
    assert not [canary for canary in CANARIES if canary in shown]


@pytest.mark.parametrize(
    "headers", [{"X-Key": f"{KEY}\n"[:-1] + "\r\nx: y"}, {f"X {KEY}": "1"}, {"X-Key": KEY + "é"}]
)
def test_a_header_that_cannot_be_one_is_refused_without_repeating_it(
    headers: dict[str, str],
) -> None:
    with pytest.raises(InvalidSettings) as caught:
        MistralClient("key", headers=headers)

    assert KEY not in str(caught.value)
