"""A boost adds what it says it adds, and nothing where nothing is known."""

from datetime import UTC, datetime

import pytest

from rag.domain import Attribute, ChunkId, DocumentId, Hit
from rag.errors import InvalidRequest
from rag.ranking.boosts import Boost, Matching, Recency, boosted, checked
from rag.ranking.filters import Eq, Filter, Not
from rag.ranking.merging import best_of, mean_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def hit(name: str, score: float, *found_by: str) -> Hit:
    id = DocumentId(name)
    return Hit(ChunkId(name), id, name, name, score, name, 0, 1, found_by=found_by)


def scores(boost: Boost, **values: Attribute) -> dict[str, float]:
    hits = [hit(name, 0.5) for name in values]
    attributes = {DocumentId(name): {"at": value} for name, value in values.items()}
    return {each.key: each.score for each in boosted(hits, [boost], attributes, NOW)}


def test_recency_halves_with_each_half_life() -> None:
    found = scores(
        Recency("at", half_life_days=365, weight=0.2),
        now="2026-01-01T00:00:00Z",
        year="2025-01-01",
        two_years=datetime(2024, 1, 2, tzinfo=UTC).isoformat(),
        future="2030-01-01",
        number=2025,
        unknown=None,
        word="yesterday",
        flag=True,
    )

    assert found == pytest.approx(
        {
            "now": 0.7,
            "future": 0.7,
            "year": 0.5 + 0.2 / 2,
            "number": 0.5 + 0.2 / 2,
            "two_years": 0.5 + 0.2 / 4,
            "unknown": 0.5,
            "word": 0.5,
            "flag": 0.5,
        }
    )


def test_what_matches_climbs_past_what_stood_less_far_before_it() -> None:
    hits = [hit("a", 0.80), hit("b", 0.76), hit("c", 0.70)]
    attributes = {DocumentId(name): {"kind": name} for name in "abc"}
    raised = boosted(hits, [Matching(Not(Eq("kind", "a")), weight=0.05)], attributes, NOW)

    assert [(each.key, round(each.score, 2)) for each in raised] == [
        ("b", 0.81),
        ("a", 0.80),
        ("c", 0.75),
    ]


def test_a_negative_weight_lowers() -> None:
    assert scores(Matching(Eq("at", 1), weight=-0.2), old=1, new=2) == {"new": 0.5, "old": 0.3}


def test_a_filter_in_a_boost_is_bounded() -> None:
    deep: Filter = Eq("a", 1)
    for _ in range(10):
        deep = Not(deep)

    with pytest.raises(InvalidRequest, match="levels deep"):
        checked([Matching(deep)])
    with pytest.raises(InvalidRequest, match="more than 8"):
        checked([Recency("a")] * 9)


def test_parts_give_a_chunk_its_best_score() -> None:
    merged = best_of([[hit("a", 0.9, "dense"), hit("b", 0.5)], [hit("b", 0.8, "words")]])

    assert [(each.key, each.score) for each in merged] == [("a", 0.9), ("b", 0.8)]
    assert merged[1].found_by == ("words",)


def test_variants_give_a_chunk_the_mean() -> None:
    merged = mean_of([[hit("a", 0.9), hit("b", 0.5)], [hit("b", 0.7)]])

    assert [(each.key, round(each.score, 2)) for each in merged] == [("b", 0.6), ("a", 0.45)]


def test_a_single_ranking_stays_as_it_is() -> None:
    ranking = [hit("b", 0.5), hit("a", 0.5)]

    assert best_of([mean_of([ranking])]) == ranking
