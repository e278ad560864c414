"""What the dense index has to agree with: plain arithmetic over the rows that are live."""

from collections.abc import Callable

import numpy as np

from rag.domain import Vectors
from rag.storage.dense.index import Found
from rag.storage.dense.scanning import Ids
from rag.storage.dense.segment import Segment

D = 32
OWNER = "library/1/model"

Rows = Callable[[int], Vectors]
Put = Callable[..., Segment]


def ids_from(start: int, n: int) -> Ids:
    return np.arange(start, start + n, dtype=np.int64)


def nearest(ids: Ids, vectors: Vectors, query: Vectors, k: int) -> list[int]:
    """Among rows as the index keeps them, in half precision."""
    cosines = vectors.astype(np.float16).astype(np.float32) @ query
    return [int(ids[place]) for place in np.argsort(-cosines, kind="stable")[:k]]


def numbers(found: Found) -> list[int]:
    return [number for number, _ in found]
