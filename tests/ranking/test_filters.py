"""Filters are a small language; its meaning is fixed here."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import InvalidRequest
from rag.ranking.filters import (
    MAX_DEPTH,
    And,
    Eq,
    Filter,
    Gt,
    Gte,
    In,
    Lt,
    Lte,
    Ne,
    Nin,
    Not,
    Or,
    bounded,
    matches,
)

REPORT = {"year": 2020, "kind": "report", "tags": ("a", "bc"), "draft": True, "gone": None}


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({"type": "eq", "key": "year", "value": 2020}, True),
        ({"type": "eq", "key": "year", "value": 2020.0}, True),
        ({"type": "eq", "key": "year", "value": "2020"}, False),
        ({"type": "eq", "key": "draft", "value": 1}, False),  # true is not 1
        ({"type": "eq", "key": "draft", "value": True}, True),
        ({"type": "eq", "key": "missing", "value": None}, True),  # missing equals null
        ({"type": "eq", "key": "gone", "value": None}, True),
        ({"type": "ne", "key": "missing", "value": 1}, True),
        ({"type": "ne", "key": "year", "value": 2020}, False),
        ({"type": "gt", "key": "year", "value": 2019}, True),
        ({"type": "gt", "key": "year", "value": 2020}, False),
        ({"type": "gte", "key": "year", "value": 2020}, True),
        ({"type": "lt", "key": "year", "value": 2020.5}, True),
        ({"type": "lte", "key": "year", "value": 2019}, False),
        ({"type": "gt", "key": "kind", "value": "queue"}, True),  # by code point
        ({"type": "gt", "key": "kind", "value": 1}, False),  # no order between types
        ({"type": "lt", "key": "missing", "value": 1}, False),
        ({"type": "gt", "key": "draft", "value": 0}, False),
        ({"type": "in", "key": "year", "values": [2019, 2020]}, True),
        ({"type": "in", "key": "missing", "values": [2019]}, False),
        ({"type": "in", "key": "year", "values": []}, False),
        ({"type": "nin", "key": "missing", "values": [2019]}, True),
        ({"type": "nin", "key": "year", "values": [2020]}, False),
        ({"type": "exists", "key": "year"}, True),
        ({"type": "exists", "key": "gone"}, False),
        ({"type": "contains", "key": "tags", "value": "bc"}, True),
        ({"type": "contains", "key": "tags", "value": "b"}, False),  # an element, not its part
        ({"type": "contains", "key": "kind", "value": "epo"}, True),
        ({"type": "contains", "key": "year", "value": "20"}, False),
        ({"type": "prefix", "key": "kind", "value": "rep"}, True),
        ({"type": "prefix", "key": "missing", "value": ""}, False),
        ({"type": "and", "filters": []}, True),
        ({"type": "or", "filters": []}, False),
        ({"type": "not", "filter": {"type": "exists", "key": "missing"}}, True),
    ],
)
def test_each_operator_means_what_the_design_says(filter: object, expected: bool) -> None:
    assert matches(msgspec.convert(filter, Filter), REPORT) is expected


@pytest.mark.parametrize(
    "filter",
    [
        {"type": "like", "key": "year", "value": 1},  # no such operator
        {"type": "eq", "key": "year", "value": 1, "or": 2},
        {"type": "eq", "key": "year"},
        {"type": "gt", "key": "year", "value": None},
        {"key": "year", "value": 1},
    ],
)
def test_what_is_not_a_filter_is_refused(filter: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(filter, Filter)


scalars = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.text("ab", max_size=2)
)
orderable = st.integers(-3, 3) | st.floats(-3, 3) | st.text("ab", max_size=2)
attributes = st.dictionaries(
    st.sampled_from("xyz"), scalars | st.lists(st.text("ab", max_size=2)).map(tuple)
)


@given(attributes, scalars)
def test_ne_and_nin_are_the_opposites_of_eq_and_in(given_attributes: dict, value: object) -> None:
    def holds(filter: Filter) -> bool:
        return matches(filter, given_attributes)

    assert holds(Ne("x", value)) is not holds(Eq("x", value))
    assert holds(Nin("x", (value,))) is not holds(In("x", (value,)))
    assert holds(In("x", (value,))) is holds(Eq("x", value))


@given(attributes, orderable)
def test_exactly_one_of_less_equal_and_greater_holds_between_comparable_values(
    given_attributes: dict, value: object
) -> None:
    def holds(filter: Filter) -> bool:
        return matches(filter, given_attributes)

    less, greater = holds(Lt("x", value)), holds(Gt("x", value))
    equal = holds(Lte("x", value)) and holds(Gte("x", value))

    assert less + greater + equal <= 1
    assert equal is holds(Eq("x", value))


def test_a_filter_as_deep_as_allowed_passes_and_one_deeper_does_not() -> None:
    filter: Filter = Eq("x", 1)
    for _ in range(MAX_DEPTH - 1):
        filter = Not(filter)

    assert bounded(filter) is filter
    with pytest.raises(InvalidRequest, match="deep"):
        bounded(Not(filter))


def test_a_filter_of_too_many_conditions_is_refused() -> None:
    conditions = tuple(Eq("x", i) for i in range(99))

    assert bounded(And(conditions))
    with pytest.raises(InvalidRequest, match="conditions"):
        bounded(Or((*conditions, Eq("x", 100))))
    with pytest.raises(InvalidRequest, match="conditions"):
        bounded(In("x", tuple(range(1_000))))
