"""How much two rankings of the same documents have in common, however each is cut into passages."""

from collections.abc import Sequence

from msgspec import Struct


class Passage(Struct, frozen=True):
    """A span of a document, by the document's key."""

    key: str
    start: int
    end: int


def ranks_in(other: Sequence[Passage], ranking: Sequence[Passage]) -> list[int | None]:
    """For each passage of a ranking, the rank from 1 of the first in the other one that shares
    text with it; None where there is none.

    >>> ranks_in([Passage("b", 0, 9), Passage("a", 5, 9)], [Passage("a", 0, 6), Passage("c", 0, 6)])
    [2, None]
    """
    return [
        next((rank for rank, there in enumerate(other, 1) if _share_text(passage, there)), None)
        for passage in ranking
    ]


def overlap(one: Sequence[Passage], other: Sequence[Passage]) -> float:
    """Share of the passages, of both together, that the other ranking has too; 1 for two that are
    empty."""
    found = [*ranks_in(other, one), *ranks_in(one, other)]
    return sum(rank is not None for rank in found) / len(found) if found else 1.0


def _share_text(one: Passage, other: Passage) -> bool:
    return one.key == other.key and one.start < other.end and other.start < one.end
