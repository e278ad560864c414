"""How good a ranking is, against judgments of which ids are relevant and how much.

`ranking` is ids, best first; `relevant` maps an id to its gain, above 0. Each measure is one
question's, from 0 to 1; a set's figure is the mean over its questions.
"""

import math
from collections.abc import Iterable, Mapping, Sequence


def ndcg(ranking: Sequence[str], relevant: Mapping[str, float], *, k: int = 10) -> float:
    """Discounted gain of the first `k`, as a share of what the best possible order would gain.

    The discount at rank r is 1 / log2(r + 1) (Järvelin and Kekäläinen, TOIS 2002).
    """
    best = _discounted_gain(sorted(relevant.values(), reverse=True)[:k])
    gains = [relevant.get(id_, 0.0) for id_ in ranking[:k]]
    return _discounted_gain(gains) / best if best else 0.0


def _discounted_gain(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def recall(ranking: Sequence[str], relevant: Mapping[str, float], *, k: int = 10) -> float:
    """Share of the relevant ids that are among the first `k`."""
    return len(relevant.keys() & set(ranking[:k])) / len(relevant) if relevant else 0.0


def mrr(ranking: Sequence[str], relevant: Mapping[str, float], *, k: int = 10) -> float:
    """1 / rank of the first relevant id among the first `k`; 0 where there is none."""
    ranks = (rank for rank, id_ in enumerate(ranking[:k], start=1) if id_ in relevant)
    return 1 / next(ranks, math.inf)


def distinct(ids: Iterable[str]) -> list[str]:
    """Each id once, at its best rank: turns a ranking of chunks into one of their documents."""
    return list(dict.fromkeys(ids))


def hit_rate(ranking: Sequence[str], relevant: Mapping[str, float], *, k: int = 10) -> float:
    """1 where any relevant id is among the first `k`, else 0."""
    return float(not relevant.keys().isdisjoint(ranking[:k]))
