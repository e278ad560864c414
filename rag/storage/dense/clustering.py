"""Making the clusters of a segment, and measuring how far they have to be searched.

Runs in a process of its own, at a low priority: training takes minutes, cannot be interrupted, and
would take its share of each core from the questions asked meanwhile.
"""

import hashlib
import os
import sys
import threading
from pathlib import Path

import faiss
import msgspec
import numpy as np
from msgspec import Struct

from rag.storage.dense.clusters import Clusters
from rag.storage.dense.manifest import Probing
from rag.storage.dense.scanning import Positions, Rows, bitmap_of
from rag.storage.durable import write_durably

ROWS_FROM = 10_000
"""Fewer rows are scanned, which finds every one: 2.9 ms of CPU at a width of 1,024 (290 ns a row,
of which 200 are for reading it). Clusters of 8,000 took 0.6 ms, and 4 s to make."""
TRAINED_ON = 64  # rows for each list: more made no difference to recall
ROUNDS = 8  # of k-means, as above
STEP = 8_192  # rows at once: 32 MB at 1,024
ASKED = 200  # sampled rows that stand for questions: recall is known to 0.5 %
MEASURED = ((1.0, 10, 0.97), (1.0, 100, 0.95), (0.5, 10, 0.97), (0.1, 10, 0.97), (0.01, 10, 0.97))
"""Fractions of the rows allowed, how many nearest are looked for, and the recall that is asked of
the sample: 0.97, so that 0.95 holds for questions that are a little different. A hundred are
candidates for fusion, which asks less of the last: 0.97 took four times as many lists."""
WITHIN_LISTS = (0.98, 0.99, 1.0)  # of the nearest: how many lists are tried
FEWEST_CANDIDATES, MOST_CANDIDATES = 50, 1_600
WORTH_IT = 1_000  # rows allowed: fewer are fetched one by one in the time clusters take


class Made(Struct, frozen=True):
    """What the process says when it is done."""

    probing: tuple[Probing, ...]
    """Nothing where clusters are of no use for these rows."""
    sha256: str
    """Of the file, as it was in memory."""


def make_clusters(rows: Rows) -> tuple[bytes, tuple[Probing, ...]]:
    """A FAISS index of the rows, and how far to look in it; no probing where it is of no use."""
    random = np.random.default_rng(1)  # the same rows give the same clusters
    index = _trained(rows, random)
    for start in range(0, len(rows), STEP):
        index.add(rows[start : start + STEP].astype(np.float32))
    clusters = Clusters(index)
    asked = np.sort(random.choice(len(rows), min(ASKED, len(rows)), replace=False))
    measured = (_probing(rows, clusters, asked, *each) for each in MEASURED)
    probing = tuple(found for found in measured if found is not None)
    return faiss.serialize_index(index).tobytes(), probing


def _trained(rows: Rows, random: np.random.Generator) -> faiss.IndexIVFPQFastScan:
    """Four bits for each four numbers: as small as a bit for each (RaBitQ), and a third of its time
    on processors that count bits slowly; what it loses in precision, re-scoring gives back."""
    n, d = rows.shape
    lists = int(np.sqrt(n))
    per_code = next(width for width in (4, 2, 1) if d % width == 0)
    quantizer = faiss.IndexFlatL2(d)
    index = faiss.IndexIVFPQFastScan(quantizer, d, lists, d // per_code, 4, faiss.METRIC_L2)
    quantizer.this.disown()  # type: ignore[attr-defined]  # the stubs lack it
    index.own_fields = True
    index.cp.niter = index.pq.cp.niter = ROUNDS
    index.cp.max_points_per_centroid = TRAINED_ON
    sample = np.sort(random.choice(n, min(n, TRAINED_ON * lists), replace=False))
    index.train(rows[sample].astype(np.float32))
    return index


def _probing(
    rows: Rows, clusters: Clusters, asked: Positions, fraction: float, nearest: int, recall: float
) -> Probing | None:
    """The cheapest search with enough recall among every n-th row; None when none has it."""
    chosen = np.arange(0, len(rows), round(1 / fraction))
    if len(chosen) < WORTH_IT:
        return None
    truth = _nearest(rows, asked, chosen, nearest)
    is_chosen = np.zeros(len(rows), np.bool_)
    is_chosen[chosen] = True
    bitmap = None if fraction == 1.0 else bitmap_of(is_chosen)
    queries = rows[asked].astype(np.float32)
    needed = np.concatenate([clusters.ranks(q, t) for q, t in zip(queries, truth, strict=True)])
    tried = []
    for within_lists in WITHIN_LISTS:
        lists = int(np.quantile(needed, within_lists)) + 1
        ranks = [
            _ranks(clusters.nearest(query, MOST_CANDIDATES, lists, bitmap), row, near)
            for query, row, near in zip(queries, asked.tolist(), truth, strict=True)
        ]
        ranks_of_all = np.concatenate(ranks)
        if (candidates := _enough(ranks_of_all, recall)) is not None:
            share = round(float((ranks_of_all < candidates).mean()), 4)
            tried.append(Probing(fraction, lists, candidates, share, nearest))
    return min(tried, key=clusters.cost, default=None)


def _ranks(candidates: Positions, itself: int, near: Positions) -> Positions:
    """Of each of the nearest among the candidates, from 0; the row itself does not count."""
    candidates = np.compress(candidates != itself, candidates)
    is_near = candidates[:, None] == near[None, :]
    return np.where(is_near.any(axis=0), is_near.argmax(axis=0), 2 * MOST_CANDIDATES)


def _enough(ranks: Positions, recall: float) -> int | None:
    """As few candidates as give enough recall; None when the most do not."""
    for candidates in range(FEWEST_CANDIDATES, MOST_CANDIDATES + 1, FEWEST_CANDIDATES):
        if (ranks < candidates).mean() >= recall:
            return candidates
    return None


def _nearest(rows: Rows, asked: Positions, chosen: Positions, nearest: int) -> Positions:
    """The true neighbors of each row asked for among those chosen, itself left out."""
    queries = rows[asked].astype(np.float32)
    best = np.full((len(asked), nearest), -np.inf, np.float32)
    places = np.full((len(asked), nearest), -1, np.int64)
    for start in range(0, len(chosen), STEP):
        some = chosen[start : start + STEP]
        cosines = queries @ rows[some].astype(np.float32).T
        cosines[asked[:, None] == some[None, :]] = -np.inf
        best = np.concatenate([best, cosines], axis=1)
        places = np.concatenate([places, np.broadcast_to(some, cosines.shape)], axis=1)
        order = np.argpartition(-best, nearest, axis=1)[:, :nearest]
        best = np.take_along_axis(best, order, axis=1)
        places = np.take_along_axis(places, order, axis=1)
    return np.asarray(places)


def main() -> None:
    """Clusters for the rows in a file; what was made of them goes to standard output."""
    rows_file, clusters_file, dimension = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    os.nice(int(sys.argv[4]))
    faiss.omp_set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    rows = np.memmap(rows_file, np.float16, "r").reshape(-1, dimension)
    content, probing = make_clusters(rows)
    write_durably(clusters_file, content)
    made = Made(probing, hashlib.sha256(content).hexdigest())
    sys.stdout.write(msgspec.json.encode(made).decode())


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
