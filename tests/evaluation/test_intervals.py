"""Intervals hold what they promise."""

import numpy as np
import pytest

from rag.evaluation.intervals import bootstrap, hidden, interval


def test_an_interval_holds_the_true_mean_in_about_95_of_100_sets() -> None:
    generator = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        low, high = interval(list(generator.random(60)))
        held += low <= 0.5 <= high

    assert 180 <= held <= 199


def test_the_same_seed_gives_the_same_interval() -> None:
    scores = [0.0, 1.0, 0.5, 0.25, 1.0]

    assert interval(scores, seed=3) == interval(scores, seed=3)


def test_columns_are_drawn_together_so_equal_ones_have_equal_intervals() -> None:
    scores = np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 0.5]])

    first, second = bootstrap(scores)
    assert first == second


def test_a_set_without_a_failure_does_not_promise_that_there_is_none() -> None:
    low, high = interval([1.0] * 100)

    assert high == 1
    assert low == pytest.approx(1 - 3 / 100, abs=0.001)  # the rule of three


def test_nor_does_one_without_a_success() -> None:
    assert interval([0.0] * 10) == (0, hidden(10))
