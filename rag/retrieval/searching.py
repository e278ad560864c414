"""The story of a search: question -> ways to ask it -> vectors and rankings -> one ranking -> what
of it is worth returning."""

import asyncio
from collections.abc import Mapping, Sequence
from math import ceil
from typing import TypeAlias

from msgspec import Struct

from rag.domain import Collection, Hit, Vectors
from rag.errors import BudgetExhausted, IndexGone, IndexRebuilding, ModelUnavailable, ProviderError
from rag.ports import Embedders
from rag.questions.ordering import CANDIDATES as RERANKED
from rag.ranking.boosts import checked
from rag.ranking.diversity import fold_duplicates
from rag.retrieval.chatting import NO_CHAT, ChatModels, required_reranker, reranked, together
from rag.retrieval.explaining import Trace, explained
from rag.retrieval.finding import Pool, Sought, find
from rag.retrieval.growing import grown
from rag.retrieval.queries import Mode, Query, SearchResult
from rag.retrieval.understanding import Understood, understand, vectors_of
from rag.storage.library import Library
from rag.storage.searching import Stages

LOOKS = (1.3, 3.0, 30.0)
"""Hits made whole per hit returned, to make up for folded duplicates: mostly a few more than are
wanted will do, and where they do not, the search is done again. The last look is for a file that
was copied into every folder."""

UNHEEDED = (
    "the word index is being built anew: quoted words were not required, and none were left out"
)

Embedded: TypeAlias = Mapping[str, Vectors]
"""By text, (1, d) each."""

OneEach: TypeAlias = tuple[Vectors | None, ...]
"""For each way of asking."""


async def search(
    query: Query,
    within: Collection,
    *,
    embedders: Embedders,
    library: Library,
    chat: ChatModels = NO_CHAT,
) -> SearchResult:
    """The `query.k` best chunks, looked for by meaning and by words, best first.

    One index is asked, from start to end, and the question is embedded with its model: that
    through which the caller sees the collection, or the one that serves now, where that one was
    dropped meanwhile.

    A leg or a stage that cannot serve (no model, provider down) is left out, and `degraded` says
    so.

    Raises:
        InvalidRequest: it asks for a chat model, and none is configured.
        ModelUnavailable: the collection's model is not configured here.
        ProviderError: the question could not be embedded, and only meaning was asked for.
        IndexRebuilding: the word index is, and there is nothing else to search by.
    """
    [result] = await search_each([query], within, embedders=embedders, library=library, chat=chat)
    return result


async def search_each(
    queries: Sequence[Query],
    within: Collection,
    *,
    embedders: Embedders,
    library: Library,
    chat: ChatModels = NO_CHAT,
) -> list[SearchResult]:
    """As `search` for each in turn, their questions embedded together."""
    began = Stages()
    for query in queries:
        checked(query.boosts)
        if query.rerank:
            required_reranker(chat)
    understood = [await understand(query, chat) for query in queries]
    began.end("question")
    asked = list(zip(queries, understood, strict=True))
    try:
        return await _search_each(asked, within, began, embedders, library, chat)
    except IndexGone:
        now = await asyncio.to_thread(library.collections.find, within.id)
        return await _search_each(asked, now, began, embedders, library, chat)


async def vectors_for(
    query: Query, understood: Understood, within: Collection, embedders: Embedders
) -> OneEach:
    """For each way of asking; none where the question cannot be embedded.

    Raises:
        As `search` does.
    """
    embedded, _ = await _embed([(query, understood)], within, embedders)
    return _vectors(query, understood, embedded)


async def _search_each(
    asked: Sequence[tuple[Query, Understood]],
    within: Collection,
    began: Stages,
    embedders: Embedders,
    library: Library,
    chat: ChatModels,
) -> list[SearchResult]:
    embedded, reason = await _embed(asked, within, embedders)
    began.end("embed")
    shared = {stage: taken / len(asked) for stage, taken in began.milliseconds.items()}
    results = []
    for query, understood in asked:
        vectors = _vectors(query, understood, embedded)
        mode: Mode = query.mode if vectors[0] is not None else "words"
        sought = Sought(query, understood, vectors, within, mode)
        no_vectors = reason if query.mode != "words" else None
        results.append(await _search(sought, no_vectors, Stages(shared), library, chat))
    return results


