"""Nothing is told twice, nothing is believed that was cut off, and all of it is in the book."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest
from account_book import AccountBook
from fake_mistral.app import KEY
from fake_mistral.clock import Clock
from msgspec import Struct

from rag.errors import (
    BudgetExhausted,
    InvalidRequest,
    KeyRefused,
    MalformedReply,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
)
from rag.grounding.prompt import Message
from rag.mistral.chat.completions import MistralChat, Terms
from rag.mistral.chat.transcripts import CalledTool, Completion
from rag.mistral.client import MistralClient
from rag.mistral.wire.chat import (
    CalledFunction,
    Function,
    SaidToolCalls,
    Tool,
    ToolCall,
    ToolResult,
)
from rag.spending import Purpose, Units

pytestmark = pytest.mark.anyio

MODEL = "mistral-large-2512"
ASKED = (Message("system", "Be brief."), Message("user", "Is it so?"))
USAGE = {"prompt_tokens": 100, "completion_tokens": 7}


def event(text: str = "", finish_reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}
    return b"data: " + msgspec.json.encode({"choices": [choice], **more}) + b"\n\n"


DONE = b"data: [DONE]\n\n"
SPOKEN = event("It ") + event("is ") + event("so.", "stop", usage=USAGE) + DONE


class Provider:
    """Answers from a list: each answer is a status and bytes, which may break off."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.received: list[Any] = []
        self.hung_up = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.received.append(msgspec.json.decode(request.content))
        status, body = self.answers.pop(0)
        if isinstance(body, dict):
            return httpx.Response(status, json=body)
        return httpx.Response(status, stream=_Body(self, body))


class _Body(httpx.AsyncByteStream):
    def __init__(self, provider: Provider, pieces: Any) -> None:
        self._provider = provider
        self._pieces = [pieces] if isinstance(pieces, bytes) else pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, asyncio.Event):
                await piece.wait()
            elif isinstance(piece, Exception):
                raise piece
            else:
                yield piece

    async def aclose(self) -> None:
        self._provider.hung_up += 1


BROKEN = httpx.ReadError("reset")


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def book() -> AccountBook:
    return AccountBook()


@pytest.fixture
async def chat(provider: Provider, book: AccountBook) -> Callable[[str], MistralChat]:
    """Each with a client of its own, which remembers no trouble of another."""

    def chat_with(model: str) -> MistralChat:
        transport = httpx.MockTransport(provider)
        client = MistralClient(KEY, book, transport=transport, clock=Clock(), chance=lambda: 0.5)
        return MistralChat(client, model)

    return chat_with


@pytest.fixture
async def large(chat: Callable[[str], MistralChat]) -> MistralChat:
    return chat(MODEL)


async def spoken(chat: MistralChat, terms: Terms | None = None) -> tuple[list[str], Completion]:
    texts = []
    async with aclosing(chat.stream(ASKED, terms or Terms())) as deltas:
        async for delta in deltas:
            if delta.completion:
                return texts, delta.completion
            texts.append(delta.text)
    raise AssertionError("a stream ended without its completion")


