"""Words and meaning -> one relevance for each chunk that either of them returned.

Both are brought to the same range first: BM25 by its best, a cosine by the range that the nearest
chunks lie in. The result is on BM25's scale again, so that repositories can be compared where only
some of them are embedded. A leg that returned nothing has no say. What is quoted in a
question and found as it stands is no matter of degree: it brings a chunk in, and counts when the
chunks are ordered.
"""

from collections.abc import Collection, Mapping

from msgspec import Struct

Place = tuple[int, int]
"""File, and the chunk's place in it."""


class Fused(Struct, frozen=True):
    relevance: float
    found_by: tuple[str, ...]


BROUGHT_IN = 0.5
"""Of the best chunk's relevance, what one has at least that holds what is quoted."""


def fuse_legs(
    words: Mapping[Place, float],
    near: Mapping[Place, float],
    weight: float,
    quoting: Collection[Place] = (),
) -> dict[Place, Fused]:
    """
    Args:
        near: cosines.
        weight: share of meaning, 0 to 1.
        quoting: chunks that hold what is quoted.
    """
    fused = _fused(words, near, weight)
    least = BROUGHT_IN * max((each.relevance for each in fused.values()), default=1.0)
    for place in quoting:
        known = fused.get(place, Fused(0.0, ()))
        fused[place] = Fused(max(known.relevance, least), ("exact", *known.found_by))
    return fused


def _fused(
    words: Mapping[Place, float], near: Mapping[Place, float], weight: float
) -> dict[Place, Fused]:
    if not near or weight == 0:
        return {place: Fused(score, ("words",)) for place, score in words.items()}
    best = max(words.values(), default=0.0)
    most, least = max(near.values()), min(near.values())
    scale = best or 1.0
    share = weight if words else 1.0
    fused: dict[Place, Fused] = {}
    for place in {**words, **near}:
        said = words.get(place, 0.0) / scale
        meant = (near[place] - least) / (most - least or 1.0) if place in near else 0.0
        found_by = [("dense", place in near), ("words", place in words)]
        fused[place] = Fused(
            scale * ((1 - share) * said + share * meant),
            tuple(leg for leg, has in found_by if has),
        )
    return fused
