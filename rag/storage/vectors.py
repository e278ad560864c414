"""The dense index: FAISS over half-precision vectors, searched exhaustively.

Measured at 100,000 vectors of 1,024: half the memory and 2.2 times the speed of float32, at a
recall of 1.000; it needs no training, removes at once and filters exactly.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from rag.domain import Vectors
from rag.storage.sharing import SharedLock

LAYOUT = "IDMap2,SQfp16"

Ids = npt.NDArray[np.int64]
Found = list[tuple[int, float]]
"""(chunk, score), best first."""


class VectorIndex:
    """Vectors by chunk number, complete up to operation `seq`. Safe to use from many threads."""

    kind = "dense"

    def __init__(self, dimension: int, index: Any = None, seq: int = 0) -> None:
        self._index = index or faiss.index_factory(dimension, LAYOUT, faiss.METRIC_INNER_PRODUCT)
        self._lock = SharedLock()
        self.dimension = dimension
        self.seq = seq

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def change(self, ids: Ids, vectors: Vectors, deleted: Sequence[int], seq: int) -> None:
        """Puts rows whose numbers are new, removes others, and is complete up to `seq` then."""
        with self._lock.alone():
            if deleted:
                gone = np.asarray(deleted, dtype=np.int64)
                self._index.remove_ids(faiss.IDSelectorBatch(gone))
            if len(ids):
                self._index.add_with_ids(np.ascontiguousarray(vectors, np.float32), ids)
            self.seq = seq

    def search(self, vector: Vectors, k: int, *, allowed: Ids | None = None) -> Found:
        """The `k` nearest to one vector, with their cosines; only among `allowed` where given."""
        if k < 1 or not len(self) or (allowed is not None and not len(allowed)):
            return []
        with self._lock.shared():
            # one thread a query: queries run beside each other, and more threads make both slower
            faiss.omp_set_num_threads(1)
            parameters = faiss.SearchParameters()
            if allowed is not None:
                bitmap = _bitmap(allowed)  # the selector points into it
                parameters.sel = faiss.IDSelectorBitmap(len(bitmap), faiss.swig_ptr(bitmap))
            query = np.ascontiguousarray(vector, np.float32).reshape(1, self.dimension)
            cosines, ids = self._index.search(query, min(k, len(self)), params=parameters)
        found = zip(ids[0].tolist(), cosines[0].tolist(), strict=True)
        return [(id, cosine) for id, cosine in found if id != -1]

    def cosines(self, vector: Vectors, ids: Sequence[int]) -> dict[int, float]:
        """Of those chunks that are here."""
        return dict(self.search(vector, len(ids), allowed=np.asarray(ids, dtype=np.int64)))

    def write(self, path: Path) -> None:
        with self._lock.shared():
            faiss.write_index(self._index, str(path))


def read_vectors(path: Path, *, dimension: int, rows: int, seq: int) -> VectorIndex | None:
    """The index in a file; None when it is not what its catalog row says.

    The caller has compared the file's hash: FAISS itself opens 95 % of files with a flipped bit.
    """
    try:
        index = faiss.read_index(str(path))
    except RuntimeError:
        return None
    same = (
        isinstance(index, faiss.IndexIDMap2)
        and index.d == dimension
        and index.ntotal == rows
        and index.metric_type == faiss.METRIC_INNER_PRODUCT
    )
    return VectorIndex(dimension, index, seq) if same else None


def _bitmap(ids: Ids) -> npt.NDArray[np.uint8]:
    bits = np.zeros(int(ids.max()) + 1, dtype=np.uint8)
    bits[ids] = 1
    return np.packbits(bits, bitorder="little")
