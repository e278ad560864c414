"""A chat model that looks further by the provider's tool calls, as the contract has them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from fake_mistral.app import FakeMistral
from fake_mistral.contract import Chat
from fake_mistral.faults import Reply

from rag.domain import Block, DocumentId, Evidence, Version
from rag.errors import ProviderRefused
from rag.mistral.chat.answerer import MODEL
from rag.mistral.chat.exploring import MistralExplorer
from rag.mistral.client import MistralClient
from rag.ports import Explorer
from rag.questions.exploring import INSTRUCTIONS, VERBS, Called, Exchange, Search

pytestmark = pytest.mark.anyio

QUESTION = "When does the fare come back?"
TEXT = "The fare is paid first."
FIRST = (
    Evidence(1, DocumentId("doc_1"), Version("v"), "a.md", "A", TEXT, Block("text", 0, len(TEXT))),
)


def calling(*calls: tuple[str, str, str]) -> Callable[[Chat], dict[str, Any]]:
    def choice(asked: Chat) -> dict[str, Any]:
        said = [
            {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
            for id, name, arguments in calls
        ]
        message = {"role": "assistant", "content": "", "tool_calls": said}
        return {"index": 0, "finish_reason": "tool_calls", "message": message}

    return choice


@pytest.fixture
async def explorer(client: MistralClient) -> MistralExplorer:
    return MistralExplorer(client)


async def test_it_is_an_explorer_and_its_request_offers_the_verbs(
    explorer: MistralExplorer, fake: FakeMistral
) -> None:
    fake.choice = calling(("a1B2c3D4e", "search", '{"query": "fare"}'))

    [call], usage = await explorer.step(QUESTION, FIRST, ())

    [asked] = fake.answered("/v1/chat/completions")
    assert isinstance(explorer, Explorer)
    assert call.wanted() == Search("fare")
    assert [tool["function"]["name"] for tool in asked["tools"]] == list(VERBS)
    assert all(tool["function"]["parameters"]["required"] for tool in asked["tools"])
    assert asked["tool_choice"] == "auto"
    assert asked["messages"][0] == {"role": "system", "content": INSTRUCTIONS}
    assert '"document":"doc_1","at":0' in asked["messages"][1]["content"]
    assert usage.prompt_tokens + usage.completion_tokens == fake.tokens_billed
    assert (usage.model, Decimal(usage.cost_usd) > 0) == (MODEL, True)


async def test_results_go_back_one_for_each_call_under_its_id(
    explorer: MistralExplorer, fake: FakeMistral
) -> None:
    calls = (
        Called("a1B2c3D4e", "search", '{"query":"fare"}'),
        Called("f5G6h7I8j", "navigate", '{"document":"doc_1"}'),
    )
    fake.script.append("done")

    told, _ = await explorer.step(QUESTION, FIRST, (Exchange(calls, ("none", '{"pages":0}')),))

    [asked] = fake.answered("/v1/chat/completions")
    assert told == ()
    assert [m["role"] for m in asked["messages"]] == ["system", "user", "assistant", "tool", "tool"]
    assert [call["id"] for call in asked["messages"][2]["tool_calls"]] == ["a1B2c3D4e", "f5G6h7I8j"]
    assert [(m["tool_call_id"], m["content"]) for m in asked["messages"][3:]] == [
        ("a1B2c3D4e", "none"),
        ("f5G6h7I8j", '{"pages":0}'),
    ]


async def test_what_the_published_contract_makes_up_for_arguments_is_taken(
    explorer: MistralExplorer, fake: FakeMistral
) -> None:
    """The fake makes an instance of each tool's schema, as any model may."""
    calls, _ = await explorer.step(QUESTION, FIRST, ())

    assert {call.name for call in calls} <= set(VERBS)
    assert all(msgspec.json.decode(call.arguments) for call in calls)


async def test_a_step_costs_no_more_than_was_said(
    explorer: MistralExplorer, fake: FakeMistral
) -> None:
    most = explorer.cost(QUESTION, FIRST, ())
    _, usage = await explorer.step(QUESTION, FIRST, ())

    assert Decimal(usage.cost_usd) <= most
    assert explorer.most(6, 60_000) == (6 * 1024 * Decimal("1.5") + 53_856 * Decimal("0.5")) / 10**6


async def test_what_the_provider_refuses_is_told(
    explorer: MistralExplorer, fake: FakeMistral
) -> None:
    fake.faults.append(Reply(422, {"detail": "tools are not supported"}))

    with pytest.raises(ProviderRefused):
        await explorer.step(QUESTION, FIRST, ())
