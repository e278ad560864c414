"""Clusters of a segment's rows: the nearest lists give candidates, which exact rows then re-score.

FAISS is given no more than is safe here: an index that is never added to (FAISS ends the process
when rows are added to a mapped one), no id map (under which `Refine` ignores filters without a
word), and rows numbered by position, so that a bitmap filters.
"""

import threading
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from rag.domain import Vectors
from rag.storage.dense.manifest import Probing
from rag.storage.dense.scanning import Bitmap, Positions, selector_of, use_one_thread

Counts = npt.NDArray[np.int64]
"""(lists,): rows of something in each list."""

# microseconds at a width of 1,024, on one core of a 2.5 GHz Xeon
PER_SEARCH = 400.0  # whatever is asked, at any width
PER_LIST = 0.35  # compared with its center, and sorted
PER_ROW = 0.024  # of a list searched
PER_CANDIDATE = 1.6  # fetched and re-scored

UNEVEN = 0.5  # of what is expected in the nearest lists: 0.92 of the nearest found without it
FARTHER = 4  # times as many lists then


class Clusters:
    def __init__(self, index: faiss.IndexIVFPQFastScan) -> None:
        self._index: Any = index  # the stubs lack half of what it has
        self.rows = int(index.ntotal)
        self.lists = int(index.nlist)
        self._centers: Vectors = self._index.quantizer.reconstruct_n(0, self.lists)
        self._lock = threading.Lock()
        self._list_of: npt.NDArray[np.int32] | None = None

    def nearest(
        self,
        query: Vectors,
        candidates: int,
        lists: int,
        bitmap: Bitmap | None = None,
        counts: Counts | None = None,
    ) -> Positions:
        """Rows that may be the nearest, those that seem so first.

        Args:
            lists: to search at least, of those that hold anything allowed.
            counts: allowed rows in each list. Where few are in the nearest lists, more are
                searched, until as large a share of the allowed rows was seen as of all lists.
        """
        use_one_thread()
        distances = self._distances(query)
        chosen = np.argsort(distances)
        chosen = chosen[:lists] if counts is None else _enough(chosen, lists, counts)
        keys, centers = chosen.astype(np.int64), distances[chosen].astype(np.float32)
        found = np.empty(candidates, np.int64)
        scores = np.empty(candidates, np.float32)
        parameters = faiss.IVFSearchParameters()
        parameters.nprobe = len(keys)
        selector = None if bitmap is None else selector_of(bitmap)
        parameters.sel = selector
        self._index.search_preassigned_c(
            1,
            faiss.swig_ptr(query),
            candidates,
            faiss.swig_ptr(keys),
            faiss.swig_ptr(centers),
            faiss.swig_ptr(scores),
            faiss.swig_ptr(found),
            False,
            parameters,
        )
        return found[found >= 0]

    def ranks(self, query: Vectors, positions: Positions) -> Positions:
        """Of the lists that some rows are in: 0 for the list nearest to the query."""
        rank = np.argsort(np.argsort(self._distances(query)))
        return rank[self._lists()[positions]]

    def counts(self, positions: Positions) -> Counts:
        """Rows at `positions` in each list."""
        return np.bincount(self._lists()[positions], minlength=self.lists)

    def cost(self, probing: Probing) -> float:
        """Microseconds that a search takes, about."""
        rows = self.rows * probing.lists / self.lists
        scale = self._centers.shape[1] / 1024
        per_query = self.lists * PER_LIST + rows * PER_ROW + probing.candidates * PER_CANDIDATE
        return float(PER_SEARCH + scale * per_query)

    def _distances(self, query: Vectors) -> Vectors:
        """To each center, squared. By FAISS, since numpy would use every core for it."""
        distances = np.empty(self.lists, np.float32)
        faiss.fvec_L2sqr_ny(  # type: ignore[attr-defined]  # the stubs lack it
            faiss.swig_ptr(distances),
            faiss.swig_ptr(query),
            faiss.swig_ptr(self._centers),
            self._centers.shape[1],
            self.lists,
        )
        return distances

    def _lists(self) -> npt.NDArray[np.int32]:
        """Of each row."""
        with self._lock:
            if self._list_of is None:
                self._list_of = self._read_lists()
            return self._list_of

    def _read_lists(self) -> npt.NDArray[np.int32]:
        list_of, lists = np.zeros(self.rows, np.int32), self._index.invlists
        for place in range(self.lists):
            size = lists.list_size(place)
            if size:
                list_of[faiss.rev_swig_ptr(lists.get_ids(place), size)] = place
        return list_of


def _enough(order: Positions, lists: int, counts: Counts) -> Positions:
    """The nearest lists that hold something allowed, and enough of it.

    Lists were measured for what is allowed everywhere alike. Where the nearest lists hold less of
    it than that, it lies away from the question, whose distance then tells the lists apart less.
    """
    share = min(1.0, lists / len(order))
    if counts[order[:lists]].sum() < UNEVEN * share * counts.sum():
        share, lists = min(1.0, share * FARTHER), lists * FARTHER
    order = np.compress(counts[order] > 0, order)
    seen = np.cumsum(counts[order])
    wanted = share * seen[-1] if len(seen) else 0.0
    enough = int(np.searchsorted(seen, wanted)) + 1
    return order[: max(lists, enough)]


def read_clusters(content: bytes) -> Clusters | None:
    """The clusters in verified bytes; None when they are not of the kind we write."""
    index = faiss.deserialize_index(np.frombuffer(content, np.uint8))
    return Clusters(index) if isinstance(index, faiss.IndexIVFPQFastScan) else None
