"""Whose page is whose: the provider's indexes -> the numbers of the document's own pages."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rag.errors import MalformedReply
from rag.mistral.wire.decoding import PROVIDER

_MOST_NAMED = 5
"""Ranges of pages in a message; more would hide the first."""


def original_numbers(indexes: Sequence[int], asked: Sequence[int] | None) -> dict[int, int]:
    """Index -> number of the page, from 1.

    Where some pages of a document are asked for, it is documented nowhere whether an index is
    the page's own or begins anew, and clients disagree whether the first is 0 or 1. Each of the
    four ways keeps the order, so they all mean the same pages; any other set of indexes means that
    pages are missing, doubled or somebody else's.

    >>> original_numbers([4, 8], [5, 9]) == {4: 5, 8: 9}
    True
    >>> original_numbers([1, 0], [5, 9]) == {0: 5, 1: 9}
    True

    Args:
        asked: numbers from 1, rising; None where the document's pages could not be counted.

    Raises:
        MalformedReply: pages are missing, doubled, or were not asked for.
    """
    doubled = sorted(index for index, n in Counter(indexes).items() if n > 1)
    if doubled:
        raise MalformedReply(PROVIDER, f"sent pages twice, with the index {spoken(doubled)}")
    if not indexes:
        raise MalformedReply(PROVIDER, "sent no pages")
    found = sorted(indexes)
    numbers = range(1, len(found) + 1) if asked is None else asked
    if len(found) != len(numbers):
        raise MalformedReply(PROVIDER, f"sent {len(found)} pages for the {len(numbers)} asked for")
    if found not in _ways(numbers):
        raise MalformedReply(
            PROVIDER,
            f"sent pages with the indexes {spoken(found)},"
            f" where the pages {spoken(numbers)} were asked for",
        )
    return dict(zip(found, numbers, strict=True))


def _ways(numbers: Sequence[int]) -> Iterator[list[int]]:
    """In which the provider may count the pages."""
    for first in (0, 1):
        yield [number - 1 + first for number in numbers]
        yield list(range(first, first + len(numbers)))


def ranges(numbers: Sequence[int]) -> str:
    """
    >>> ranges([1, 2, 3, 7, 9, 10])
    '1-3,7,9-10'
    """
    return ",".join(_runs(numbers))


def spoken(numbers: Sequence[int]) -> str:
    """Of many numbers the first, for a message."""
    runs = list(_runs(numbers))
    more = ["..."] if len(runs) > _MOST_NAMED else []
    return ", ".join(runs[:_MOST_NAMED] + more)


def _runs(numbers: Sequence[int]) -> Iterator[str]:
    first = last = None
    for number in numbers:
        if first is None or last is None or number != last + 1:
            if first is not None:
                yield _run(first, last)
            first = number
        last = number
    if first is not None:
        yield _run(first, last)


def _run(first: int, last: int | None) -> str:
    return str(first) if first == last else f"{first}-{last}"
