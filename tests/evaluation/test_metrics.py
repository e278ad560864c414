"""Measures as arithmetic."""

from math import log2

import pytest

from rag.evaluation.metrics import distinct, hit_rate, mrr, ndcg, recall


def test_ndcg_discounts_by_the_logarithm_of_the_rank() -> None:
    ranking = ["wrong", "a", "b"]

    score = ndcg(ranking, {"a": 1, "b": 1})

    assert score == pytest.approx((1 / log2(3) + 1 / log2(4)) / (1 / log2(2) + 1 / log2(3)))


def test_ndcg_of_the_best_possible_order_is_one() -> None:
    assert ndcg(["best", "good"], {"good": 1, "best": 2}) == 1


def test_ndcg_knows_grades() -> None:
    assert ndcg(["good", "best"], {"good": 1, "best": 2}) == pytest.approx(
        (1 / log2(2) + 2 / log2(3)) / (2 / log2(2) + 1 / log2(3))
    )


def test_ndcg_looks_no_further_than_k() -> None:
    assert ndcg(["wrong", "wrong too", "a"], {"a": 1}, k=2) == 0


def test_ndcg_asks_no_more_than_k_relevant_ids_of_k_places() -> None:
    assert ndcg(["a"], {"a": 1, "b": 1, "c": 1}, k=1) == 1


def test_recall_is_the_share_found() -> None:
    assert recall(["a", "wrong", "b", "c"], {"a": 1, "b": 1, "c": 1, "d": 1}, k=3) == 2 / 4


@pytest.mark.parametrize(
    ("ranking", "score"),
    [
        (["a", "b"], 1),
        (["wrong", "b", "a"], 1 / 2),  # the first relevant one counts
        (["wrong", "wrong too", "a"], 0),  # beyond k
        ([], 0),
    ],
)
def test_mrr_is_one_over_the_first_relevant_rank(ranking: list[str], score: float) -> None:
    assert mrr(ranking, {"a": 1, "b": 1}, k=2) == score


@pytest.mark.parametrize("measure", [ndcg, recall, mrr, hit_rate])
def test_a_question_without_judgments_scores_nothing(measure: type[float]) -> None:
    assert measure(["a"], {}) == 0


def test_a_document_keeps_the_rank_of_its_best_chunk() -> None:
    assert distinct(["b", "a", "b", "c", "a"]) == ["b", "a", "c"]


def test_a_hit_is_any_relevant_id_among_the_first_k() -> None:
    assert hit_rate(["wrong", "a"], {"a": 1, "b": 1}, k=2) == 1
    assert hit_rate(["wrong", "a"], {"a": 1, "b": 1}, k=1) == 0
