"""Words and meaning -> one relevance for each chunk that either of them returned.

Both are brought to the same range first: BM25 by its best, a cosine by the range that the nearest
chunks lie in. The result is on BM25's scale again, so that repositories can be compared where only
some of them are embedded. A leg that returned nothing has no say.
"""

from collections.abc import Mapping

from msgspec import Struct

Place = tuple[int, int]
"""File, and the chunk's place in it."""


class Fused(Struct, frozen=True):
    relevance: float
    found_by: tuple[str, ...]


def fuse_legs(
    words: Mapping[Place, float], near: Mapping[Place, float], weight: float
) -> dict[Place, Fused]:
    """
    Args:
        near: cosines.
        weight: share of meaning, 0 to 1.
    """
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
