"""Long lists of parameters, a few at a time: a statement takes 32,766 of them at most."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

BATCH = 500  # parameters; more make a statement no faster

Item = TypeVar("Item")


def batches(items: Sequence[Item], size: int = BATCH) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
