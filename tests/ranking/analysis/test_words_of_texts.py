"""Documents and questions become words in the same way, in every script."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.ranking.analysis.words import MAX_QUERY_WORDS, MAX_WORD, query_words, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Plain words, twice twice.", ["Plain", "words", "twice", "twice"]),
        # compounds are found by each part, and whole, however they are written
        ("IL-2", ["IL", "2", "IL2"]),
        ("state-of-the-art", ["state", "of", "the", "art", "stateoftheart"]),
        ("well-known wellknown", ["well", "known", "wellknown", "wellknown"]),
        # so are names from code
        ("getUserName", ["get", "User", "Name", "getUserName"]),
        ("parseHTTPReply", ["parse", "HTTP", "Reply", "parseHTTPReply"]),
        ("snake_case_2", ["snake", "case", "2", "snakecase2"]),
        ("foo.bar_baz()", ["foo", "bar", "baz", "foobarbaz", "barbaz"]),
        ("__init__", ["init"]),
        ("U.S.A.", ["U", "S", "A", "USA"]),
        ("C++, F# and C", ["C++", "F#", "and", "C"]),
        # numbers stay whole, however they are grouped
        ("3.14 3,14", ["3.14", "3.14"]),
        ("1,234.5 1.234,5 1234.5", ["1234.5", "1234.5", "1234.5"]),
        ("1,234,567", ["1234567"]),
        ("1,234", ["1.234", "1234"]),
        ("v1.2.3 1.2.3", ["1.2.3", "1.2.3", "1", "2", "3", "1", "2", "3"]),
        ("2.5mg", ["2.5", "mg"]),
        ("10² 10⁻³ m²", ["10", "2", "10", "3", "m", "2", "m2"]),
        ("2018-12-31", ["2018", "12", "31", "20181231"]),
        # what hangs on a word is no word
        ("Ohm's don't we'll l'homme", ["Ohm", "don", "we", "l", "homme"]),
        # scripts without spaces: pairs, and each Han character
        ("東京大学", ["東京", "京大", "大学", "東", "京", "大", "学"]),
        ("と", ["と"]),
        ("한국어를", ["한국", "국어", "어를"]),
        ("漢字ABC交じり", ["漢字", "ABC", "交じ", "じり", "漢", "字", "交"]),
        # pairs of clusters where letters are letters
        ("ภาษาไทย", ["ภาษา", "ษาไท", "ไทย"]),
        ("ພາສາລາວ", ["ພາສາ", "ສາລາ", "ລາວ"]),
        ("ភាសាខ្មែរ", ["ភាសា", "សាខ្មែ", "ខ្មែរ"]),
        ("မြန်မာ", ["မြန်မာ"]),
        # vowel marks belong to their word, composed or not
        ("हिन्दी किताब", ["हिन्दी", "किताब"]),
        ("cafe\u0301", ["café"]),
        # widths and ligatures fold
        ("ＡＢＣ ﬁne", ["ABC", "fine"]),
        ("", []),
        ("…!? \ud800", []),
    ],
)
def test_words_of(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_a_question_drops_stop_words_and_repetitions() -> None:
    assert query_words("What is the capital of the Capital region?") == ["capital", "region"]


def test_a_question_of_stop_words_alone_keeps_them() -> None:
    assert query_words("To be or not to be") == ["to", "be", "or", "not"]


def test_a_question_has_no_more_words_than_a_search_can_bear() -> None:
    assert len(query_words(" ".join(f"w{i}x" for i in range(10_000)))) == MAX_QUERY_WORDS


@given(st.text())
def test_any_text_becomes_words_without_white_space_and_of_bounded_length(text: str) -> None:
    for word in words(text):
        assert word == "".join(word.split())
        assert 0 < len(word) <= MAX_WORD


@pytest.mark.parametrize("unit", ["a", "aB", "a.b-", "中", "1,", "_", "é'", "-", "A"])
def test_time_is_linear_in_length(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        started = time.process_time()
        words(text)
        return time.process_time() - started

    assert min(seconds(80_000) for _ in range(3)) < 8 * max(seconds(20_000), 0.01)
