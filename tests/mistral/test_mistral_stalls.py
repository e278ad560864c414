"""A call with a large body keeps no other waiting.

A stall is what this process computes, on whichever thread, between two turns of the event loop:
other processes of the machine do not count. The best of some times counts; chance only adds.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import httpx
import msgspec
import pytest
from fake_mistral.pages import ocr_block, ocr_page
from msgspec import Struct

from rag.mistral import understanding
from rag.mistral.calls import Call
from rag.mistral.client import MistralClient
from rag.mistral.files import upload
from rag.mistral.ocr.kinds import kind_of
from rag.mistral.ocr.replies import sent_pages
from rag.mistral.ocr.requests import options, request
from rag.mistral.patience import BULK

LONGEST = 0.05
"""CPU seconds. What is measured is some ten times more where bodies are made or read at once."""

TIMES = 5
PDF = b"%PDF-1.7\n" + bytes(20_000_000)
PAGES = 400
TICK = 0.0005


class Network(httpx.AsyncBaseTransport):
    """Takes what is sent piece by piece, and answers so."""

    def __init__(self, body: bytes) -> None:
        self.pieces = [body[at : at + 65_536] for at in range(0, len(body), 65_536)]
        self.received = self.longest_piece = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        async for piece in request.stream:
            self.received += len(piece)
            self.longest_piece = max(self.longest_piece, len(piece))
            await asyncio.sleep(0)
        return httpx.Response(200, content=self._answer())

    async def _answer(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
            await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def no_garbage_of_other_tests() -> Iterator[None]:
    """To look through it takes as long as what is measured."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def stall(work: Awaitable[object]) -> float:
    """CPU seconds, the most between two turns of the loop."""
    longest, last = 0.0, time.process_time()
    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.sleep(TICK)
        now = time.process_time()
        longest, last = max(longest, now - last), now
    task.result()
    return longest


async def least_stall(work: Callable[[], Awaitable[object]]) -> float:
    least = 10.0
    for _ in range(TIMES):
        least = min(least, await stall(work()))
        if least < LONGEST:
            break
    return least


def ocr(pdf: bytes) -> Call:
    asked = options("mistral-ocr-4-0", kind_of(pdf), describes=False)
    return Call("/v1/ocr", "m", lambda: request(asked, pdf, kind_of(pdf), None), 60.0, 100_000_000)


@pytest.mark.anyio
async def test_a_large_document_is_sent_without_a_stall() -> None:
    network = Network(b"{}")
    client = MistralClient("key", transport=network)

    longest = await least_stall(lambda: client.ask(ocr(PDF), len, patience=BULK))

    assert longest < LONGEST
    assert network.longest_piece <= 256 * 1024  # each is encrypted at once
    assert network.received % (len(PDF) * 4 // 3) < 1_000 * TIMES  # all of it, each time


@pytest.mark.anyio
async def test_a_large_file_is_uploaded_without_a_stall() -> None:
    network = Network(b'{"id": "f"}')
    client = MistralClient("key", transport=network)

    longest = await least_stall(
        lambda: upload(client, PDF, "f", purpose="batch", media_type="text/plain")
    )

    assert longest < LONGEST
    assert network.longest_piece <= 256 * 1024


@pytest.mark.anyio
async def test_a_large_reply_is_read_without_a_stall() -> None:
    blocks = [ocr_block("text", "What was read. " * 20, top) for top in range(60)]
    pages = [ocr_page("What was read. " * 1_200, n, blocks=blocks) for n in range(PAGES)]
    body = msgspec.json.encode({"pages": pages})
    client = MistralClient("key", transport=Network(body))

    async def ask() -> None:
        sent = await client.ask(
            ocr(b"%PDF-1.7\n"),
            lambda body: sent_pages(body, range(1, PAGES + 1), "m"),
            patience=BULK,
        )
        assert len(sent.pages) == PAGES
        while sent.pages:
            sent.pages.popitem()
            await asyncio.sleep(0)

    assert len(body) > 15_000_000
    assert await least_stall(ask) < LONGEST


class Small(Struct):
    text: str = "small"


@pytest.mark.anyio
async def test_a_small_call_needs_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_is_left(*args: object) -> None:
        raise AssertionError("a thread was asked for")

    monkeypatch.setattr(asyncio, "to_thread", none_is_left)
    client = MistralClient("key", transport=Network(b"{}" + b" " * (understanding.LONG - 2)))

    assert await client.ask(Call("/v1/x", "m", Small(), 60.0, 1_000_000), len, patience=BULK)
