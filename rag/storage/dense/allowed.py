"""What a filter lets through, in the positions of each part of the index.

Working that out costs some 10 ms per million rows, and is kept as long as the part lives.
"""

import threading
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from rag.storage.dense.clusters import Clusters, Counts
from rag.storage.dense.parts import Numbers
from rag.storage.dense.scanning import Bitmap, Ids, Positions, bitmap_of

SPARSE = 16  # numbers between first and last for each listed: beyond it a table costs more memory


class Part(Protocol):
    @property
    def numbers(self) -> Numbers: ...
    @property
    def clusters(self) -> Clusters | None: ...


class Projection(Struct, frozen=True):
    """The rows of one part that are allowed."""

    positions: Positions
    """Ascending."""
    bitmap: Bitmap
    counts: Counts | None
    """In each list, where the part has clusters."""


class Allowed:
    """The chunk numbers that a search may return. Worth keeping as long as they are the same."""

    def __init__(self, numbers: Ids) -> None:
        self.numbers = np.unique(np.asarray(numbers, np.int64))
        self._lock = threading.Lock()
        self._projections: WeakKeyDictionary[Part, Projection] = WeakKeyDictionary()

    def __len__(self) -> int:
        return len(self.numbers)

    def within(self, part: Part) -> Projection:
        with self._lock:
            kept = self._projections.get(part)
        if kept is None:
            kept = _projection(part, self.numbers)
            with self._lock:
                self._projections[part] = kept
        return kept


def _projection(part: Part, allowed: Ids) -> Projection:
    is_set = _members(part.numbers.ids, allowed)
    positions = np.flatnonzero(is_set)
    counts = None if part.clusters is None else part.clusters.counts(positions)
    return Projection(positions, bitmap_of(is_set), counts)


def _members(ids: Ids, allowed: Ids) -> npt.NDArray[np.bool_]:
    """Which of `ids` are among the sorted `allowed`."""
    if not len(allowed) or not len(ids):
        return np.zeros(len(ids), np.bool_)
    first, last = int(allowed[0]), int(allowed[-1])
    if last - first > SPARSE * (len(allowed) + len(ids)):
        return np.isin(ids, allowed, kind="sort")
    table = np.zeros(last - first + 2, np.bool_)  # its last place stands for all that lie outside
    table[allowed - first] = True
    places = ids - first
    return table[np.where((places < 0) | (places > last - first), last - first + 1, places)]
