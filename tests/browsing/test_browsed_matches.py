"""Words are found over the end of a line, expressions in each line, and neither without end."""

from time import monotonic

import pytest

from rag.browsing.matching import Lines, Matcher, Words
from rag.errors import InvalidRequest


def found(matcher: Matcher, text: str, at: int = 0) -> list[str]:
    return [text[start:end] for start, end in matcher.spans(text, at, lambda: False)]


def test_words_are_found_over_the_end_of_a_line_and_marks_are_only_marks() -> None:
    text = "Total (net)\n  sales were 5. Of (NET) sales"

    assert found(Words("(net) sales", is_caseless=False), text) == ["(net)\n  sales"]
    assert len(found(Words("(net) sales", is_caseless=True), text)) == 2
    assert found(Words("(net) sales", is_caseless=True), text, at=8) == ["(NET) sales"]


@pytest.mark.parametrize(
    ("expression", "text", "matches"),
    [
        (
            r"\bISO[- ]?\d{4,5}\b",
            "see ISO-9001 and ISO 27001\nISO 14001",
            ["ISO-9001", "ISO 14001"],
        ),
        ("net (sales|revenue)", "gross sales, net revenue", ["net revenue"]),
        (r"\bcat\b", "concat cat", ["cat"]),
        (r"\$\d+\.\d\d", "for $12.50.\r\n", ["$12.50"]),
        ("x*", "ab", ["ab"]),  # an empty match is no place: the line is
        ("^b", "ab\nba", ["b"]),
        ("zz", "abc", []),
    ],
)
def test_the_first_match_of_each_line_is_told_where_it_is(
    expression: str, text: str, matches: list[str]
) -> None:
    assert found(Lines(expression, is_caseless=False), text) == matches


def test_a_match_inside_another_word_is_not_taken_for_it() -> None:
    [(start, end)] = Lines(r"\bcat\b", is_caseless=False).spans("concat cat", 0, lambda: False)

    assert (start, end) == (7, 10)


def test_case_matters_only_where_it_shall() -> None:
    assert found(Lines("Net", is_caseless=True), "net") == ["net"]
    assert found(Lines("net", is_caseless=False), "NET") == []


@pytest.mark.parametrize("expression", ["(", r"(a)\1", "(?=a)", "a" * 400])
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(InvalidRequest):
        Lines(expression, is_caseless=True)


def test_white_space_alone_is_nothing_to_look_for() -> None:
    with pytest.raises(InvalidRequest):
        Words("  ", is_caseless=False)


@pytest.mark.parametrize("expression", ["(a*)*b", "(a|a)*b", "a*a*a*a*a*b"])
def test_no_expression_takes_longer_than_the_text_is_long(expression: str) -> None:
    """Trying back, these would take longer than the universe is old."""
    began = monotonic()

    assert found(Lines(expression, is_caseless=True), "\n".join(["a" * 500] * 100)) == []
    assert monotonic() - began < 10


@pytest.mark.parametrize("matcher", [Words("a", is_caseless=False), Lines("a", is_caseless=False)])
def test_when_time_is_up_it_says_so(matcher: Matcher) -> None:
    with pytest.raises(TimeoutError):
        list(matcher.spans("b\na\n" * 100, 0, lambda: True))
