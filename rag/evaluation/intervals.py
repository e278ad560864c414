"""How far a mean over questions may be from that over all questions like them."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Interval: TypeAlias = tuple[float, float]
"""Low and high end."""

Scores: TypeAlias = npt.NDArray[np.float64]
"""(questions, measures), each from 0 to 1."""

RESAMPLES = 2_000
"""An interval's ends then move by less than a tenth of its width from seed to seed."""

SEED = 1

COVERAGE = 0.95

AT_ONCE = 4_000_000  # weights held in memory: 32 MB


def bootstrap(scores: Scores, *, seed: int = SEED) -> list[Interval]:
    """The 95 % interval of the mean of each column, by drawing questions with replacement and
    taking percentiles of the means (Efron, 1979). One draw serves all columns.

    Where every question has the same score there is nothing to draw: the other end is then as far
    off as chance could hide in so many questions (`hidden`).
    """
    n = len(scores)
    means = _means_of_draws(scores, np.random.default_rng(seed))
    tail = 100 * (1 - COVERAGE) / 2
    low, high = np.percentile(means, [tail, 100 - tail], axis=0)
    return [
        _widened(scores[:, column], n, (float(low[column]), float(high[column])))
        for column in range(scores.shape[1])
    ]


def interval(scores: Sequence[float], *, seed: int = SEED) -> Interval:
    """That of one measure's mean."""
    return bootstrap(np.array(scores, dtype=float)[:, None], seed=seed)[0]


def hidden(n: int) -> float:
    """The share of failures that so many questions in a row without one still leave possible.

    >>> round(hidden(59), 2)  # nearly 3 / n
    0.05
    """
    return float(1 - (1 - COVERAGE) ** (1 / n))


def _means_of_draws(scores: Scores, generator: np.random.Generator) -> Scores:
    n = len(scores)
    some = max(1, AT_ONCE // n)
    drawn = []
    for start in range(0, RESAMPLES, some):
        weights = generator.multinomial(n, np.full(n, 1 / n), size=min(some, RESAMPLES - start))
        drawn.append(weights @ scores / n)
    return np.concatenate(drawn)


def _widened(scores: Scores, n: int, found: Interval) -> Interval:
    if (scores == 1).all():
        return (1 - hidden(n), 1.0)
    if (scores == 0).all():
        return (0.0, hidden(n))
    return found
