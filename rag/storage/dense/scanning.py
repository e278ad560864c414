"""Exact search: every row of a block of half-precision vectors, wherever in memory it lies.

FAISS's scalar quantizer scans rows in place, also those of a mapped file, so that no file of
FAISS's own is needed for it: 70 ns per row of 1,024 where the rows are in memory.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import faiss
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from rag.domain import Vectors

Ids: TypeAlias = npt.NDArray[np.int64]
Positions: TypeAlias = npt.NDArray[np.int64]
"""Of rows within one part of an index, from 0."""
Rows: TypeAlias = npt.NDArray[np.float16]
"""(n, d), contiguous."""
Bitmap: TypeAlias = npt.NDArray[np.uint8]
"""One bit for each row, the lowest bit of the first byte first."""

FP16 = faiss.ScalarQuantizer.QT_fp16
GATHERED = 512  # rows copied at once: 1 MB at 1,024, which stays in the second cache


class Near(Struct, frozen=True):
    """Rows and their cosines, best first; of equals, the one that comes first."""

    positions: Positions
    cosines: Vectors

    def first(self, k: int) -> "Near":
        return Near(self.positions[:k], self.cosines[:k])

    def first_with_equals(self, k: int) -> "Near":
        """The first `k`, and those that are as near as the last of them."""
        if len(self.cosines) <= k:
            return self
        return self.first(int(np.searchsorted(-self.cosines, -self.cosines[k - 1], "right")))


NOTHING = Near(np.empty(0, np.int64), np.empty(0, np.float32))


def scan(rows: Rows, query: Vectors, k: int, bitmap: Bitmap | None = None) -> Near:
    """The `k` rows nearest to a query, among those whose bit is set, and all that are as near as
    the last of them: which of equals is to be found does not depend on where they lie, and is
    for the caller to say.

    Args:
        query: (d,), contiguous.
    """
    if not len(rows) or k < 1:
        return NOTHING
    use_one_thread()
    # rows are numbered by their place, so that the selector sees places too
    selector = None if bitmap is None else selector_of(bitmap)
    scanner = faiss.ScalarQuantizer(rows.shape[1], FP16).select_InvertedListScanner(  # type: ignore[attr-defined]  # the stubs lack it
        faiss.METRIC_INNER_PRODUCT, None, True, selector, False
    )
    scanner.set_query(faiss.swig_ptr(query))
    scanner.set_list(0, 0.0)
    asked = min(k + 1, len(rows))
    near = _nearest(scanner, rows, asked)
    while len(near.cosines) == asked < len(rows) and near.cosines[-1] == near.cosines[k - 1]:
        asked = min(2 * asked, len(rows))
        near = _nearest(scanner, rows, asked)
    return near.first_with_equals(k)


def _nearest(scanner: Any, rows: Rows, k: int) -> Near:
    """Which of those as near as the last are among them, FAISS leaves to chance."""
    cosines = np.full(k, -np.inf, np.float32)
    positions = np.full(k, -1, np.int64)
    heap = faiss.swig_ptr(cosines), faiss.swig_ptr(positions)
    scanner.scan_codes(len(rows), faiss.swig_ptr(rows.view(np.uint8)), None, *heap, k)
    there = positions >= 0  # FAISS's -1 for "no more"
    return in_order(positions[there], cosines[there])


def scan_some(
    fetch: Callable[[Positions], Rows], query: Vectors, k: int, positions: Positions
) -> Near:
    """`scan` of the rows at `positions`, which are fetched a cacheful at a time."""
    found = []
    for start in range(0, len(positions), GATHERED):
        some = positions[start : start + GATHERED]
        near = scan(fetch(some), query, k)
        found.append(Near(some[near.positions], near.cosines))
    return merged(found, k)


def cosines_of(rows: Rows, query: Vectors) -> Vectors:
    """Of all rows in order, and to the last bit those that `scan` finds."""
    near = scan(rows, query, len(rows))
    cosines = np.full(len(rows), np.nan, np.float32)
    cosines[near.positions] = near.cosines
    return cosines


def exact_search(
    blocks: Iterable[tuple[Ids, Vectors]], query: Vectors, k: int
) -> list[tuple[int, float]]:
    """The `k` nearest among rows that are handed in: what answers while there is no index.

    Rows are rounded to half precision, so that it answers like the index does.
    """
    found = [NOTHING]
    flat = as_query(query)
    for ids, vectors in blocks:
        near = scan(as_rows(vectors), flat, k)
        found.append(Near(ids[near.positions], near.cosines))
        found = [merged(found, k)]
    return as_pairs(found[0].first(k))


def merged(found: Iterable[Near], k: int) -> Near:
    """The `k` best of several results, and all that are as near as the last of them."""
    kept = list(found) or [NOTHING]
    positions = np.concatenate([near.positions for near in kept])
    cosines = np.concatenate([near.cosines for near in kept])
    return in_order(positions, cosines).first_with_equals(max(k, 0))


def in_order(positions: Positions, cosines: Vectors) -> Near:
    order = np.lexsort((positions, -cosines))
    return Near(positions[order], cosines[order])


def as_pairs(near: Near) -> list[tuple[int, float]]:
    return list(zip(near.positions.tolist(), near.cosines.tolist(), strict=True))


def as_rows(vectors: Vectors | Rows) -> Rows:
    return np.ascontiguousarray(vectors, np.float16)


def as_query(vector: Vectors) -> Vectors:
    return np.ascontiguousarray(vector, np.float32).reshape(-1)


def selector_of(bitmap: Bitmap) -> faiss.IDSelectorBitmap:
    """Points into the bitmap, which has to live as long. A batch selector costs six times it."""
    return faiss.IDSelectorBitmap(len(bitmap), faiss.swig_ptr(bitmap))


def bitmap_of(is_set: npt.NDArray[np.bool_]) -> Bitmap:
    return np.packbits(is_set, bitorder="little")


def use_one_thread() -> None:
    """Queries run beside each other, and more threads for each make all of them slower.

    OpenMP keeps this number for each calling thread, hence at each call.
    """
    faiss.omp_set_num_threads(1)
