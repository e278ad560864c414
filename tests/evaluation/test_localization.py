"""Figures of cases whose files are known."""

import pytest

from rag.evaluation.localization import Found, arm_of, case_scores, differences


def test_a_case_is_found_where_all_its_files_are_among_the_first() -> None:
    found = [Found(path, 400) for path in ("a", "b", "c", "d", "e", "f")]
    scores = case_scores(found, ["b", "f"])

    assert (scores["acc@1"], scores["acc@5"], scores["acc@10"]) == (0, 0, 1)
    assert scores["mrr@10"] == 1 / 2


def test_what_fits_into_a_budget_is_read_in_its_order() -> None:
    found = [Found("a", 3_000), Found("b", 1_000), Found("c", 5_000), Found("d", 1)]
    scores = case_scores(found, ["b", "d"])

    assert scores["recall@1000_tokens"] == 1 / 2  # a and b are 4,000 characters
    assert scores["recall@2000_tokens"] == 1 / 2  # c does not fit, and d is behind it
    assert scores["recall@4000_tokens"] == 1


def test_settings_are_compared_case_by_case() -> None:
    hit, miss = (case_scores([Found(path, 1)], ["a"]) for path in ("a", "b"))
    words = arm_of("words", {str(n): miss for n in range(20)}, [1.0])
    hybrid = arm_of("hybrid", {str(n): hit for n in range(20)}, [2.0])
    [difference] = differences([words, hybrid])

    assert words.figures["acc@5"].mean == 0
    assert difference.mean == 1
    assert difference.is_real
    assert hybrid.latency_ms.p50 == pytest.approx(2)
