"""Filters as people write them become filters as the API takes them."""

from typing import Any

import msgspec
import pytest

from rag.cli.filtering import parse_filters
from rag.errors import InvalidRequest
from rag.ranking.filters import Filter, matches

DOCUMENT = {"year": 2020, "tags": ("bird", "sea gull"), "title": "a b", "file.modified": "2020-05"}


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("year = 2020", True),
        ("year == 2020", True),
        ("year='2020'", False),
        ("year>=2020 and year<2021", True),
        ("year != 2020 or tags contains bird", True),
        ("not year = 2020", False),
        ("not (year = 2020 and tags contains fish)", True),
        ("year = 1 and year = 2 or year = 2020", True),  # `and` binds closer
        ("year in (2019, 2020)", True),
        ("tags contains 'sea gull'", True),
        ('title begins "a "', True),
        ("draft exists", False),
        ("draft = null", True),
        ("file.modified > 2019", True),  # a text, as it is in every file
        ('{"type": "eq", "key": "year", "value": 2020}', True),
    ],
)
def test_a_filter_passes_what_it_says(text: str, passes: bool) -> None:
    parsed = msgspec.convert(parse_filters([text]), Filter)

    assert matches(parsed, DOCUMENT) is passes


def test_several_filters_hold_at_once() -> None:
    assert parse_filters([]) is None
    both: Any = parse_filters(["year = 1", "tags exists"])

    assert (both["type"], len(both["filters"])) == ("and", 2)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("year", "it ends where there should be a comparison"),
        ("year ~ 3", "'~' after 'year' is no comparison"),
        ("year = ", "it ends where there should be a value"),
        ("year = 1 tags", "what is meant by 'tags'"),
        ("(year = 1", "a ')' is missing"),
        ("= 3", "where a word should be"),
        ("title = 'open", "what is meant by"),
        ("{no json", "not JSON"),
        ("", "it ends where there should be the name"),
    ],
)
def test_what_cannot_be_understood_is_told(text: str, why: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse_filters([text])

    assert why in str(raised.value)
