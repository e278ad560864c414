"""Several rankings of hits become one: of one question said in several ways, or of its parts.

Their scores are all fused scores, from 0 to 1, and compare.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from rag.domain import ChunkId, Hit

Joined: TypeAlias = Callable[[Sequence[float]], float]
"""Scores of one chunk -> its score."""


def best_of(rankings: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Each chunk once, with the best of its scores, best first (CombMAX; Fox and Shaw, TREC-2,
    1994): for questions of different things, of which each has its own answer."""
    return _merged(rankings, max)


def mean_of(rankings: Sequence[Sequence[Hit]]) -> list[Hit]:
    """Each chunk once, with the mean of its scores over all rankings, 0 where it is missing
    (CombSUM): for one question in different words, where agreement tells."""
    return _merged(rankings, lambda scores: sum(scores) / len(rankings))


def _merged(rankings: Sequence[Sequence[Hit]], joined: Joined) -> list[Hit]:
    if len(rankings) == 1:
        return list(rankings[0])
    hits: dict[ChunkId, Hit] = {}
    scores: dict[ChunkId, list[float]] = {}
    legs: dict[ChunkId, dict[str, None]] = {}
    for hit in (hit for ranking in rankings for hit in ranking):
        hits.setdefault(hit.chunk_id, hit)
        scores.setdefault(hit.chunk_id, []).append(hit.score)
        legs.setdefault(hit.chunk_id, {}).update(dict.fromkeys(hit.found_by))
    merged = [
        replace(hit, score=joined(scores[id]), found_by=tuple(sorted(legs[id])))
        for id, hit in hits.items()
    ]
    return sorted(merged, key=lambda hit: (-hit.score, hit.chunk_id))