def completed(text: str = "It is so.", reason: str = "stop", **usage: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": reason, "message": {"content": text}}
    return {"model": MODEL, "choices": [choice], "usage": {**USAGE, **usage}}


# --- at once ------------------------------------------------------------------------------------


async def test_a_completion_is_billed_with_what_was_still_cached(
    large: MistralChat, provider: Provider, book: AccountBook
) -> None:
    cached = {"cached_tokens": 64}
    provider.answers = [(200, completed(prompt_tokens_details=cached))]

    said = await large.complete(ASKED)

    assert said.text == "It is so."
    assert said.units == Units(100, 7, 64)
    [(number, bill)] = book.bills.items()
    assert bill.units == Units(100, 7, 64)
    assert bill.usd == (Decimal("42.4") * Decimal("0.5") + 7 * Decimal("1.5")) / 1_000_000
    assert book.intents[number].operation == "complete"
    assert book.intents[number].most.input >= 100
    assert book.intents[number].most.output == Terms().max_tokens
    assert book.intents[number].usd > bill.usd


async def test_where_tokens_are_not_counted_the_most_is_billed(
    large: MistralChat, provider: Provider, book: AccountBook
) -> None:
    provider.answers = [(200, {**completed(), "usage": None})]

    await large.complete(ASKED)

    [(number, bill)] = book.bills.items()
    assert bill.units.input == book.intents[number].most.input
    assert len("It is so.") <= bill.units.output < 20


async def test_a_prompt_is_never_thought_longer_than_what_the_model_reads(
    large: MistralChat, provider: Provider, book: AccountBook
) -> None:
    provider.answers = [(200, completed())]

    await large.complete([Message("user", "x" * 1_000_000)])

    [intent] = book.intents.values()
    assert intent.most.input == 256_000


async def test_a_failed_completion_is_billed_and_asked_for_again(
    large: MistralChat, provider: Provider, book: AccountBook
) -> None:
    provider.answers = [(200, completed(reason="error")), (200, completed())]

    assert (await large.complete(ASKED)).text == "It is so."

    assert [bill.units for bill in book.bills.values()] == [Units(100, 7), Units(100, 7)]


class Verdict(Struct, frozen=True, forbid_unknown_fields=True):
    is_so: bool


LOOK = Tool(Function("look", "Looks it up.", {"type": "object"}))


async def test_what_is_asked_for_is_sent_and_nothing_else(
    large: MistralChat, provider: Provider
) -> None:
    provider.answers = [(200, completed())] * 2

    await large.complete(ASKED, Terms(max_tokens=9))
    await large.complete(
        [
            *ASKED,
            SaidToolCalls((ToolCall(CalledFunction("look", "{}"), "a1b2c3d4e"),)),
            ToolResult("a1b2c3d4e", "look", "yes"),
        ],
        Terms(shape=Verdict, tools=(LOOK,), stop=("\n",), cache_key="k"),
    )

    plain, full = provider.received
    said = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Is it so?"},
    ]
    assert plain == {"model": MODEL, "messages": said, "max_tokens": 9, "temperature": 0.0}
    assert full["response_format"]["json_schema"]["name"] == "verdict"
    assert full["response_format"]["json_schema"]["strict"] is True
    assert full["tools"][0]["function"]["name"] == "look"
    assert (full["stop"], full["prompt_cache_key"]) == (["\n"], "k")
    assert [each["role"] for each in full["messages"]] == ["system", "user", "assistant", "tool"]


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        ("mistral-large-2512", None, None),
        ("mistral-large-2512", "none", None),
        ("mistral-small-2603", None, "none"),
        ("mistral-small-latest", None, "none"),
        ("mistral-small-2603", "high", "high"),
        ("mistral-medium-3-5", "high", "high"),
        ("one-of-our-own", None, None),
        ("one-of-our-own", "high", "high"),
    ],
)
async def test_a_model_reasons_when_it_can_and_is_asked_to(
    chat: Callable[[str], MistralChat],
    provider: Provider,
    model: str,
    effort: Any,
    sent: str | None,
) -> None:
    provider.answers = [(200, completed())]

    await chat(model).complete(ASKED, Terms(effort=effort))

    assert provider.received[0].get("reasoning_effort") == sent


async def test_a_model_that_cannot_reason_is_not_asked_to(large: MistralChat) -> None:
    with pytest.raises(InvalidRequest, match="cannot reason"):
        await large.complete(ASKED, Terms(effort="high"))


# --- as it is spoken ----------------------------------------------------------------------------


async def test_text_is_told_as_it_comes_and_billed_at_the_end(
    large: MistralChat, provider: Provider, book: AccountBook
) -> None:
    provider.answers = [(200, SPOKEN)]

    texts, completion = await spoken(large)

    assert texts == ["It ", "is ", "so."]
    assert completion.text == "It is so."
    assert provider.received[0]["stream"] is True
    assert "stream_options" not in provider.received[0]
    assert [bill.units for bill in book.bills.values()] == [Units(100, 7)]
    assert not book.under_way


async def test_the_first_word_does_not_wait_for_the_last(
    large: MistralChat, provider: Provider
) -> None:
    goes_on = asyncio.Event()
    rest = event("so.", "stop", usage=USAGE) + DONE
    provider.answers = [(200, [event("It "), goes_on, rest])]

    async with aclosing(large.stream(ASKED)) as deltas:
        assert (await anext(deltas)).text == "It "
        goes_on.set()
        assert (await anext(deltas)).text == "so."
        assert (await anext(deltas)).completion


async def test_a_stream_cut_anywhere_is_never_repeated_and_never_believed(
    chat: Callable[[str], MistralChat], provider: Provider, book: AccountBook
) -> None:
    """Cut after every byte, with a reset and with a clean end; the next stream would be whole."""
    first_told = SPOKEN.index(b"\n\n") + len(b"\n\n")
    for cut in range(len(SPOKEN) - len(DONE)):
        for end in ([BROKEN], []):
            provider.answers = [(200, [SPOKEN[:cut], *end]), (200, SPOKEN)]
            told: list[str] = []
            try:
                async with aclosing(chat(MODEL).stream(ASKED)) as deltas:
                    async for delta in deltas:
                        told.append(delta.text)
            except ProviderUnavailable:
                assert cut >= first_told
                assert "".join(told) in ("It ", "It is ", "It is so.")
                assert len(provider.answers) == 1
            else:
                assert cut < first_told  # nothing had been told, so it began again
                assert "".join(told) == "It is so."
                assert provider.answers == []
    assert not book.under_way


