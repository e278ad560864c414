"""The story of what an answer is made of: passages of documents and of code, the best of each in
turn, and the numbered blocks that they stand on."""

import asyncio
from collections.abc import Sequence
from itertools import zip_longest
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from rag.codebase.passages import code_evidence, code_passages
from rag.codebase.searching import CodeQuery
from rag.domain import Collection, Evidence, Hit, Usage
from rag.ports import Embedders
from rag.questions.ordering import CANDIDATES
from rag.ranking.filters import Filter
from rag.retrieval.chatting import ChatModels, reranked
from rag.retrieval.queries import Query
from rag.retrieval.searching import search
from rag.storage.library import Library
from rag.trees import Repository

Within: TypeAlias = Sequence[Collection | Repository]
"""What is asked: documents, code, or both together."""


class Sources(Struct, frozen=True):
    """Where passages come from, and what finds them."""

    within: Within
    embedders: Embedders
    library: Library
    code_model: str | None = None
    """By which code is embedded; None where there is none."""


class Wanted(Struct, frozen=True):
    text: str
    k: int
    filter: Filter | None = None
    """Of documents; code is narrowed by `lang:` and `path:` in the text."""
    rerank: bool = False
    ref: str | None = None
    """Of the repositories; what was indexed last where None."""


class Gathered(Struct, frozen=True):
    hits: list[Hit]
    degraded: tuple[str, ...]
    """Why a search had less to go by than it should."""
    usage: Usage | None


async def gather_passages(wanted: Wanted, sources: Sources, chat: ChatModels) -> Gathered:
    k = max(wanted.k, CANDIDATES) if wanted.rerank else wanted.k
    documents, code = await asyncio.gather(
        _documents(replace(wanted, k=k), sources), _code(replace(wanted, k=k), sources)
    )
    reasons = [*documents.degraded, *code.degraded]
    hits, usage = _in_turn(documents.hits, code.hits)[:k], None
    if wanted.rerank:
        hits, usage, not_reranked = await reranked(wanted.text, hits, chat)
        reasons += [not_reranked] if not_reranked else []
    return Gathered(hits[: wanted.k], tuple(dict.fromkeys(reasons)), usage)


def evidence_of(hits: Sequence[Hit], library: Library) -> tuple[Evidence, ...]:
    """The blocks of the hits, the best first, numbered from 1."""
    documents = library.chunks.evidence([hit for hit in hits if hit.code is None])
    code = [code_evidence(hit) for hit in hits if hit.code is not None]
    if not code:
        return documents
    best_first = sorted([*documents, *code], key=lambda block: -block.score)
    return tuple(replace(block, label=n) for n, block in enumerate(best_first, start=1))


def _in_turn(documents: Sequence[Hit], code: Sequence[Hit]) -> list[Hit]:
    """The best of each, then the second of each. Their scores say nothing of each other: those of
    code are shares of the best, and so are those of documents beside it."""
    if not code:
        return list(documents)
    best = max((hit.score for hit in documents), default=0.0) or 1.0
    shares = [replace(hit, score=hit.score / best) for hit in documents]
    pairs = zip_longest(shares, code)
    return [hit for pair in pairs for hit in pair if hit is not None]


async def _documents(wanted: Wanted, sources: Sources) -> Gathered:
    """The best chunks over all collections. Scores of one collection are comparable with another's
    as far as fusion normalises them."""
    query = Query(wanted.text, k=wanted.k, filter=wanted.filter)
    results = await asyncio.gather(
        *(
            search(query, each, embedders=sources.embedders, library=sources.library)
            for each in sources.within
            if isinstance(each, Collection)
        )
    )
    hits = sorted((hit for each in results for hit in each.data), key=lambda hit: -hit.score)
    return Gathered(hits, tuple(each.degraded for each in results if each.degraded), None)


async def _code(wanted: Wanted, sources: Sources) -> Gathered:
    repositories = [each for each in sources.within if isinstance(each, Repository)]
    if not repositories:
        return Gathered([], (), None)
    found = await code_passages(
        CodeQuery(wanted.text, k=wanted.k, ref=wanted.ref),
        repositories,
        model=sources.code_model,
        embedders=sources.embedders,
        library=sources.library,
    )
    return Gathered(found.hits, (found.degraded,) if found.degraded else (), None)
