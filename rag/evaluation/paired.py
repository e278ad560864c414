"""Two settings asked the same questions: is the difference between them real, or luck?"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from rag.evaluation.intervals import SEED, Interval, interval

ROUNDS = 10_000
"""Of the randomization test: a p of 0.05 is then known to within 0.005."""

AT_ONCE = 4_000_000  # signs held in memory

LEVEL = 0.05
"""Below this chance is ruled out: where two settings are alike, one test in twenty says otherwise
all the same."""

POWER = 2.8
"""Standard errors of a difference that is seen in four of five sets of this size."""


class Difference(Struct, frozen=True):
    """What `other` scores above `base`, on average over the questions both were asked."""

    measure: str
    base: str
    other: str
    questions: int
    base_mean: float
    other_mean: float
    mean: float
    interval: Interval
    p: float
    """How often chance alone would show a difference as large, in either direction."""
    wins: int
    """Questions on which the other is better."""
    losses: int
    visible: float
    """The least difference that so many questions mostly show."""

    @property
    def is_real(self) -> bool:
        return self.p < LEVEL


def paired(
    measure: str,
    base: tuple[str, Mapping[str, float]],
    other: tuple[str, Mapping[str, float]],
    *,
    seed: int = SEED,
) -> Difference:
    """
    Args:
        base, other: their names, and their scores by question; questions that only one was asked
            are left out.

    Raises:
        ValueError: they have no question in common.
    """
    both = [question for question in base[1] if question in other[1]]
    if not both:
        raise ValueError("the two have no question in common")
    one, two = ([scores[question] for question in both] for scores in (base[1], other[1]))
    apart = [b - a for a, b in zip(one, two, strict=True)]
    return Difference(
        measure,
        base[0],
        other[0],
        len(both),
        float(np.mean(one)),
        float(np.mean(two)),
        float(np.mean(apart)),
        _interval(apart, seed),
        randomization(apart, seed=seed),
        wins=sum(each > 0 for each in apart),
        losses=sum(each < 0 for each in apart),
        visible=POWER * float(np.std(apart, ddof=1)) / math.sqrt(len(both))
        if len(both) > 1
        else math.inf,
    )


def randomization(differences: Sequence[float], *, seed: int = SEED) -> float:
    """How often differences of these sizes, each with a sign thrown by a coin, have a mean as far
    from 0 as theirs: the p of a paired randomization test (Smucker, Allan and Carterette, CIKM
    2007). Never 0: the order that was seen counts as one throw.
    """
    apart = np.array([each for each in differences if each])
    seen = abs(apart.sum())
    generator = np.random.default_rng(seed)
    some = max(1, AT_ONCE // max(len(apart), 1))
    as_far = 0
    for start in range(0, ROUNDS, some):
        size = (min(some, ROUNDS - start), len(apart))
        signs = generator.integers(0, 2, size=size, dtype=np.int8) * 2 - 1
        as_far += int((np.abs(signs @ apart) >= seen - 1e-12).sum())
    return (as_far + 1) / (ROUNDS + 1)


def corrected(chances: Sequence[float]) -> list[float]:
    """Of several tests made together, so that one in twenty *families* is wrong (Holm, 1979)."""
    order = sorted(range(len(chances)), key=lambda n: chances[n])
    adjusted = [0.0] * len(chances)
    highest = 0.0
    for place, n in enumerate(order):
        highest = max(highest, min(1.0, (len(chances) - place) * chances[n]))
        adjusted[n] = highest
    return adjusted


def in_words(found: Difference) -> str:
    """Whether the difference is real, for a person."""
    better, worse = (found.other, found.base) if found.mean > 0 else (found.base, found.other)
    low, high = found.interval if found.mean > 0 else (-found.interval[1], -found.interval[0])
    over = f"over {found.questions:,} questions"
    if found.is_real:
        return (
            f"Real: {better} is better than {worse} by {abs(found.mean):.3f} {found.measure} (95 %"
            f" interval {low:.3f} to {high:.3f}, {chance(found.p)} {over})."
        )
    return (
        f"Not told from chance: {found.other} against {found.base} {found.mean:+.3f}"
        f" {found.measure} (95 % interval {found.interval[0]:+.3f} to {found.interval[1]:+.3f},"
        f" {chance(found.p)} {over}). So many questions mostly show a difference of"
        f" {found.visible:.3f} or more."
    )


def chance(p: float) -> str:
    """
    >>> chance(0.0001), chance(0.034), chance(0.5)
    ('p < 0.001', 'p = 0.034', 'p = 0.50')
    """
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def _interval(differences: Sequence[float], seed: int) -> Interval:
    """As of any mean; differences reach from -1 to 1, so those that are all alike are no proof of
    a bound, and give an interval of their own width."""
    if len(set(differences)) == 1:
        return (differences[0], differences[0])
    return interval(differences, seed=seed)
