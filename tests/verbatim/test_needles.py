"""What is looked for as it stands: every line that has it, no other, and in bounded time."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import InvalidRequest
from rag.verbatim.demands import ANYWHERE, read
from rag.verbatim.folding import folded, grams
from rag.verbatim.needles import Expression, Literal


def never() -> bool:
    return False


TEXT = "def getName(self):\r\n    return 'Übung: 42 %'\n\nx = get_name()  # GETNAME\n"


@pytest.mark.parametrize(
    ("wanted", "lines"),
    [
        ("getName", [1]),
        ("getname", [1, 4]),  # no capital: any case
        ("GETNAME", [4]),
        ("übung: 42 %", [2]),
        ("self):\n    return", [1]),  # where it begins; however its lines end
        ("nowhere", []),
        (".*", []),
    ],
)
def test_a_literal_is_found_in_its_lines(wanted: str, lines: list[int]) -> None:
    assert Literal(wanted).lines(TEXT, never) == lines


@pytest.mark.parametrize(
    ("wanted", "lines"),
    [
        (r"get_?name\(", [1, 4]),
        (r"^\s*return\b", [2]),
        (r"[^x]+42 %'$", [2]),
        (r"\d+", [2]),
        ("GETNAME$", [4]),
        (r"\)$", []),
        ("(def|x) .*get", [1, 4]),
        ("z*", [1, 2, 4]),
    ],
)
def test_an_expression_is_matched_line_by_line(wanted: str, lines: list[int]) -> None:
    assert Expression(wanted).lines(TEXT, never) == lines


@pytest.mark.parametrize("wanted", ["(", "(?=a)b", r"(a)\1", "a{900}{9}", "a" * 301, "*"])
def test_what_cannot_be_matched_in_linear_time_is_refused(wanted: str) -> None:
    with pytest.raises(InvalidRequest):
        Expression(wanted)


def test_white_space_alone_is_not_looked_for() -> None:
    with pytest.raises(InvalidRequest, match="white space"):
        Literal(" \n")


@pytest.mark.parametrize("wanted", [r"(x+x+)+y", r"(.*)*=(.*)*!", r"(\w+\s?)+\$!", r"([^y]|x)+y"])
def test_expressions_that_explode_elsewhere_take_no_time(wanted: str) -> None:
    before = time.process_time()

    assert Expression(wanted).lines("x" * 5_000 + "\n" + "x " * 2_000, never) == []
    assert time.process_time() - before < 2  # a backtracking matcher would take years


def test_a_search_ends_when_its_time_is_over() -> None:
    with pytest.raises(TimeoutError):
        Expression("a+").lines("a\n", lambda: True)


@pytest.mark.parametrize(
    ("expression", "demanded"),
    [
        ("connection was reset", [{"connection was reset"}]),
        (r"(get|set)_name\(", [{"get", "_name("}, {"set", "_name("}]),
        ("colou?r", [{"colo", "r"}]),
        ("ab+c", [{"ab", "c"}]),
        ("a(bcd)*e(fgh)+i", [{"a", "e", "fgh", "i"}]),
        (r"foo\.bar[xyz]baz", [{"foo.bar", "baz"}]),
        ("x{0,3}yz{2}", [{"yz"}]),
        ("foo|bar", [{"foo"}, {"bar"}]),
        ("[]abc]def[[:alpha:]x]ghi", [{"def", "ghi"}]),
        ("(?i:Foo)bar", [{"Foo", "bar"}]),
        ("(?P<name>foo)", [{"foo"}]),
    ],
)
def test_an_expression_demands_what_all_its_matches_have(
    expression: str, demanded: list[set[str]]
) -> None:
    assert list(map(set, read(expression).demands)) == demanded


@pytest.mark.parametrize(
    "expression", [".*", r"\d+", "(?x) a b", r"\x41bc", "a|", "(|abc)", "[a-c]"]
)
def test_nothing_is_demanded_where_nothing_is_certain(expression: str) -> None:
    assert any(way == frozenset() for way in read(expression).demands)


PIECES = st.sampled_from(["ab", "b+", "(ab|c)", "c?", "[ab]", ".", r"\w", "(a|bc)*", "a{2}", r"\+"])


@given(st.lists(PIECES, min_size=1, max_size=6).map("".join), st.text("abc+", max_size=40))
def test_whatever_is_matched_has_what_was_demanded(expression: str, text: str) -> None:
    match = re.search(expression, text)

    lines = Expression(expression).lines(text, never)
    assert bool(lines) == (match is not None and text != "")
    if match is not None:
        assert any(all(p in match[0] for p in way) for way in read(expression).demands)


def test_letters_lose_their_case_one_for_one() -> None:
    assert folded("ΌΔΟΣ İ") == "όδοσ i\N{COMBINING DOT ABOVE}"
    assert grams("aBcD") == {"abc", "bcd"}
    assert grams("ab") == set()
    assert read("ab").demands != ANYWHERE
