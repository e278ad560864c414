"""Two rankings become one.

The dense leg knows meaning, the words leg knows names and numbers. Their scores live on
different scales (a cosine, a BM25 sum), so each is first brought to 0..1 over the candidates of
its question, then mixed by a weight that belongs to the collection.
"""

from collections.abc import Callable, Sequence

import msgspec

from rag.domain import Candidate, Hit

RANK_CONSTANT = 60
"""Of reciprocal rank fusion: the larger, the less the first ranks stand out (Cormack, Clarke
and Büttcher, SIGIR 2009, who chose 60)."""


def fuse(candidates: Sequence[Candidate], *, dense_weight: float) -> list[Hit]:
    """Convex combination of the two legs' normalised scores, best first, scores from 0 to 1.

    A leg that knows none of the candidates drops out, and the other one's order stands. A chunk
    that the words leg did not return counts as its lowest. Ties keep the order of chunk ids.

    Args:
        dense_weight: share of the dense leg, 0 to 1.
    """
    dense = _unit_scale([c.dense for c in candidates])
    words = _unit_scale([c.words for c in candidates])
    weight = _effective_weight(candidates, dense_weight)
    return _ranked(
        candidates,
        [weight * d + (1 - weight) * w for d, w in zip(dense, words, strict=True)],
    )


def reciprocal_rank(candidates: Sequence[Candidate], *, constant: int = RANK_CONSTANT) -> list[Hit]:
    """Reciprocal rank fusion: 1 / (constant + rank), summed over the legs, ranks from 1.

    Needs no scores and no weight, and so is the baseline; on natural questions it falls below
    its better leg. Scores are divided by the best possible sum, so they too lie in 0..1.
    """
    best = 2 / (constant + 1)

    def share(rank: int | None) -> float:
        return 0.0 if rank is None else 1 / (constant + rank) / best

    return _ranked(candidates, [share(c.dense_rank) + share(c.words_rank) for c in candidates])


def _effective_weight(candidates: Sequence[Candidate], dense_weight: float) -> float:
    if all(c.dense is None for c in candidates):
        return 0.0
    if all(c.words is None for c in candidates):
        return 1.0
    return dense_weight


def _unit_scale(scores: Sequence[float | None]) -> list[float]:
    """Lowest known score 0, highest 1, unknown 0; all known scores equal: 1."""
    known = [score for score in scores if score is not None]
    if not known:
        return [0.0] * len(scores)
    low, high = min(known), max(known)
    scale: Callable[[float], float] = (
        (lambda score: (score - low) / (high - low)) if high > low else (lambda _: 1.0)
    )
    return [0.0 if score is None else scale(score) for score in scores]


def _ranked(candidates: Sequence[Candidate], scores: Sequence[float]) -> list[Hit]:
    hits = [
        msgspec.structs.replace(candidate.hit, score=score, found_by=_found_by(candidate))
        for candidate, score in zip(candidates, scores, strict=True)
    ]
    return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))


def _found_by(candidate: Candidate) -> tuple[str, ...]:
    ranks = {"dense": candidate.dense_rank, "words": candidate.words_rank}
    return tuple(leg for leg, rank in ranks.items() if rank is not None)