async def test_a_stream_that_never_says_anything_is_begun_twice_and_no_more(
    large: MistralChat, provider: Provider, book: AccountBook
) -> None:
    provider.answers = [(200, [BROKEN]), (200, b": hello\n\n"), (200, SPOKEN)]

    with pytest.raises(ProviderUnavailable):
        await spoken(large)

    assert len(provider.received) == 2
    assert len(book.lost) == 2


async def test_a_stream_that_is_refused_before_it_begins_costs_nothing(
    large: MistralChat, provider: Provider, book: AccountBook
) -> None:
    provider.answers = [(503, {"message": "overloaded"}), (200, SPOKEN)]

    texts, _ = await spoken(large)

    assert "".join(texts) == "It is so."
    assert (len(book.withdrawn), len(book.bills), len(book.lost)) == (1, 1, 0)


@pytest.mark.parametrize(
    ("status", "error"), [(401, KeyRefused), (422, ProviderRefused), (503, ProviderUnavailable)]
)
async def test_a_stream_that_does_not_begin_is_an_error_of_ours(
    large: MistralChat, provider: Provider, status: int, error: type[ProviderError]
) -> None:
    provider.answers = [(status, {"detail": "secret"})] * 2

    with pytest.raises(error) as caught:
        await spoken(large)

    assert len(provider.received) == (2 if status == 503 else 1)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "end",
    [
        event("", "stop", usage=USAGE),  # no [DONE]
        event("", usage=USAGE) + DONE,  # no reason
        event("", "error", usage=USAGE) + DONE,
        event("", usage=USAGE) + b'data: {"object": "error", "message": "overloaded"}\n\n',
    ],
)
async def test_a_stream_that_fails_after_it_was_counted_is_billed_as_counted(
    large: MistralChat, provider: Provider, book: AccountBook, end: bytes
) -> None:
    provider.answers = [(200, event("It ") + end)]

    with pytest.raises(ProviderUnavailable):
        await spoken(large)

    assert [bill.units for bill in book.bills.values()] == [Units(100, 7)]


async def test_who_hangs_up_ends_the_call(
    large: MistralChat, provider: Provider, book: AccountBook
) -> None:
    provider.answers = [(200, [event("It "), asyncio.Event()])]

    async with aclosing(large.stream(ASKED)) as deltas:
        assert (await anext(deltas)).text == "It "

    assert provider.hung_up == 1
    assert len(book.lost) == 1
    assert not book.under_way


async def test_thinking_is_not_told_as_text(
    chat: Callable[[str], MistralChat], provider: Provider
) -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    mixed: list[Any] = [[thinking], [thinking, {"type": "text", "text": "It is "}], "so."]
    said = b"".join(event(content) for content in mixed)
    provider.answers = [(200, said + event("", "stop", usage=USAGE) + DONE)]

    texts, completion = await spoken(chat("mistral-small-2603"), Terms(effort="high"))

    assert texts == ["It is ", "so."]
    assert completion.text == "It is so."


async def test_tools_come_at_the_end(large: MistralChat, provider: Provider) -> None:
    calls = [{"id": "a1", "index": 0, "function": {"name": "look", "arguments": {"q": 1}}}]
    choice = {"delta": {"content": "", "tool_calls": calls}, "finish_reason": "tool_calls"}
    said = b"data: " + msgspec.json.encode({"choices": [choice], "usage": USAGE}) + b"\n\n" + DONE
    provider.answers = [(200, said)]

    texts, completion = await spoken(large, Terms(tools=(LOOK,)))

    assert texts == []
    assert completion.tools == (CalledTool("a1", "look", '{"q":1}'),)


async def test_an_event_that_is_no_json_ends_the_stream(
    large: MistralChat, provider: Provider
) -> None:
    provider.answers = [(200, event("It ") + b"data: {\n\n" + DONE)]

    with pytest.raises(MalformedReply):
        await spoken(large)


async def test_an_empty_purse_sends_nothing(
    large: MistralChat, provider: Provider, book: AccountBook
) -> None:
    book.penniless = {Purpose()}

    with pytest.raises(BudgetExhausted):
        await large.complete(ASKED)
    with pytest.raises(BudgetExhausted):
        await spoken(large)

    assert provider.received == []
