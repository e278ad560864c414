"""The answerer without a chat model, end to end."""

import pytest

from rag.domain import Block, DocumentId, Evidence, Usage, Version
from rag.local.extractive import ExtractiveAnswerer
from rag.ports import Answerer
from tests.fakes import HashingEmbedder

pytestmark = pytest.mark.anyio

TEXT = "Copper paint keeps barnacles off the hull. Hulls are scraped in spring."


def evidence(text: str) -> Evidence:
    return Evidence(
        label=1,
        document_id=DocumentId("doc"),
        version=Version("sha256:00"),
        key="boats.md",
        title="Boats",
        text=text,
        block=Block("text", 0, len(text)),
        score=0.8,
    )


async def test_a_question_is_answered_with_the_sentence_that_answers_it() -> None:
    answerer = ExtractiveAnswerer(HashingEmbedder())

    draft, usage = await answerer.draft("What keeps barnacles off the hull?", [evidence(TEXT)])

    assert draft.sufficient
    assert draft.claims[0].text.startswith("Copper paint keeps barnacles off the hull.")
    assert draft.claims[0].evidence[0].quote in TEXT
    assert usage == Usage(model="extractive")


async def test_a_question_about_something_else_is_refused() -> None:
    answerer = ExtractiveAnswerer(HashingEmbedder())

    draft, _ = await answerer.draft("Which mushroom tastes best?", [evidence(TEXT)])

    assert not draft.sufficient


async def test_words_alone_answer_where_there_is_no_embedder() -> None:
    answerer = ExtractiveAnswerer(None)

    draft, _ = await answerer.draft("What keeps barnacles off the hull?", [evidence(TEXT)])

    assert draft.sufficient
    assert "Copper paint" in draft.claims[0].text


async def test_no_evidence_is_no_answer_and_embeds_nothing() -> None:
    embedder = HashingEmbedder()

    draft, _ = await ExtractiveAnswerer(embedder).draft("What keeps barnacles off?", [])

    assert not draft.sufficient
    assert embedder.embedded == []


async def test_a_sentence_too_long_for_the_embedder_is_cut_for_it_and_quoted_whole() -> None:
    embedder = HashingEmbedder()
    endless = "Barnacles grow on the hull " + "and on the keel " * 200 + "too."

    draft, _ = await ExtractiveAnswerer(embedder).draft(
        "Where do barnacles grow?", [evidence(endless)]
    )

    assert max(embedder.count_tokens(embedder.embedded)) <= embedder.max_tokens
    assert draft.claims[0].evidence[0].quote == endless


async def test_it_is_an_answerer() -> None:
    assert isinstance(ExtractiveAnswerer(None), Answerer)
