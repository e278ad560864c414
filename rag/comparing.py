"""The story of a comparison: the same questions, asked of two indexes of a collection."""

import asyncio
from collections.abc import Sequence
from statistics import fmean
from typing import Annotated

from msgspec import Meta, Struct

from rag.domain import Collection, Hit, IndexId
from rag.evaluation.metrics import distinct, ndcg, recall
from rag.ports import Embedders
from rag.ranking.agreement import Passage, overlap, ranks_in
from rag.retrieval.queries import Query
from rag.retrieval.searching import search
from rag.storage.library import Library

JUDGED_AT = 10
"""Hits that nDCG looks at, whatever `k`: figures are then comparable with those of others."""


class Probe(Struct, frozen=True):
    """A question, and which documents answer it where that is known. Other fields are ignored."""

    text: Annotated[str, Meta(min_length=1, max_length=10_000)]
    id: str | None = None
    relevant: dict[str, float] = {}
    """Keys of documents, and how much each is worth, above 0."""


class Place(Struct, frozen=True):
    """A hit, and where the other index has it."""

    key: str
    start: int
    end: int
    score: float
    other_rank: int | None
    """From 1, of the first passage there that shares text with this one."""


class Judgment(Struct, frozen=True):
    """How good an index's hits are, by the documents that are known to be relevant."""

    recall: float
    """Share of them among the first `k` hits."""
    ndcg_10: float


class Compared(Struct, frozen=True):
    """One question, asked of both."""

    text: str
    id: str | None
    overlap: float
    """Share of the hits, of both together, that the other has too."""
    current: tuple[Place, ...]
    other: tuple[Place, ...]
    current_judged: Judgment | None = None
    other_judged: Judgment | None = None
    """None where no relevant documents were named."""


class Comparison(Struct, frozen=True):
    """All questions together."""

    k: int
    current: IndexId
    """The index that serves."""
    other: IndexId
    overlap: float
    """The mean; this and the next say only how different the two are, not which is better."""
    rank_difference: float | None
    """Mean distance between the ranks of hits that both have; None where they share none."""
    judged: int
    """Questions with relevant documents, of which the next two are means; None without any."""
    current_judged: Judgment | None
    other_judged: Judgment | None
    queries: tuple[Compared, ...]


async def compare(
    probes: Sequence[Probe],
    current: Collection,
    other: Collection,
    *,
    k: int,
    embedders: Embedders,
    library: Library,
) -> Comparison:
    """
    Args:
        current, other: the same collection, seen through two of its indexes.

    Raises:
        NotFound: one of them was dropped meanwhile.
    """
    compared = []
    for probe in probes:
        query = Query(probe.text, k=k)
        one, two = [
            (await search(query, view, embedders=embedders, library=library)).data
            for view in (current, other)
        ]
        compared.append(compared_hits(probe, one, two, k))
    for view in (current, other):  # one that is gone would have been stood in for
        await asyncio.to_thread(library.indexes.view, current, view.index)
    return together(compared, current.index, other.index, k)


def compared_hits(probe: Probe, current: Sequence[Hit], other: Sequence[Hit], k: int) -> Compared:
    one, two = _passages(current), _passages(other)
    return Compared(
        probe.text,
        probe.id,
        overlap(one, two),
        _places(current, ranks_in(two, one)),
        _places(other, ranks_in(one, two)),
        _judged(current, probe, k),
        _judged(other, probe, k),
    )


def together(compared: Sequence[Compared], current: IndexId, other: IndexId, k: int) -> Comparison:
    apart = [
        abs(rank - place.other_rank)
        for one in compared
        for rank, place in enumerate(one.current, 1)
        if place.other_rank is not None
    ]
    return Comparison(
        k,
        current,
        other,
        overlap=fmean(one.overlap for one in compared) if compared else 1.0,
        rank_difference=fmean(apart) if apart else None,
        judged=sum(one.current_judged is not None for one in compared),
        current_judged=_mean([one.current_judged for one in compared]),
        other_judged=_mean([one.other_judged for one in compared]),
        queries=tuple(compared),
    )


def _passages(hits: Sequence[Hit]) -> list[Passage]:
    return [Passage(hit.key, hit.start, hit.end) for hit in hits]


def _places(hits: Sequence[Hit], ranks: Sequence[int | None]) -> tuple[Place, ...]:
    return tuple(
        Place(hit.key, hit.start, hit.end, hit.score, rank)
        for hit, rank in zip(hits, ranks, strict=True)
    )


def _judged(hits: Sequence[Hit], probe: Probe, k: int) -> Judgment | None:
    relevant = {key: gain for key, gain in probe.relevant.items() if gain > 0}
    if not relevant:
        return None
    ranking = distinct(hit.key for hit in hits)
    return Judgment(recall(ranking, relevant, k=k), ndcg(ranking, relevant, k=JUDGED_AT))


def _mean(judged: Sequence[Judgment | None]) -> Judgment | None:
    known = [each for each in judged if each is not None]
    if not known:
        return None
    return Judgment(fmean(each.recall for each in known), fmean(each.ndcg_10 for each in known))
