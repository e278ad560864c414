"""Two rankings become one: the arithmetic, and what happens when a leg is missing."""

import pytest

from rag.domain import Candidate, ChunkId, Ranked
from rag.ranking.fusion import fuse, reciprocal_rank


def candidate(
    name: str,
    *,
    dense: float | None = None,
    words: float | None = None,
    dense_rank: int | None = None,
    words_rank: int | None = None,
    plain: float | None = None,
) -> Candidate:
    return Candidate(ChunkId(name), dense, words, dense_rank, words_rank, plain)


def order(hits: list[Ranked]) -> list[str]:
    return [hit.chunk_id for hit in hits]


def test_a_score_is_the_weighted_sum_of_both_legs_shares() -> None:
    hits = fuse(
        [
            candidate("a", dense=0.8, words=2.0),
            candidate("b", dense=0.4, words=10.0),
            candidate("c", dense=-1.0, words=5.0),
        ],
        dense_weight=0.6,
    )

    assert [(hit.chunk_id, hit.score) for hit in hits] == [
        ("b", pytest.approx(0.6 * 1.4 / 2 + 0.4 * 10 / 10)),
        ("a", pytest.approx(0.6 * 1.8 / 2 + 0.4 * 2 / 10)),
        ("c", pytest.approx(0.6 * 0 / 2 + 0.4 * 5 / 10)),
    ]


def test_a_chunk_the_words_leg_missed_has_no_share_there() -> None:
    hits = fuse(
        [candidate("found", dense=0.6, words=9.0), candidate("missed", dense=0.8)],
        dense_weight=0.7,
    )

    assert [(hit.chunk_id, hit.score) for hit in hits] == [
        ("found", pytest.approx(0.7 * 1.6 / 2 + 0.3)),
        ("missed", pytest.approx(0.7 * 1.8 / 2)),
    ]


def test_an_undecided_dense_leg_leaves_the_choice_to_the_words() -> None:
    """All cosines lie within 0.02, as they do in a language the model has not learned."""
    hits = fuse(
        [
            candidate("a", dense=0.31, words=3.0),
            candidate("b", dense=0.29, words=9.0),
            candidate("c", dense=0.30, words=6.0),
        ],
        dense_weight=0.8,
    )

    assert order(hits) == ["b", "c", "a"]


def test_words_that_no_chunk_says_leave_the_choice_to_meaning() -> None:
    """The best says a tenth of what one sentence of the question's own words would: chance."""
    found = [("a", 0.30, 2.0), ("b", 0.60, 1.0)]
    telling = [candidate(n, dense=d, words=w, plain=2.0) for n, d, w in found]
    chance = [candidate(n, dense=d, words=w, plain=20.0) for n, d, w in found]

    assert order(fuse(telling, dense_weight=0.7)) == ["a", "b"]
    assert [(hit.chunk_id, hit.score) for hit in fuse(chance, dense_weight=0.7)] == [
        ("b", pytest.approx(0.7 * 1.6 / 2 + 0.3 * 1 / 20)),
        ("a", pytest.approx(0.7 * 1.3 / 2 + 0.3 * 2 / 20)),
    ]


def test_a_chunk_that_says_every_word_more_than_once_has_the_whole_share() -> None:
    [hit] = fuse([candidate("all", words=9.0, plain=6.0)], dense_weight=0.7)

    assert hit.score == 1.0


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_without_vectors_the_words_order_stands_whatever_the_weight(weight: float) -> None:
    hits = fuse(
        [candidate("a", words=1.0), candidate("b", words=5.0), candidate("c", words=3.0)],
        dense_weight=weight,
    )

    assert order(hits) == ["b", "c", "a"]
    assert hits[0].score == 5.0 / 5.0


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_without_matching_words_the_dense_order_stands_whatever_the_weight(weight: float) -> None:
    hits = fuse(
        [candidate("a", dense=0.1), candidate("b", dense=0.5), candidate("c", dense=-0.3)],
        dense_weight=weight,
    )

    assert order(hits) == ["b", "a", "c"]
    assert hits[0].score == (0.5 + 1) / 2


def test_nothing_found_fuses_to_nothing() -> None:
    assert fuse([], dense_weight=0.5) == []


def test_ties_keep_the_order_of_chunk_ids() -> None:
    hits = fuse(
        [candidate(name, dense=0.5, words=2.0) for name in ("c", "a", "b")], dense_weight=0.5
    )

    assert order(hits) == ["a", "b", "c"]


@pytest.mark.parametrize("k", [0, 1, 3, 4, 5, 9])
def test_the_best_few_are_the_first_of_all(k: int) -> None:
    candidates = [candidate(name, dense=0.1 * (n % 3)) for n, name in enumerate("gfedcba")]

    assert fuse(candidates, dense_weight=0.5, k=k) == fuse(candidates, dense_weight=0.5)[:k]


def test_a_cosine_that_rounding_left_above_one_still_scores_one() -> None:
    [hit] = fuse([candidate("same text", dense=1.0000001)], dense_weight=1.0)

    assert hit.score == 1.0


def test_the_order_of_the_candidates_does_not_matter() -> None:
    candidates = [
        candidate("a", dense=0.9, words=2.0),
        candidate("b", dense=0.5, words=12.0),
        candidate("c", dense=0.2),
    ]

    assert fuse(candidates, dense_weight=0.5) == fuse(candidates[::-1], dense_weight=0.5)


def test_a_hit_says_which_legs_found_it() -> None:
    hits = fuse(
        [
            candidate("both", dense=0.9, words=2.0, dense_rank=1, words_rank=1),
            candidate("dense", dense=0.5, dense_rank=2),
            # its cosine is known, but it was not among the nearest
            candidate("words", dense=0.1, words=1.0, words_rank=2),
        ],
        dense_weight=0.5,
    )

    assert {hit.chunk_id: hit.found_by for hit in hits} == {
        "both": ("dense", "words"),
        "dense": ("dense",),
        "words": ("words",),
    }


def test_reciprocal_rank_adds_one_over_the_ranks() -> None:
    hits = reciprocal_rank(
        [
            candidate("dense only", dense_rank=1),
            candidate("both", dense_rank=3, words_rank=1),
        ],
        constant=60,
    )

    best = 1 / 61 + 1 / 61
    assert [(hit.chunk_id, hit.score) for hit in hits] == [
        ("both", pytest.approx((1 / 63 + 1 / 61) / best)),
        ("dense only", pytest.approx(1 / 61 / best)),
    ]
