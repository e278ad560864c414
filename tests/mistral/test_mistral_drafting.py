"""A draft while it is written: each claim as soon as it is whole, wherever the text is cut."""

from contextlib import aclosing
from itertools import pairwise

import msgspec
import pytest
from fake_mistral.app import FakeMistral
from hypothesis import given
from hypothesis import strategies as st
from test_mistral_chat import DRAFT, EVIDENCE, QUESTION, WRITTEN, writing

from rag.domain import Draft, DraftClaim, Quotation
from rag.errors import MalformedReply
from rag.mistral.chat.answerer import MistralAnswerer
from rag.mistral.chat.drafting import DraftInWriting
from rag.mistral.client import MistralClient
from rag.ports import WritingAnswerer

pytestmark = pytest.mark.anyio

quotations = st.builds(Quotation, st.integers(1, 50), st.text(max_size=12))
claims = st.builds(DraftClaim, st.text(max_size=20), st.lists(quotations, max_size=3).map(tuple))
drafts = st.builds(Draft, st.booleans(), st.lists(claims, max_size=4).map(tuple))


@pytest.fixture
async def answerer(client: MistralClient) -> MistralAnswerer:
    return MistralAnswerer(client)


@given(drafts, st.lists(st.integers(0, 600), max_size=12), st.booleans())
def test_claims_are_those_of_the_draft_wherever_it_is_cut(
    draft: Draft, cuts: list[int], is_indented: bool
) -> None:
    text = msgspec.json.encode(draft).decode()
    text = msgspec.json.format(text, indent=2) if is_indented else text
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    written = DraftInWriting()
    told = [claim for a, b in pairwise(places) for claim in written.feed(text[a:b])]

    assert tuple(told) == (draft.claims if draft.sufficient else ())
    assert not written.is_odd


@given(st.text())
def test_any_text_is_borne(text: str) -> None:
    DraftInWriting().feed(text)


def test_a_claim_is_told_when_it_is_closed_and_not_before() -> None:
    written = DraftInWriting()
    head, tail = WRITTEN[: WRITTEN.rindex("}]}")], WRITTEN[WRITTEN.rindex("}]}") :]

    assert written.feed(head) == ()
    assert written.feed(tail[:1]) == DRAFT.claims
    assert written.feed(tail[1:]) == ()


def test_after_something_that_is_no_claim_nothing_is_told() -> None:
    odd = '{"sufficient": true, "claims": [{"text": 5, "evidence": []}, '
    written = DraftInWriting()

    assert written.feed(odd + WRITTEN[WRITTEN.index('{"text"') :]) == ()
    assert written.is_odd


async def told(answerer: MistralAnswerer) -> tuple[list[DraftClaim], Draft]:
    claims, drafts = [], []
    async with aclosing(answerer.write(QUESTION, EVIDENCE)) as parts:
        async for part in parts:
            if isinstance(part, DraftClaim):
                claims.append(part)
            else:
                drafts.append(part)
    [(draft, usage)] = drafts
    assert usage.prompt_tokens > 0
    return claims, draft


async def test_the_claims_come_first_and_then_the_draft(
    answerer: MistralAnswerer, fake: FakeMistral
) -> None:
    fake.choice = writing(WRITTEN)

    assert isinstance(answerer, WritingAnswerer)
    assert await told(answerer) == (list(DRAFT.claims), DRAFT)


async def test_a_draft_that_is_none_is_mended_where_nothing_was_told(
    answerer: MistralAnswerer, fake: FakeMistral
) -> None:
    fake.choice = writing("I think so.", WRITTEN)

    assert await told(answerer) == ([], DRAFT)
    assert len(fake.answered("/v1/chat/completions")) == 2


async def test_what_was_told_stays_where_the_rest_cannot_be_used(
    answerer: MistralAnswerer, fake: FakeMistral
) -> None:
    fake.choice = writing(WRITTEN[:-2] + ', {"text": 5')

    claims, draft = await told(answerer)
    assert claims == list(DRAFT.claims)
    assert draft == DRAFT
    assert len(fake.answered("/v1/chat/completions")) == 1


async def test_what_was_told_is_not_taken_back_by_saying_it_again(
    answerer: MistralAnswerer, fake: FakeMistral
) -> None:
    fake.choice = writing(WRITTEN[:-1] + ', "claims": [], "sufficient": false}')

    assert await told(answerer) == (list(DRAFT.claims), DRAFT)


async def test_two_drafts_that_are_none_are_an_error(
    answerer: MistralAnswerer, fake: FakeMistral
) -> None:
    fake.choice = writing("no", "no")

    with pytest.raises(MalformedReply):
        await told(answerer)
