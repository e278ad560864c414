"""Whatever is asked for, the request is one that the published contract allows."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from fake_mistral.app import KEY
from fake_mistral.openapi import Published
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.domain import Draft
from rag.grounding.prompt import Message
from rag.mistral.chat.completions import MistralChat, Terms
from rag.mistral.chat.transcripts import CalledTool, Completion
from rag.mistral.client import MistralClient
from rag.mistral.embedding.profiles import profile
from rag.mistral.embedding.vectors import embedding_request
from rag.mistral.wire.chat import Function, Said, Tool, ToolResult

CONTRACT = Path(__file__).parents[2] / ".." / "shared" / "mistral-openapi.yaml"

TOOL = Tool(Function("look", "Looks it up.", {"type": "object"}))

CALLED = Completion("m", "", "tool_calls", (CalledTool("a1b2c3d4e", "look", '{"q": 1}'),)).said()

MESSAGES: st.SearchStrategy[Said] = st.one_of(
    st.builds(Message, st.sampled_from(["system", "user", "assistant"]), st.text(max_size=9)),
    st.just(CALLED),
    st.builds(ToolResult, st.just("a1b2c3d4e"), st.just("look"), st.text(max_size=9)),
)

TERMS = st.builds(
    Terms,
    max_tokens=st.integers(0, 9_999),
    temperature=st.floats(0, 1.5),
    shape=st.sampled_from([None, Draft]),
    tools=st.sampled_from([(), (TOOL,)]),
    tool_choice=st.sampled_from([None, "auto", "none", "any"]),
    stop=st.lists(st.text(min_size=1, max_size=3), max_size=2).map(tuple),
    effort=st.sampled_from([None, "none", "low", "medium", "high"]),
    cache_key=st.sampled_from([None, "key"]),
)


@pytest.fixture(scope="module")
def published() -> Published:
    if not CONTRACT.exists():
        pytest.skip("the provider's published contract is not here")
    return Published(CONTRACT)


def sent(messages: Sequence[Said], terms: Terms, is_stream: bool) -> Any:
    """The request's body."""
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        choice = {"finish_reason": "stop", "message": {"content": "a"}, "delta": {"content": "a"}}
        reply = msgspec.json.encode({"choices": [choice]})
        events = b"data: " + reply + b"\n\ndata: [DONE]\n\n"
        return httpx.Response(200, content=events if is_stream else reply)

    async def ask() -> None:
        client = MistralClient(KEY, transport=httpx.MockTransport(answer))
        chat = MistralChat(client, "mistral-small-2603")
        if is_stream:
            assert [delta.text async for delta in chat.stream(messages, terms)] == ["a", ""]
        else:
            assert (await chat.complete(messages, terms)).text == "a"
        await client.close()

    asyncio.run(ask())
    return msgspec.json.decode(bodies[0])


@settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(MESSAGES, min_size=1, max_size=3), TERMS, st.booleans())
def test_every_conversation_is_asked_as_published(
    published: Published, messages: Sequence[Said], terms: Terms, is_stream: bool
) -> None:
    assert published.faults("ChatCompletionRequest", sent(messages, terms, is_stream)) == []


@settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.text(), min_size=1, max_size=3),
    st.one_of(
        st.sampled_from(["mistral-embed", "codestral-embed", "codestral-embed/int8"]),
        st.integers(1, 3072).map(lambda width: f"codestral-embed@{width}/binary"),
    ),
)
def test_every_embedding_is_asked_for_as_published(
    published: Published, texts: Sequence[str], name: str
) -> None:
    body = msgspec.json.decode(
        msgspec.json.encode(embedding_request(texts, "query", profile(name)))
    )

    assert published.faults("EmbeddingRequest", body) == []
