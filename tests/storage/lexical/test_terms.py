"""Remembering what pieces of a text become changes nothing of what it becomes."""

from hypothesis import given
from hypothesis import strategies as st

from rag.ranking.analysis import MEMORABLE, words
from rag.storage.lexical.terms import Folded, as_they_are, terms_of

TEXTS = st.text() | st.text("aB1é '’.,-\n\t\u0308\u3000ß中ไ_²\u0338\"!|", max_size=40)


@given(TEXTS)
def test_a_text_becomes_what_its_words_become(text: str) -> None:
    assert terms_of(text) == Folded().of(words(text))
    assert terms_of(text) == terms_of(text)


@given(TEXTS)
def test_an_index_takes_terms_as_they_are(text: str) -> None:
    terms = terms_of(text)

    assert as_they_are().analyze(" ".join(terms)) == list(terms)


def test_terms_are_folded() -> None:
    assert terms_of("The Running-Shoes of École") == (
        *("the", "runningsho", "run", "shoe"),
        *("of", "ecol"),
    )


def test_what_is_remembered_has_a_bound() -> None:
    folded = Folded(most=3)
    became = [folded[piece] for piece in ("one", "two", "three", "four", "four")]

    assert became == [("one",), ("two",), ("three",), ("four",), ("four",)]
    assert list(folded) == ["four"]


def test_a_long_piece_is_not_remembered() -> None:
    folded, piece = Folded(), "x" * (MEMORABLE + 1)

    assert folded[piece] == (piece,)
    assert not folded
