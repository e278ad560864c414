"""A chat model's draft, mended once where it cannot be used."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest
from account_book import AccountBook
from fake_mistral import replies
from fake_mistral.app import KEY, FakeMistral
from fake_mistral.contract import Chat
from fake_mistral.faults import Drip, Reply, edited

from rag.domain import Block, DocumentId, Draft, DraftClaim, Evidence, Quotation, Version
from rag.errors import MalformedReply, ProviderRefused, ProviderUnavailable, RateLimited
from rag.mistral.chat.answerer import MODEL, MistralAnswerer
from rag.mistral.client import MistralClient
from rag.ports import Answerer

pytestmark = pytest.mark.anyio

QUESTION = "How much cash was there?"
DRAFT = Draft(True, (DraftClaim("There was 5.", (Quotation(1, "Cash was 5."),)),))
WRITTEN = msgspec.json.encode(DRAFT).decode()


def evidence(label: int, text: str) -> Evidence:
    block = Block("text", 0, len(text))
    return Evidence(label, DocumentId("doc_1"), Version("sha256:0"), "a.pdf", "A", text, block)


EVIDENCE = (evidence(1, "Cash was 5."), evidence(2, "Debt was 7."))


@pytest.fixture
async def answerer(client: MistralClient) -> MistralAnswerer:
    return MistralAnswerer(client)


def writing(*contents: Any, finish_reason: str | None = "stop") -> Callable[[Chat], dict[str, Any]]:
    """A model that says one thing after the other."""
    remaining = list(contents)

    def choice(request: Chat) -> dict[str, Any]:
        message = {"role": "assistant", "content": remaining.pop(0)}
        return {"index": 0, "finish_reason": finish_reason, "message": message}

    return choice


async def test_it_is_an_answerer(answerer: MistralAnswerer) -> None:
    assert isinstance(answerer, Answerer)
    assert answerer.name == MODEL


async def test_a_draft_cites_blocks_by_their_numbers(answerer: MistralAnswerer) -> None:
    draft, usage = await answerer.draft("What was the debt?", EVIDENCE)

    assert draft == Draft(True, (DraftClaim("Debt was 7.", (Quotation(2, "Debt was 7."),)),))
    assert usage.model == MODEL
    assert usage.prompt_tokens > 100
    assert float(usage.cost_usd) == pytest.approx(
        (0.50 * usage.prompt_tokens + 1.50 * usage.completion_tokens) / 1e6
    )


async def test_a_model_may_say_that_the_blocks_do_not_suffice(answerer: MistralAnswerer) -> None:
    draft, _ = await answerer.draft("Where is Lisbon?", EVIDENCE)

    assert draft == Draft(False, ())


async def test_without_evidence_nothing_is_asked(
    answerer: MistralAnswerer, fake: FakeMistral
) -> None:
    draft, usage = await answerer.draft(QUESTION, ())

    assert draft == Draft(False, ())
    assert usage.cost_usd == "0"
    assert fake.received == []


async def test_the_request_leaves_nothing_to_chance(
    answerer: MistralAnswerer, fake: FakeMistral
) -> None:
    await answerer.draft(QUESTION, EVIDENCE)

    [asked] = fake.answered("/v1/chat/completions")
    assert asked["model"] == MODEL
    assert asked["temperature"] == 0
    assert asked["response_format"]["type"] == "json_schema"
    assert asked["response_format"]["json_schema"]["strict"] is True
    assert "reasoning_effort" not in asked


async def test_a_reasoning_model_is_told_not_to(client: MistralClient, fake: FakeMistral) -> None:
    await MistralAnswerer(client, "mistral-small-2603").draft(QUESTION, EVIDENCE)

    [asked] = fake.answered("/v1/chat/completions")
    assert asked["reasoning_effort"] == "none"


async def test_an_answer_in_pieces_is_read_without_its_thinking(
    answerer: MistralAnswerer, fake: FakeMistral
) -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "text": "hm"}
    halves = [{"type": "text", "text": part} for part in (WRITTEN[:20], WRITTEN[20:])]
    reference = {"type": "reference", "reference_ids": [1, "b"]}
    fake.choice = writing([thinking, halves[0], reference, halves[1]])

    draft, _ = await answerer.draft(QUESTION, EVIDENCE)

    assert draft == DRAFT


UNUSABLE = [
    "I think that cash was 5.",
    WRITTEN[:-10],
    WRITTEN + " Anything else?",
    '{"sufficient": true}',
    '{"sufficient": "yes", "claims": []}',
    '{"sufficient": true, "claims": [], "confidence": 1}',
    "[]",
    "",
    None,
]


@pytest.mark.parametrize("unusable", UNUSABLE)
async def test_an_unusable_draft_is_mended_once_and_both_are_paid_for(
    answerer: MistralAnswerer, fake: FakeMistral, unusable: str | None
) -> None:
    fake.choice = writing(unusable, WRITTEN)

    draft, usage = await answerer.draft(QUESTION, EVIDENCE)

    first, second = fake.answered("/v1/chat/completions")
    assert draft == DRAFT
    assert second["messages"][: len(first["messages"])] == first["messages"]
    assert [m["role"] for m in second["messages"]] == ["system", "user", "assistant", "user"]
    assert usage.prompt_tokens + usage.completion_tokens == fake.tokens_billed


@pytest.mark.parametrize("unusable", UNUSABLE)
async def test_a_draft_unusable_twice_is_malformed(
    answerer: MistralAnswerer, fake: FakeMistral, unusable: str | None
) -> None:
    fake.choice = writing(unusable, unusable)

    with pytest.raises(MalformedReply, match="twice") as caught:
        await answerer.draft(QUESTION, EVIDENCE)

    assert not unusable or unusable not in str(caught.value)


@pytest.mark.parametrize("reason", ["length", "model_length", "error", "tool_calls"])
async def test_a_draft_that_was_not_finished_is_not_believed_though_it_reads_well(
    answerer: MistralAnswerer, fake: FakeMistral, reason: str
) -> None:
    fake.choice = writing(WRITTEN, WRITTEN, finish_reason=reason)

    with pytest.raises(MalformedReply):
        await answerer.draft(QUESTION, EVIDENCE)


async def test_a_model_that_was_cut_off_is_asked_to_be_brief(
    answerer: MistralAnswerer, fake: FakeMistral
) -> None:
    fake.choice = writing(WRITTEN, WRITTEN, finish_reason="length")

    with pytest.raises(MalformedReply, match="cut off"):
        await answerer.draft(QUESTION, EVIDENCE)

    _, second = fake.answered("/v1/chat/completions")
    assert "fewer claims" in second["messages"][-1]["content"]


async def test_an_answer_without_a_completion_is_malformed(
    answerer: MistralAnswerer, fake: FakeMistral
) -> None:
    fake.faults = [edited(lambda reply: {**reply, "choices": []})] * 2

    with pytest.raises(MalformedReply, match="no completion"):
        await answerer.draft(QUESTION, EVIDENCE)


async def test_what_the_provider_still_had_costs_a_tenth(
    answerer: MistralAnswerer, fake: FakeMistral
) -> None:
    counted = {
        "prompt_tokens": 1_000_000,
        "completion_tokens": 1_000_000,
        "prompt_tokens_details": {"cached_tokens": 400_000},
    }
    fake.faults = [edited(lambda reply: {**reply, "usage": counted})]

    _, usage = await answerer.draft(QUESTION, EVIDENCE)

    assert float(usage.cost_usd) == pytest.approx(0.50 * (0.6 + 0.4 * 0.1) + 1.50)


@pytest.mark.parametrize("details", [None, {}, {"cached_tokens": 0, "audio_tokens": 3}])
async def test_usage_is_read_whatever_else_stands_in_it(
    answerer: MistralAnswerer, fake: FakeMistral, details: Any
) -> None:
    counted = {"prompt_tokens": 10, "prompt_tokens_details": details, "prompt_audio_seconds": {}}
    fake.faults = [edited(lambda reply: {**reply, "usage": counted})]

    _, usage = await answerer.draft(QUESTION, EVIDENCE)

    assert (usage.prompt_tokens, usage.completion_tokens) == (10, 0)


async def test_a_model_without_a_price_is_told(
    client: MistralClient, fake: FakeMistral, caplog: pytest.LogCaptureFixture
) -> None:
    fake.chat_models |= {"one-of-our-own"}

    _, usage = await MistralAnswerer(client, "one-of-our-own").draft(QUESTION, EVIDENCE)

    assert usage.cost_usd == "0"
    assert "no price is known" in caplog.text


async def test_a_person_hears_at_once_of_a_long_wait(
    answerer: MistralAnswerer, fake: FakeMistral
) -> None:
    fake.faults = [Reply(429, headers={"Retry-After": "30"})]

    with pytest.raises(RateLimited) as caught:
        await answerer.draft(QUESTION, EVIDENCE)

    assert caught.value.retry_after == 30


async def test_a_guardrail_is_a_refusal(answerer: MistralAnswerer, fake: FakeMistral) -> None:
    fake.faults = [Reply(403, {"error": {"message": "Blocked by guardrail", "status": 403}})]

    with pytest.raises(ProviderRefused, match="guardrail"):
        await answerer.draft(QUESTION, EVIDENCE)


async def test_a_draft_that_takes_too_long_is_given_up(url: str, fake: FakeMistral) -> None:
    fake.faults = [Drip(0.5), Drip(0.5)]  # a second try may fit into the time
    book = AccountBook()
    client = MistralClient(KEY, book, base_url=url)

    with pytest.raises(ProviderUnavailable, match=r"no answer after|within 0\.2 s"):
        await MistralAnswerer(client, deadline=0.2).draft(QUESTION, EVIDENCE)

    assert 1 <= len(book.lost) <= 2
    await client.close()


async def test_a_draft_is_in_the_book_with_what_mended_it(fake: FakeMistral) -> None:
    fake.choice = writing("no JSON", WRITTEN)
    book = AccountBook()
    transport = httpx.ASGITransport(fake.app)  # type: ignore[arg-type]  # two names of ASGI's types
    client = MistralClient(KEY, book, transport=transport)

    _, usage = await MistralAnswerer(client).draft(QUESTION, EVIDENCE)

    assert {intent.operation for intent in book.intents.values()} == {"answer"}
    assert len(book.bills) == 2
    assert Decimal(usage.cost_usd) == sum(bill.usd for bill in book.bills.values())
    assert book.tokens == fake.tokens_billed


async def test_a_draft_comes_over_real_http(http_client: MistralClient) -> None:
    draft, _ = await MistralAnswerer(http_client).draft(QUESTION, EVIDENCE)

    assert draft.claims[0].evidence == (Quotation(1, "Cash was 5."),)


def test_the_fake_counts_no_more_tokens_than_there_can_be() -> None:
    assert replies.tokens("ab") <= len("ab") + 3
