"""Conversations with the fake provider over real HTTP, which keeps a bill of its own."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Literal

import pytest
from account_book import AccountBook
from fake_mistral.app import KEY, FakeMistral
from fake_mistral.streams import StreamStyle
from msgspec import Struct

from rag.domain import Block, DocumentId, Evidence, Version
from rag.errors import ProviderUnavailable
from rag.grounding.prompt import Message
from rag.mistral.chat.answerer import MistralAnswerer
from rag.mistral.chat.completions import MistralChat, Terms
from rag.mistral.chat.schema import json_schema
from rag.mistral.chat.transcripts import Completion
from rag.mistral.client import MistralClient
from rag.mistral.wire.chat import Function, Tool, ToolResult

pytestmark = pytest.mark.anyio

MODEL = "mistral-large-2512"
SAID = 'Zwölf Boxkämpfer, 日本語, 🙂, "quoted"\r\n\nand: data: [DONE]\n\n: no comment'
ASKED = (Message("user", "Say it."),)


class Look(Struct, forbid_unknown_fields=True):
    word: str


LOOK = Tool(Function("look", "Looks a word up.", json_schema(Look)))
TERMS = Terms(tools=(LOOK,), tool_choice="any")


@pytest.fixture
def book() -> AccountBook:
    return AccountBook()


@pytest.fixture
async def paying(url: str, book: AccountBook) -> AsyncIterator[MistralClient]:
    client = MistralClient(KEY, book, base_url=url)
    yield client
    await client.close()


@pytest.fixture
async def chat(paying: MistralClient) -> MistralChat:
    return MistralChat(paying, MODEL)


async def spoken(chat: MistralChat, terms: Terms) -> tuple[str, Completion | None]:
    text, completion = "", None
    async with aclosing(chat.stream(ASKED, terms)) as deltas:
        async for delta in deltas:
            text += delta.text
            completion = delta.completion or completion
    return text, completion


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("is_chatty", [False, True])
async def test_a_stream_is_heard_however_it_is_written_and_cut(
    chat: MistralChat,
    fake: FakeMistral,
    book: AccountBook,
    newline: Literal["\n", "\r\n", "\r"],
    is_chatty: bool,
) -> None:
    for seed in range(5):
        fake.script.append(SAID)
        fake.stream_style = StreamStyle(newline, is_chatty, is_chatty, seed)

        text, completion = await spoken(chat, Terms())

        assert text == SAID
        assert completion
        assert completion.text == SAID
    assert book.tokens == fake.tokens_billed


async def test_a_stream_without_its_end_is_an_error(
    chat: MistralChat, fake: FakeMistral, book: AccountBook
) -> None:
    fake.script.append(SAID)
    fake.stream_style = StreamStyle(ends=False)

    with pytest.raises(ProviderUnavailable):
        await spoken(chat, Terms())

    assert book.tokens == fake.tokens_billed


@pytest.mark.parametrize("splits", [False, True])
async def test_tools_are_the_same_whole_and_in_pieces(
    chat: MistralChat, fake: FakeMistral, splits: bool
) -> None:
    fake.stream_style = StreamStyle(splits_arguments=splits, seed=1)

    whole = await chat.complete(ASKED, TERMS)
    _, streamed = await spoken(chat, TERMS)

    assert streamed
    assert [tool.name for tool in whole.tools] == ["look"]
    assert streamed.tools == whole.tools
    assert whole.finish_reason == streamed.finish_reason == "tool_calls"


async def test_a_conversation_goes_on_with_the_results_of_tools(
    chat: MistralChat, fake: FakeMistral
) -> None:
    asked = await chat.complete(ASKED, TERMS)
    results = [ToolResult(tool.id, tool.name, "It means that.") for tool in asked.tools]
    fake.script.append(SAID)

    answered = await chat.complete([*ASKED, asked.said(), *results])

    assert answered.text == SAID


async def test_a_reasoning_model_tells_its_answer_alone(
    paying: MistralClient, fake: FakeMistral
) -> None:
    chat = MistralChat(paying, "mistral-small-2603")
    fake.script.extend([SAID, SAID])

    assert (await chat.complete(ASKED, Terms(effort="high"))).text == SAID
    assert (await spoken(chat, Terms(effort="high")))[0] == SAID


async def test_questions_about_the_same_blocks_share_their_beginning(
    paying: MistralClient, book: AccountBook
) -> None:
    text = "Cash was 5. " * 50
    block = Block("text", 0, len(text))
    evidence = [
        Evidence(1, DocumentId("doc_1"), Version("sha256:0"), "a.pdf", "A", text, block),
    ]
    answerer = MistralAnswerer(paying)

    await answerer.draft("How much cash was there?", evidence)
    await answerer.draft("Was there any debt?", evidence)

    first, second = (bill.units for bill in book.bills.values())
    assert first.cached == 0
    assert second.cached > 0.8 * second.input
    assert second.cached % 64 == 0
