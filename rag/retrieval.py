"""The story of a search: question -> vector -> two rankings -> one."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from math import ceil
from time import perf_counter
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from rag.domain import Collection, Hit, Vectors
from rag.errors import BudgetExhausted, IndexGone, IndexRebuilding, ModelUnavailable, ProviderError
from rag.ports import Embedders
from rag.ranking.diversity import fold_duplicates
from rag.ranking.filters import Filter
from rag.ranking.fusion import fuse
from rag.storage.library import Library
from rag.storage.searching import BOTH, Found
from rag.storage.searching import Mode as Leg

Mode: TypeAlias = Literal["hybrid", "dense", "words"]

LEGS: Mapping[Mode, frozenset[Leg]] = {
    "hybrid": BOTH,
    "dense": frozenset({"dense"}),
    "words": frozenset({"words"}),
}

CANDIDATES = 100
"""Asked of each of two legs at least, whatever k: fusion needs to see more than it returns."""

CANDIDATES_PER_HIT = 4

LOOKS = (1.3, 3.0, 30.0)
"""Hits made whole per hit returned, to make up for folded duplicates: mostly a few more than are
wanted will do, and where they do not, the search is done again. The last look is for a file that
was copied into every folder."""


class Query(Struct, frozen=True):
    text: str
    k: int = 10
    mode: Mode = "hybrid"
    filter: Filter | None = None
    explain: bool = False


class SearchResult(Struct, frozen=True):
    data: tuple[Hit, ...]
    mode: Mode
    """How it was searched in the end."""
    degraded: str | None = None
    """Why a leg that was asked for is missing; None when none is."""
    milliseconds: float = 0.0
    explain: dict[str, Any] | None = None


async def search(
    query: Query, within: Collection, *, embedders: Embedders, library: Library
) -> SearchResult:
    """The `query.k` best chunks, looked for by meaning and by words, best first.

    One index is asked, from start to end, and the question is embedded with its model: that
    through which the caller sees the collection, or the one that serves now, where that one was
    dropped meanwhile.

    A leg that cannot serve (no model, provider down) is left out, and `degraded` says so.

    Raises:
        ModelUnavailable: the collection's model is not configured here.
        ProviderError: the question could not be embedded, and only meaning was asked for.
        IndexRebuilding: the word index is, and there is nothing else to search by.
    """
    try:
        return await _search(query, within, embedders, library)
    except IndexGone:
        now = await asyncio.to_thread(library.collections.find, within.id)
        return await _search(query, now, embedders, library)


async def _search(
    query: Query, within: Collection, embedders: Embedders, library: Library
) -> SearchResult:
    began = perf_counter()
    vector, degraded = await _embed_question(query, within, embedders)
    mode: Mode = query.mode if vector is not None else "words"
    for per_hit in LOOKS:
        look = ceil(per_hit * query.k)
        found = await asyncio.to_thread(
            library.chunks.search,
            within,
            query.text,
            vector,
            partial(fuse, dense_weight=within.dense_weight, k=look),
            k=_of_each_leg(mode, query.k, look),
            filter=query.filter,
            modes=LEGS[mode],
        )
        hits = fold_duplicates(found.hits, query.k)
        if len(hits) == query.k or len(found.hits) < look:
            break
    if "words" in found.missing:
        mode, degraded = _without_words(mode, within)
    return SearchResult(
        tuple(hits),
        mode,
        degraded,
        milliseconds=round(1000 * (perf_counter() - began), 3),
        explain=_explain(found, hits, within) if query.explain else None,
    )


def _of_each_leg(mode: Mode, k: int, look: int) -> int:
    """One leg alone is not fused, and so not asked for more than is looked at."""
    return max(CANDIDATES, CANDIDATES_PER_HIT * k, look) if mode == "hybrid" else look


async def _embed_question(
    query: Query, within: Collection, embedders: Embedders
) -> tuple[Vectors | None, str | None]:
    if query.mode == "words":
        return None, None
    if within.embedding_model is None:
        return None, f"collection {within.name!r} has no embedding model: searched by words alone"
    try:
        return await embedders[within.embedding_model].embed([query.text], "query"), None
    except (ProviderError, ModelUnavailable, BudgetExhausted) as error:
        if query.mode == "dense":
            raise
        return None, f"the question could not be embedded ({error}): searched by words alone"


def _without_words(mode: Mode, within: Collection) -> tuple[Mode, str]:
    if mode != "hybrid":
        raise IndexRebuilding(
            f"the word index of {within.name!r} is being built anew, and there is nothing else to"
            " search by; GET /health/ready says how far it is"
        )
    return "dense", "the word index is being built anew: searched by meaning alone"


def _explain(found: Found, hits: Sequence[Hit], within: Collection) -> dict[str, Any]:
    """How the indexes were asked, and what each leg said of each hit."""
    legs = {candidate.chunk_id: candidate for candidate in found.candidates}
    return {
        "plan": found.plan,
        "index": within.index,
        "dense_weight": within.dense_weight,
        "candidates": len(found.candidates),
        "hits": [
            {
                "chunk_id": hit.chunk_id,
                "score": hit.score,
                "dense": {
                    "score": legs[hit.chunk_id].dense,
                    "rank": legs[hit.chunk_id].dense_rank,
                },
                "words": {
                    "score": legs[hit.chunk_id].words,
                    "rank": legs[hit.chunk_id].words_rank,
                },
            }
            for hit in hits
        ],
    }
