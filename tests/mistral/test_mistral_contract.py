"""What we send, and what the fake answers, is what the provider has published."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_mistral.app import KEY, FakeMistral
from fake_mistral.contract import Chat
from fake_mistral.openapi import Published

from rag.domain import Block, DocumentId, Evidence, Source, Version
from rag.mistral.chat import MistralAnswerer
from rag.mistral.client import MistralClient
from rag.mistral.embeddings import MistralEmbedder
from rag.mistral.ocr import MistralReader

DOCUMENT = Path(__file__).parents[2] / ".." / "shared" / "mistral-openapi.yaml"

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not DOCUMENT.exists(), reason="the published document is not at hand"),
]


@pytest.fixture(scope="module")
def published() -> Published:
    return Published(DOCUMENT)


class Recording(httpx.AsyncBaseTransport):
    """Hands on, and keeps path, request and reply of each exchange."""

    def __init__(self, fake: FakeMistral) -> None:
        self._inner = httpx.ASGITransport(fake.app)  # type: ignore[arg-type]
        self.exchanges: list[tuple[str, Any, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        asked, answered = json.loads(request.content or b"null"), json.loads(await response.aread())
        self.exchanges.append((request.url.path, asked, answered))
        return response


@pytest.fixture
async def said(fake: FakeMistral) -> list[tuple[str, Any, Any]]:
    """Path, request and reply of every kind of call that our adapters make."""
    whole = fake.choice

    def cut_off_at_first(request: Chat) -> dict[str, Any]:
        reason = "stop" if request.messages[-1].content.startswith("That reply") else "length"
        return {**whole(request), "finish_reason": reason}

    transport = Recording(fake)
    client = MistralClient(KEY, transport=transport)
    block = Block("text", 0, 11)
    cash = Evidence(1, DocumentId("d"), Version("v"), "a", "A", "Cash was 5.", block)
    for ocr_model in (None, "mistral-ocr-2512"):
        await MistralReader(client, ocr_model).read(Source("a.png", b"\x89PNG\r\n\x1a\n..."))
    for embedding_model in (None, "codestral-embed"):
        await MistralEmbedder(client, embedding_model).embed(["one", "two"], "passage")
    for chat_model in (None, "mistral-small-2603"):
        await MistralAnswerer(client, chat_model).draft("Cash?", [cash])
    fake.choice = cut_off_at_first
    await MistralAnswerer(client).draft("Cash?", [cash])
    await client.models()
    await client.close()
    return transport.exchanges


REQUESTS = {
    "/v1/ocr": "OCRRequest",
    "/v1/embeddings": "EmbeddingRequest",
    "/v1/chat/completions": "ChatCompletionRequest",
}
REPLIES = {
    "/v1/ocr": "OCRResponse",
    "/v1/embeddings": "EmbeddingResponse",
    "/v1/chat/completions": "ChatCompletionResponse",
    "/v1/models": "ModelList",
}
DEFECTS = {
    "ChatCompletionResponse: without data",  # a property that no completion has
    "EmbeddingResponse.usage: unknown field prompt_tokens_details",  # sent, and not published
    "EmbeddingResponse.usage: unknown field request_count",
    "ChatCompletionResponse.usage: unknown field prompt_tokens_details",
    "ChatCompletionResponse.usage: unknown field request_count",
}
"""Where the published document does not describe what is really answered."""


async def test_every_request_is_one_that_was_published(
    said: list[tuple[str, Any, Any]], published: Published
) -> None:
    assert len(said) == 9
    for path, request, _ in said:
        if path in REQUESTS:
            assert published.faults(REQUESTS[path], request) == []


async def test_the_fake_answers_as_was_published(
    said: list[tuple[str, Any, Any]], published: Published
) -> None:
    for path, _, reply in said:
        assert set(published.faults(REPLIES[path], reply)) <= DEFECTS


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("EmbeddingRequest", {"model": "m"}, "EmbeddingRequest: without input"),
        (
            "EmbeddingRequest",
            {"model": "m", "input": "a", "user": 1},
            "EmbeddingRequest: unknown field user",
        ),
        ("EmbeddingRequest", {"model": "m", "input": [1]}, "EmbeddingRequest.input"),
        (
            "EmbeddingRequest",
            {"model": "m", "input": "a", "encoding_format": None},
            "EmbeddingRequest.encoding_format",
        ),
        (
            "EmbeddingRequest",
            {"model": "m", "input": "a", "output_dimension": 0},
            "EmbeddingRequest.output_dimension: 0",
        ),
        ("OCRRequest", {"model": "m", "document": {"type": "image_url"}}, "OCRRequest.document"),
        (
            "OCRRequest",
            {"model": "m", "document": {"type": "file", "file_id": "x"}, "table_format": "csv"},
            "OCRRequest.table_format",
        ),
        (
            "ChatCompletionRequest",
            {"model": "m", "messages": [{"role": "robot"}]},
            "ChatCompletionRequest.messages.0: unknown kind",
        ),
        (
            "ChatCompletionRequest",
            {"model": "m", "messages": [], "temperature": 2.0},
            "ChatCompletionRequest.temperature: 2.0",
        ),
    ],
)
async def test_a_request_that_was_not_published_is_noticed(
    published: Published, name: str, value: Any, fault: str
) -> None:
    assert any(told.startswith(fault) for told in published.faults(name, value))


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/embeddings", {"model": "mistral-embed", "inputs": ["a"]}, 422),
        ("/v1/embeddings", {"model": "mistral-embed", "input": ["a"], "dimensions": 256}, 422),
        ("/v1/chat/completions", {"model": "mistral-large-2512", "messages": [], "seed": 1}, 422),
        (
            "/v1/chat/completions",
            {"model": "m", "messages": [{"role": "user", "content": "a"}]},
            404,
        ),
        (
            "/v1/ocr",
            {
                "model": "mistral-ocr-4-0",
                "document": {"type": "image_url", "image_url": "http://a"},
            },
            422,
        ),
    ],
)
async def test_the_fake_refuses_what_the_provider_refuses(
    fake: FakeMistral, path: str, body: Any, status: int
) -> None:
    transport = httpx.ASGITransport(fake.app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://fake") as caller:
        assert (await caller.post(path, json=body)).status_code == 401
        key = {"authorization": f"Bearer {KEY}"}
        assert (await caller.post(path, json=body, headers=key)).status_code == status