async def _search(
    sought: Sought, no_vectors: str | None, stages: Stages, library: Library, chat: ChatModels
) -> SearchResult:
    """One question, with what is to be asked at hand."""
    query, within = sought.query, sought.within
    chosen = await asyncio.to_thread(_choose, sought, library, stages)
    mode, no_words = _without_words(sought) if chosen.lacks_words else (sought.mode, None)
    hits, usage, not_reranked = chosen.hits, sought.understood.usage, None
    if query.rerank:
        hits, paid, not_reranked = await reranked(sought.understood.reading.text, hits, chat)
        usage = together(usage, paid)
        stages.end("rerank")
    best, passages = tuple(hits[: query.k]), None
    if query.passages is not None:
        most = query.passages.max_tokens
        passages = await asyncio.to_thread(grown, best, most, within, library)
        stages.end("passages")
    first = chosen.pool.first
    unheeded = None if first.is_bounded else UNHEEDED
    degraded = (sought.understood.degraded, no_vectors, no_words, unheeded, not_reranked)
    trace = Trace(sought.understood, chosen.pool, hits, stages.milliseconds, chosen.folded)
    return SearchResult(
        best,
        mode,
        "; ".join(why for why in degraded if why) or None,
        milliseconds=round(sum(stages.milliseconds.values()), 3),
        explain=explained(query, best, within, trace) if query.explain else None,
        passages=passages,
        notes=_notes(first.unmet),
        usage=usage,
    )


def _notes(unmet: Sequence[str]) -> tuple[str, ...]:
    if not unmet:
        return ()
    said = " and ".join(f'"{phrase}"' for phrase in unmet)
    return (f"no passage holds {said} word for word: searched as if nothing were quoted",)


class _Chosen(Struct, frozen=True):
    """Hits worth returning, and what they were chosen from."""

    hits: list[Hit]
    pool: Pool
    folded: int
    """Hits before the last of these that are not among them."""

    @property
    def lacks_words(self) -> bool:
        return "words" in self.pool.first.missing


def _choose(sought: Sought, library: Library, stages: Stages) -> _Chosen:
    """As many as are wanted, each saying something of its own; a closer look is taken where too
    few are left of the first."""
    query = sought.query
    wanted = max(query.k, RERANKED) if query.rerank else query.k
    for per_hit in LOOKS:
        pool = find(sought, ceil(per_hit * wanted), library)
        stages.end("search")
        hits = fold_duplicates(pool.hits, wanted, per_document=query.per_document)
        stages.end("fold")
        if len(hits) == wanted or pool.is_exhausted:
            break
    return _Chosen(hits, pool, _passed_over(pool.hits, hits))


def _passed_over(pool: Sequence[Hit], hits: Sequence[Hit]) -> int:
    if not hits:
        return 0
    last = next(n for n, hit in enumerate(pool) if hit.chunk_id == hits[-1].chunk_id)
    return last + 1 - len(hits)


async def _embed(
    asked: Sequence[tuple[Query, Understood]], within: Collection, embedders: Embedders
) -> tuple[Embedded, str | None]:
    """What is asked by meaning, at once; and why there are no vectors, where there are none."""
    by_meaning = [understood for query, understood in asked if query.mode != "words"]
    texts = list(dict.fromkeys(text for each in by_meaning for text in each.texts))
    if not texts:
        return {}, None
    if within.embedding_model is None:
        return {}, f"collection {within.name!r} has no embedding model: searched by words alone"
    try:
        vectors = await embedders[within.embedding_model].embed(texts, "query")
    except (ProviderError, ModelUnavailable, BudgetExhausted) as error:
        if any(query.mode == "dense" for query, _ in asked):
            raise
        return {}, f"the question could not be embedded ({error}): searched by words alone"
    return {text: vectors[n : n + 1] for n, text in enumerate(texts)}, None


def _vectors(
    query: Query, understood: Understood, embedded: Embedded
) -> tuple[Vectors | None, ...]:
    if query.mode == "words" or not embedded:
        return (None,) * len(understood.wordings)
    return vectors_of(understood, embedded)


def _without_words(sought: Sought) -> tuple[Mode, str]:
    if sought.mode != "hybrid":
        raise IndexRebuilding(
            f"the word index of {sought.within.name!r} is being built anew, and there is nothing"
            " else to search by; GET /health/ready says how far it is"
        )
    return "dense", "the word index is being built anew: searched by meaning alone"
