"""Differences that are real are told from luck."""

import numpy as np
import pytest

from rag.evaluation.paired import corrected, in_words, paired, randomization


def scores(values: list[float]) -> dict[str, float]:
    return {str(n): value for n, value in enumerate(values)}


def test_three_wins_and_no_loss_are_luck_in_a_quarter_of_all_cases() -> None:
    """All three signs alike: 2 of 8 throws."""
    assert randomization([0.1, 0.1, 0.1]) == pytest.approx(2 / 8, abs=0.02)


def test_settings_that_score_alike_on_every_question_do_not_differ() -> None:
    assert randomization([0.0, 0.0]) == 1


def test_luck_is_called_real_in_one_of_twenty_cases() -> None:
    generator = np.random.default_rng(1)
    said = sum(randomization(list(generator.normal(size=30))) < 0.05 for _ in range(200))

    assert 3 <= said <= 20


def test_a_difference_counts_only_questions_that_both_were_asked() -> None:
    found = paired(
        "ndcg@10", ("a", {"x": 0.0, "y": 0.5, "z": 1.0}), ("b", {"x": 1.0, "y": 0.5, "w": 0.0})
    )

    assert found.questions == 2
    assert found.mean == (1.0 + 0.0) / 2
    assert (found.wins, found.losses) == (1, 0)


def test_nothing_in_common_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="no question in common"):
        paired("ndcg@10", ("a", {"x": 1.0}), ("b", {"y": 1.0}))


def test_a_clear_difference_is_called_real_and_names_the_better_one() -> None:
    found = paired("ndcg@10", ("old", scores([0.2, 0.3] * 30)), ("new", scores([0.6, 0.5] * 30)))

    assert found.is_real
    assert in_words(found).startswith("Real: new is better than old by 0.300 ndcg@10")


def test_and_a_worse_one_is_named_the_other_way_round() -> None:
    found = paired("ndcg@10", ("old", scores([0.6, 0.5] * 30)), ("new", scores([0.2, 0.3] * 30)))

    assert in_words(found).startswith("Real: old is better than new by 0.300 ndcg@10")


def test_noise_is_called_chance_and_says_what_would_have_been_seen() -> None:
    one = [0.0, 1.0] * 20
    found = paired("mrr@10", ("old", scores(one)), ("new", scores([*one[1:], 0.0])))

    assert not found.is_real
    assert "Not told from chance" in in_words(found)
    assert found.visible == pytest.approx(2.8 * 1 / np.sqrt(40), rel=0.05)


def test_of_many_tests_the_smallest_chance_is_multiplied_by_their_number() -> None:
    assert corrected([0.01, 0.04, 0.03]) == pytest.approx([3 * 0.01, 2 * 0.03, 2 * 0.03])
