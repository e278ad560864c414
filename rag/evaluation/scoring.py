"""Hits of a search -> how good they are, by what is known of the question.

A ranking is one of units: documents, pages, or pieces of evidence. A hit that holds none that is
relevant is a unit of its own, by its document where documents are judged, else by its chunk; so a
rank is a place in what a person would read.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from rag.domain import Hit
from rag.evaluation.metrics import distinct, hit_rate, mrr, ndcg, recall
from rag.evaluation.sets import Grain, Question

Spans: TypeAlias = Mapping[str, Sequence[tuple[str, int, int]]]
"""Of pieces of evidence, by unit: document, start, end."""

CURVE = (1, 2, 3, 5, 10, 20, 50, 100)
"""Numbers of hits at which recall is drawn."""

CUTOFFS = (10, 100)

PAGES_AT = 5
"""Hits among which any page of evidence must be."""

SHARE = 0.5
"""Of a quotation's characters that a hit must hold to count as holding it: one that was cut in
two between chunks is found with either larger half."""


class Judged(Struct, frozen=True):
    """How one setting did on one question."""

    scores: Mapping[str, float]
    """By the measure's name, from 0 to 1."""
    ranks: Mapping[str, int | None]
    """Of each relevant unit, from 1; None where it was not found."""


def relevant_units(question: Question, grain: Grain) -> dict[str, float]:
    if grain == "document":
        return dict(question.relevant)
    if grain == "page":
        return {
            page_unit(each.doc, each.page): 1.0
            for each in question.evidence
            if each.page is not None
        }
    return {passage_unit(n): 1.0 for n in range(len(question.evidence))}


def documents_of(question: Question) -> list[str]:
    """Ids of those that answer it, each once."""
    return distinct([*question.relevant, *(place.doc for place in question.evidence)])


def page_unit(doc: str, page: int) -> str:
    return f"{doc}, page {page}"


def passage_unit(n: int) -> str:
    return f"passage {n + 1}"


def ranking(
    hits: Sequence[Hit],
    relevant: Mapping[str, float],
    grain: Grain,
    spans: Spans | None = None,
) -> list[str]:
    """Units, each at its best rank.

    Args:
        hits: with ids of the set as their keys.
        spans: of the evidence, where passages are judged.
    """
    units: list[str] = []
    for hit in hits:
        held = [unit for unit in _units(hit, grain, spans or {}) if unit in relevant]
        units += held or [hit.key if grain == "document" else hit.chunk_id]
    return distinct(units)


def judged(
    ranked: Sequence[str], relevant: Mapping[str, float], cutoffs: Sequence[int] = CUTOFFS
) -> Judged:
    scores: dict[str, float] = {}
    for k in cutoffs:
        scores |= {
            f"ndcg@{k}": ndcg(ranked, relevant, k=k),
            f"recall@{k}": recall(ranked, relevant, k=k),
            f"mrr@{k}": mrr(ranked, relevant, k=k),
            f"hit_rate@{k}": hit_rate(ranked, relevant, k=k),
        }
    scores |= {f"recall@{k}": recall(ranked, relevant, k=k) for k in CURVE}
    ranks = {unit: rank for rank, unit in enumerate(ranked, 1) if unit in relevant}
    return Judged(scores, {unit: ranks.get(unit) for unit in relevant})


def has_evidence_page(hits: Sequence[Hit], question: Question, k: int = PAGES_AT) -> float:
    """1 where any of the first `k` hits stands on a page of evidence, else 0."""
    pages = {(each.doc, each.page) for each in question.evidence}
    return float(any((hit.key, page) in pages for hit in hits[:k] for page in hit.pages))


def _units(hit: Hit, grain: Grain, spans: Spans) -> list[str]:
    if grain == "document":
        return [hit.key, *(each.key for each in hit.also)]
    if grain == "page":
        return [page_unit(hit.key, page) for page in hit.pages]
    return [
        unit
        for unit, places in spans.items()
        if any(doc == hit.key and _holds(hit, start, end) for doc, start, end in places)
    ]


def _holds(hit: Hit, start: int, end: int) -> bool:
    return min(hit.end, end) - max(hit.start, start) >= SHARE * (end - start) > 0
