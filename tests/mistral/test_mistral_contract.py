"""What we send, and what the fake answers, is what the provider has published."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_mistral.app import KEY, FakeMistral
from fake_mistral.contract import Chat
from fake_mistral.openapi import Exchange, Published
from papers import pdf

from rag.domain import Block, DocumentId, Evidence, Source, Version
from rag.grounding.prompt import Message
from rag.mistral import batch, files
from rag.mistral.chat.answerer import MistralAnswerer
from rag.mistral.chat.completions import MistralChat, Terms
from rag.mistral.chat.fim import fill_in
from rag.mistral.client import MistralClient
from rag.mistral.embedding.embedder import MistralEmbedder
from rag.mistral.ocr.reader import MistralReader
from rag.mistral.wire.batch import BatchRequest, CreateJob
from rag.mistral.wire.chat import (
    CalledFunction,
    Function,
    SaidToolCalls,
    Tool,
    ToolCall,
    ToolResult,
)
from rag.mistral.wire.embeddings import EmbeddingRequest

DOCUMENT = Path(__file__).parents[2] / ".." / "shared" / "mistral-openapi.yaml"

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not DOCUMENT.exists(), reason="the published document is not at hand"),
]

LOOKUP = Tool(Function("lookup", "Looks it up.", {"type": "object", "properties": {}}))
QUESTION = Message("user", "Cash?")


@pytest.fixture(scope="module")
def published() -> Published:
    return Published(DOCUMENT)


class Recording(httpx.AsyncBaseTransport):
    """Hands on, and keeps each exchange."""

    def __init__(self, fake: FakeMistral) -> None:
        self._inner = httpx.ASGITransport(fake.app)  # type: ignore[arg-type]
        self.exchanges: list[Exchange] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sent = await request.aread()
        response = await self._inner.handle_async_request(request)
        told = await response.aread()
        exchange = Exchange(
            request.method,
            request.url.path,
            request.url.params.multi_items(),
            request.headers.get("content-type", ""),
            sent,
            response.status_code,
            response.headers.get("content-type", ""),
            told,
        )
        self.exchanges.append(exchange)
        return response


@pytest.fixture
async def recording(fake: FakeMistral) -> Recording:
    return Recording(fake)


@pytest.fixture
async def client(recording: Recording) -> AsyncIterator[MistralClient]:
    client = MistralClient(KEY, transport=recording)
    yield client
    await client.close()


DEFECTS = {
    "ChatCompletionResponse: without data",  # a property that no completion has
    "FIMCompletionResponse: without data",
    "EmbeddingResponse.usage: unknown field prompt_tokens_details",  # sent, and not published
    "EmbeddingResponse.usage: unknown field request_count",
    "ChatCompletionResponse.usage: unknown field prompt_tokens_details",
    "ChatCompletionResponse.usage: unknown field request_count",
    "FIMCompletionResponse.usage: unknown field prompt_tokens_details",
    "FIMCompletionResponse.usage: unknown field request_count",
    "CompletionEvent.data.usage: unknown field prompt_tokens_details",
    "CompletionEvent.data.usage: unknown field request_count",
}
"""Where the published document does not describe what is really answered."""

OCR_INPUT = (
    "sample_type: none of ['pretrain', 'instruct', 'batch_request', 'batch_result', 'batch_error']"
)
"""Of files for OCR the samples say `ocr_input`, which is no value of the enumeration."""


def check(published: Published, recording: Recording, paths: set[str]) -> None:
    """Every exchange is one that was published, and these were all the places."""
    assert {each.path.partition("/v1/")[2].split("/")[0] for each in recording.exchanges} == paths
    for exchange in recording.exchanges:
        assert exchange.status == 200
        assert published.request_faults(exchange) == []
        wrong = {fault for fault in published.reply_faults(exchange) if OCR_INPUT not in fault}
        assert wrong <= DEFECTS


@pytest.mark.parametrize("model", [None, "mistral-ocr-2512"])
@pytest.mark.parametrize("describes", [False, True])
async def test_ocr_is_asked_and_answered_as_published(
    client: MistralClient, recording: Recording, published: Published, model: str, describes: bool
) -> None:
    reader = MistralReader(client, model, describes_pictures=describes)
    report = Source("a.pdf", pdf("Cash was 5.", "Debt was 7.", "No more."))

    await reader.read(Source("a.png", b"\x89PNG\r\n\x1a\n..."))
    await reader.read(report)
    await reader.recognize(Source("b.pdf", report.content + b"\n"), [1, 3])

    check(published, recording, {"ocr"})


@pytest.mark.parametrize(
    "model", [None, "codestral-embed", "codestral-embed@512/int8", "codestral-embed@256/binary"]
)
async def test_embeddings_are_asked_and_answered_as_published(
    client: MistralClient, recording: Recording, published: Published, model: str
) -> None:
    embedder = MistralEmbedder(client, model)

    await embedder.embed(["one", "two"], "passage")
    await embedder.embed(["three"], "query")

    check(published, recording, {"embeddings"})


@pytest.mark.parametrize("model", [None, "mistral-small-2603", "ministral-8b-2512"])
async def test_answers_are_asked_and_answered_as_published(
    client: MistralClient,
    recording: Recording,
    published: Published,
    fake: FakeMistral,
    model: str,
) -> None:
    whole = fake.choice

    def cut_off_at_first(request: Chat) -> dict[str, Any]:
        reason = "stop" if request.messages[-1].text().startswith("That reply") else "length"
        return {**whole(request), "finish_reason": reason}

    cash = Evidence(1, DocumentId("d"), Version("v"), "a", "A", "Cash.", Block("text", 0, 5))
    await MistralAnswerer(client, model).draft("Cash?", [cash])
    fake.choice = cut_off_at_first
    await MistralAnswerer(client, model).draft("Cash?", [cash])

    check(published, recording, {"chat"})


async def test_conversations_are_asked_and_answered_as_published(
    client: MistralClient, recording: Recording, published: Published
) -> None:
    plain = MistralChat(client, "mistral-large-2512")
    thinking = MistralChat(client, "mistral-small-2603")
    called = SaidToolCalls((ToolCall(CalledFunction("lookup", "{}"), "a1B2c3D4e", 0),))
    result = ToolResult("a1B2c3D4e", "lookup", '{"0": {"title": "A"}}')
    all_terms = Terms(100, 0.5, stop=("x",), cache_key="k", tools=(LOOKUP,))

    await plain.complete([QUESTION], all_terms)
    await plain.complete([QUESTION, called, result], all_terms)
    await thinking.complete([QUESTION], Terms(effort="high"))
    for chat, terms in ((plain, all_terms), (plain, Terms()), (thinking, Terms(effort="high"))):
        async for _ in chat.stream([QUESTION], terms):
            pass

    check(published, recording, {"chat"})
    assert [each.told_type.partition(";")[0] for each in recording.exchanges[-3:]] == [
        "text/event-stream"
    ] * 3


async def test_gaps_are_asked_and_answered_as_published(
    client: MistralClient, recording: Recording, published: Published
) -> None:
    await fill_in(client, "def f(x):", "\n", max_tokens=20, stop=["#"])
    await fill_in(client, "def f(x):")

    check(published, recording, {"fim"})


async def test_files_are_asked_and_answered_as_published(
    client: MistralClient, recording: Recording, published: Published
) -> None:
    lines = await files.upload(
        client, b"{}\n", "a.jsonl", purpose="batch", media_type="application/jsonl", hours=3
    )
    scan = await files.upload(
        client, b"%PDF-", "a.pdf", purpose="ocr", media_type="application/pdf"
    )
    await files.file_card(client, scan.id)
    await files.file_content(client, lines.id, largest=100)
    await files.signed_url(client, scan.id, hours=168)
    await files.delete_file(client, scan.id)

    check(published, recording, {"files"})


async def test_batches_are_asked_and_answered_as_published(
    client: MistralClient, recording: Recording, published: Published
) -> None:
    body = EmbeddingRequest("mistral-embed", ("one",), encoding_format="float")
    requests = (BatchRequest("a", body), BatchRequest("b", body))
    file = await files.upload(
        client,
        batch.lines_of(requests),
        "a.jsonl",
        purpose="batch",
        media_type="application/jsonl",
    )
    inline = CreateJob("/v1/embeddings", "mistral-embed", requests=requests, metadata={"a": "b"})
    made = await batch.create_job(client, inline)
    other = await batch.create_job(
        client,
        CreateJob("/v1/embeddings", "mistral-embed", input_files=(file.id,), timeout_hours=1),
    )
    for _ in range(5):
        await batch.job(client, made.id)
    await batch.job_with_outputs(client, made.id, largest=1_000_000)
    await batch.cancel_job(client, other.id)
    await batch.newest_jobs(client, "mistral-embed")

    check(published, recording, {"files", "batch"})


async def test_models_are_asked_and_answered_as_published(
    client: MistralClient, recording: Recording, published: Published
) -> None:
    await client.models()

    check(published, recording, {"models"})


@pytest.mark.parametrize(
    ("method", "path", "query", "sent", "fault"),
    [
        ("GET", "/v1/file", [], b"", "GET /v1/file is not published"),
        ("PUT", "/v1/files", [], b"", "PUT /v1/files is not published"),
        ("GET", "/v1/files/x/url", [("hours", "1")], b"", "query: unknown hours"),
        ("GET", "/v1/files/x/url", [("expiry", "soon")], b"", "query.expiry: str where"),
        ("POST", "/v1/embeddings", [], b"", "without a body"),
        ("GET", "/v1/models", [], b"{}", "a body of application/json"),
    ],
)
async def test_a_place_or_a_query_that_was_not_published_is_noticed(
    published: Published,
    method: str,
    path: str,
    query: list[tuple[str, str]],
    sent: bytes,
    fault: str,
) -> None:
    exchange = Exchange(method, path, query, "application/json", sent, 200, "", b"")

    assert any(told.startswith(fault) for told in published.request_faults(exchange))


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
            "CreateBatchJobRequest",
            {"endpoint": "/v1/ocr", "metadata": {"": "b"}},
            "CreateBatchJobRequest.metadata",
        ),
        (
            "CreateBatchJobRequest",
            {"endpoint": "/v1/ocr", "requests": [{"body": {}}] * 10_001},
            "CreateBatchJobRequest.requests: 10001 items",
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
