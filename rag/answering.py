"""The story of an answer: question -> hits -> numbered blocks -> draft -> what can be proven."""

import asyncio
import secrets
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from rag.domain import Answer, AnswerId, Collection, Draft, Hit, Policy, Usage
from rag.grounding.citations import ground
from rag.ports import Answerer, Embedders
from rag.questions.ordering import CANDIDATES
from rag.questions.rephrasing import Turn
from rag.ranking.filters import Filter
from rag.retrieval.chatting import NO_CHAT, ChatModels, condensed, reranked, together
from rag.retrieval.queries import Query
from rag.retrieval.searching import search
from rag.storage.library import Library


class Question(Struct, frozen=True):
    text: str
    filter: Filter | None = None
    policy: Policy = "strict"
    k: int = 10
    """Chunks looked at."""
    history: tuple[Turn, ...] = ()
    """What was said before, oldest first; a chat model makes the question stand by itself."""
    rerank: bool = False
    """Whether a chat model puts the candidates in order."""


async def answer(
    question: Question,
    within: Sequence[Collection],
    *,
    embedders: Embedders,
    answerer: Answerer,
    library: Library,
    chat: ChatModels = NO_CHAT,
) -> Answer:
    """Claims whose quotations were found in the stored sources, or a typed refusal.

    Raises:
        InvalidRequest: it asks for a chat model, and none is configured.
        ProviderError: the answerer failed for good, after retries.
        ModelUnavailable: a collection's model is not configured here.
    """
    text, asking, not_condensed = await condensed(question.text, question.history, chat)
    found = await _retrieve(question, text, within, embedders, library, chat)
    evidence = await asyncio.to_thread(library.chunks.evidence, found.hits)
    draft, drafting = (
        await answerer.draft(text, evidence)
        if evidence
        else (Draft(sufficient=False, claims=()), None)
    )
    grounded = ground(
        text,
        draft,
        evidence,
        policy=question.policy,
        answerer=answerer.name,
        usage=together(drafting, together(asking, found.usage)),
        nearest=found.hits,
        answer_id=AnswerId(f"ans_{secrets.token_hex(12)}"),
    )
    reasons = [*((not_condensed,) if not_condensed else ()), *found.degraded]
    answer = msgspec.structs.replace(
        grounded,
        question=question.text,
        condensed=text if text != question.text else None,
        degraded="; ".join(reasons) or None,
    )
    await asyncio.to_thread(library.answers.keep, answer)
    return answer


class _Found(Struct, frozen=True):
    hits: list[Hit]
    degraded: tuple[str, ...]
    """Why a search had less to go by than it should."""
    usage: Usage | None


async def _retrieve(
    question: Question,
    text: str,
    within: Sequence[Collection],
    embedders: Embedders,
    library: Library,
    chat: ChatModels,
) -> _Found:
    """The best chunks over all collections. Scores of one collection are comparable with another's
    as far as fusion normalises them."""
    k = max(question.k, CANDIDATES) if question.rerank else question.k
    query = Query(text, k=k, filter=question.filter)
    results = await asyncio.gather(
        *(search(query, each, embedders=embedders, library=library) for each in within)
    )
    hits = sorted((h for r in results for h in r.data), key=lambda hit: -hit.score)[:k]
    reasons = dict.fromkeys(result.degraded for result in results if result.degraded)
    usage = None
    if question.rerank:
        hits, usage, not_reranked = await reranked(text, hits, chat)
        reasons |= {not_reranked: None} if not_reranked else {}
    return _Found(hits[: question.k], tuple(reasons), usage)
