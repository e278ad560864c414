"""Hits grow within their section, then to its neighbors, and never beyond the budget."""

from hypothesis import given
from hypothesis import strategies as st

from rag.domain import ChunkId, DocumentId, Hit
from rag.ranking.passages import Piece, Run, heading_of, runs

REPORT = DocumentId("report")
SECTIONS = ("A", "A", "A", "B", "B", "C")


def piece(n: int, section: str, tokens: int = 100) -> Piece:
    return Piece(ChunkId(f"c{n}"), 10 * n, 10 * n + 10, tokens, ("Report", section))


PIECES = {REPORT: [piece(n, section) for n, section in enumerate(SECTIONS)]}


def hit(n: int, score: float = 1.0) -> Hit:
    return Hit(ChunkId(f"c{n}"), REPORT, "", "", score, "", 10 * n, 10 * n + 10)


def spans(found: list[Run]) -> list[tuple[int, int]]:
    return [(run.first, run.last) for run in found]


def test_a_hit_alone_takes_what_follows_in_its_section_first() -> None:
    assert spans(runs([hit(1)], PIECES, 100)) == [(1, 1)]
    assert spans(runs([hit(1)], PIECES, 200)) == [(1, 2)]
    assert spans(runs([hit(1)], PIECES, 300)) == [(0, 2)]


def test_then_comes_what_stands_under_the_same_heading() -> None:
    assert spans(runs([hit(4)], PIECES, 400)) == [(2, 5)]
    assert spans(runs([hit(1)], PIECES, 10_000)) == [(0, 5)]


def test_hits_come_before_what_is_around_them() -> None:
    found = runs([hit(5, 0.9), hit(0, 0.8)], PIECES, 200)

    assert spans(found) == [(5, 5), (0, 0)]


def test_what_comes_to_touch_is_one_passage_with_the_better_score() -> None:
    [run] = runs([hit(3, 0.9), hit(1, 0.8)], PIECES, 400)

    assert (run.first, run.last, run.score) == (1, 4, 0.9)
    assert run.hits == ("c3", "c1")


def test_what_all_stand_below_is_the_heading() -> None:
    assert heading_of(PIECES[REPORT][:2]) == ("Report", "A")
    assert heading_of(PIECES[REPORT]) == ("Report",)


@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 400)), min_size=1, max_size=20),
    st.lists(st.integers(0, 19), unique=True, max_size=6),
    st.integers(0, 2_000),
)
def test_the_budget_is_kept_and_no_piece_comes_twice(
    cut: list[tuple[str, int]], chosen: list[int], budget: int
) -> None:
    pieces = [piece(n, section, tokens) for n, (section, tokens) in enumerate(cut)]
    hits = [hit(n, 1 - n / 100) for n in chosen if n < len(pieces)]
    found = runs(hits, {REPORT: pieces}, budget)

    places = [n for run in found for n in range(run.first, run.last + 1)]
    assert len(places) == len(set(places))
    assert sum(pieces[n].tokens for n in places) <= budget
    assert all(other.last + 1 < run.first or run.last + 1 < other.first
               for run in found for other in found if run is not other)  # fmt: skip
    fitting = {f"c{n}" for n in places}
    assert {id for run in found for id in run.hits} <= fitting
