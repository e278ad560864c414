"""Small segments in a folder of their own."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from dense_truth import OWNER, D, Put, Rows

from rag.domain import Vectors
from rag.storage.dense.scanning import Ids
from rag.storage.dense.segment import Segment, open_segment
from rag.storage.dense.writing import Span, write_segment


@pytest.fixture
def rows() -> Rows:
    """Rows of length 1, others at each call."""
    random = np.random.default_rng(7)

    def make(n: int) -> Vectors:
        vectors = random.standard_normal((n, D)).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    return make


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes rows as a segment and opens it."""

    def write(
        ids: Ids, vectors: Vectors, first: int = 1, last: int = 1, deleted: Iterable[int] = ()
    ) -> Segment:
        span = Span(OWNER, D, first, last, tuple(deleted))
        published = write_segment(tmp_path, [(ids, vectors)], span)
        return open_segment(tmp_path, published, owner=OWNER, dimension=D)

    return write
