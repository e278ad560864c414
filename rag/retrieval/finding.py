"""All the ways in which a question is asked -> one ranking of hits."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from msgspec import Struct

from rag.domain import Candidate, ChunkId, Collection, Hit, Vectors
from rag.ranking.boosts import boosted
from rag.ranking.fusion import fuse
from rag.ranking.merging import best_of, mean_of
from rag.retrieval.queries import LEGS, Mode, Query
from rag.retrieval.understanding import Understood, Wording
from rag.storage.holders import Terms
from rag.storage.library import Library
from rag.storage.searching import Found

CANDIDATES = 100
"""Asked of each of two legs at least, whatever k: fusion needs to see more than it returns."""

CANDIDATES_PER_HIT = 4


class Pool(Struct, frozen=True):
    """Hits that may be returned, best first, and where they come from."""

    fused: tuple[Hit, ...]
    """In the order of both legs."""
    hits: tuple[Hit, ...]
    """The same with what their documents' attributes add."""
    candidates: Mapping[ChunkId, Candidate]
    """What each leg says, of the first way of asking in which it was found."""
    first: Found
    """What the question as a whole came to."""

    is_exhausted: bool
    """Whether a closer look would find no more."""


class Sought(Struct, frozen=True):
    """All that decides what is found."""

    query: Query
    understood: Understood
    vectors: tuple[Vectors | None, ...]
    """One for each way of asking."""
    within: Collection
    mode: Mode


def find(sought: Sought, look: int, library: Library) -> Pool:
    """The best `look` of each way of asking, or of all candidates where attributes decide too."""
    query, wordings = sought.query, sought.understood.wordings
    each_leg = of_each_leg(sought.mode, query.k, look)
    look = 2 * each_leg if query.boosts else look
    found = [
        _ask(sought, wording, vector, look, each_leg, library)
        for wording, vector in zip(wordings, sought.vectors, strict=True)
    ]
    candidates: dict[ChunkId, Candidate] = {}
    for each in found:
        for candidate in each.candidates:
            candidates.setdefault(candidate.chunk_id, candidate)
    fused = merged(wordings, [each.hits for each in found])
    hits = fused
    if query.boosts:
        attributes = library.documents.attributes([hit.document_id for hit in fused])
        hits = boosted(fused, query.boosts, attributes, datetime.now(UTC))
    is_exhausted = all(len(each.hits) < look for each in found)
    return Pool(tuple(fused), tuple(hits), candidates, found[0], is_exhausted)


def merged(wordings: Sequence[Wording], rankings: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Other words for the question are votes on the same thing, its parts are things of their
    own."""
    parts = [r for w, r in zip(wordings, rankings, strict=True) if w.role == "part"]
    votes = [r for w, r in zip(wordings, rankings, strict=True) if w.role != "part"]
    return best_of([mean_of(votes), *parts])


def of_each_leg(mode: Mode, k: int, look: int) -> int:
    """One leg alone is not fused, and so not asked for more than is looked at."""
    return max(CANDIDATES, CANDIDATES_PER_HIT * k, look) if mode == "hybrid" else look


def _ask(
    sought: Sought,
    wording: Wording,
    vector: Vectors | None,
    look: int,
    each_leg: int,
    library: Library,
) -> Found:
    within, reading = sought.within, sought.understood.reading
    return library.chunks.search(
        within,
        wording.words,
        vector,
        partial(fuse, dense_weight=within.dense_weight, k=look),
        k=each_leg,
        filter=sought.query.filter,
        modes=LEGS[sought.mode],
        terms=Terms(reading.phrases, reading.excluded),
    )
