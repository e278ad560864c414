"""The story of an answer: question -> hits -> numbered blocks -> draft -> what can be proven."""

import asyncio
import secrets
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from rag.domain import Answer, AnswerId, Collection, Draft, Hit, Policy
from rag.grounding.citations import ground
from rag.ports import Answerer, Embedders
from rag.ranking.filters import Filter
from rag.retrieval.queries import Query
from rag.retrieval.searching import search
from rag.storage.library import Library


class Question(Struct, frozen=True):
    text: str
    filter: Filter | None = None
    policy: Policy = "strict"
    k: int = 10
    """Chunks looked at."""


async def answer(
    question: Question,
    within: Sequence[Collection],
    *,
    embedders: Embedders,
    answerer: Answerer,
    library: Library,
) -> Answer:
    """Claims whose quotations were found in the stored sources, or a typed refusal.

    Raises:
        ProviderError: the answerer failed for good, after retries.
        ModelUnavailable: a collection's model is not configured here.
    """
    hits, degraded = await _retrieve(question, within, embedders=embedders, library=library)
    evidence = await asyncio.to_thread(library.chunks.evidence, hits)
    draft, usage = (
        await answerer.draft(question.text, evidence)
        if evidence
        else (Draft(sufficient=False, claims=()), None)
    )
    grounded = ground(
        question.text,
        draft,
        evidence,
        policy=question.policy,
        answerer=answerer.name,
        usage=usage,
        nearest=hits,
        answer_id=AnswerId(f"ans_{secrets.token_hex(12)}"),
    )
    answer = msgspec.structs.replace(grounded, degraded=degraded)
    await asyncio.to_thread(library.answers.keep, answer)
    return answer


async def _retrieve(
    question: Question, within: Sequence[Collection], *, embedders: Embedders, library: Library
) -> tuple[list[Hit], str | None]:
    """The best chunks over all collections, and why a search among them had a leg less. Scores of
    one collection are comparable with another's as far as fusion normalises them."""
    query = Query(question.text, k=question.k, filter=question.filter)
    results = await asyncio.gather(
        *(search(query, each, embedders=embedders, library=library) for each in within)
    )
    hits = [hit for result in results for hit in result.data]
    best = sorted(hits, key=lambda hit: -hit.score)[: question.k]
    reasons = dict.fromkeys(result.degraded for result in results if result.degraded)
    return best, "; ".join(reasons) or None
