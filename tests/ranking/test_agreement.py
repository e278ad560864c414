"""What two rankings have in common."""

from rag.ranking.agreement import Passage, overlap, ranks_in


def passages(*spans: tuple[str, int, int]) -> list[Passage]:
    return [Passage(*span) for span in spans]


def test_passages_are_the_same_where_they_share_text() -> None:
    one = passages(("a", 0, 10), ("b", 0, 10))
    other = passages(("b", 9, 20), ("a", 10, 20))

    assert ranks_in(other, one) == [None, 1]
    assert ranks_in(one, other) == [2, None]
    assert overlap(one, other) == 2 / 4


def test_the_same_ranking_overlaps_wholly_and_a_foreign_one_not_at_all() -> None:
    one = passages(("a", 0, 10), ("a", 10, 20))

    assert overlap(one, one) == 1
    assert overlap(one, passages(("c", 0, 10))) == 0
    assert overlap([], []) == 1


def test_coarser_passages_find_all_of_the_finer_ones() -> None:
    fine = passages(("a", 0, 5), ("a", 5, 10))
    coarse = passages(("a", 0, 10))

    assert ranks_in(coarse, fine) == [1, 1]
    assert overlap(fine, coarse) == 1
