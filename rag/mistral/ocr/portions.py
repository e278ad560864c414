"""Which pages go to the provider together, so that each call is within its limits."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

LARGEST = 50 * 1024 * 1024
"""Bytes of one document, by the provider's FAQ."""

MOST_PAGES = 1_000
"""Of one document, by the same."""

_FILLED = 0.9
"""Of `LARGEST`, as much as a part is planned to have: pages differ in size, and what they share
(fonts, pictures) comes with every part."""

Portion: TypeAlias = tuple[int, ...]
"""Numbers of pages, from 1, rising."""


def fits(size: int, pages: int) -> bool:
    """Whether a document can be sent whole."""
    return size <= LARGEST and pages <= MOST_PAGES


def portions(numbers: Sequence[int], *, size: int, pages: int) -> tuple[Portion, ...]:
    """The pages in parts that will probably fit, of nearly equal length. Of the same document
    always the same, so that what was bought for a part is found again.

    >>> portions(range(1, 2002), size=10**6, pages=2001)[2][0]
    1335

    Args:
        size: bytes of the document that the pages are of.
        pages: how many it has.
    """
    if not numbers:
        return ()
    if fits(size, pages):
        return (tuple(numbers),)
    by_bytes = int(_FILLED * LARGEST * pages / size)
    most = max(1, min(MOST_PAGES, by_bytes))
    return equal_parts(numbers, -(-len(numbers) // most))


def equal_parts(numbers: Sequence[int], n: int) -> tuple[Portion, ...]:
    """
    >>> equal_parts([1, 2, 3, 4, 5], 2)
    ((1, 2), (3, 4, 5))
    """
    cuts = [len(numbers) * i // n for i in range(n + 1)]
    return tuple(tuple(numbers[a:b]) for a, b in pairwise(cuts))
