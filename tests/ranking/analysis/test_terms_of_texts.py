"""Texts become terms by their language, and remembering pieces of them changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.ranking.analysis.terms import MEMORABLE, Remembered, term_of, terms_of
from rag.ranking.analysis.words import words

TEXTS = st.text() | st.text("aB1é '’.,-\n\t\u0308\u3000ß中ไ_²\u0338\"!|#+ـ", max_size=40)


@given(TEXTS)
def test_a_text_becomes_what_its_words_become(text: str) -> None:
    found = terms_of(text)
    expected = [term_of(word, found.language) for word in words(text)]

    assert sorted(found.text.split()) == sorted(filter(None, expected))
    assert found.text == " ".join(found.text.split())
    assert terms_of(text) == found


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("École", "ecoles", "fr"),
        ("Élèves", "eleves", "en"),
        ("Häuser", "Haus", "de"),
        ("Müller", "Mueller", "de"),
        ("Straße", "Strasse", "de"),
        ("educación", "educacion", "es"),
        ("книги", "Книга", "ru"),
        ("ёлка", "елка", "ru"),
        ("книжки", "книжка", "uk"),
        ("الكِتَابُ", "كتاب", "ar"),
        ("کتاب", "كتاب", "fa"),
        ("שָׁלוֹם", "שלום", "he"),
        ("किताबें", "किताब", "hi"),
        ("ΆΝΘΡΩΠΟΣ", "άνθρωποι", "el"),
        ("ISPARTA", "ısparta", "tr"),
        ("İZMİR", "izmir", "tr"),
        # words of another script than the text's
        ("houses", "house", "ru"),
        ("книги", "книга", "en"),
    ],
)
def test_forms_of_a_word_are_one_term(one: str, other: str, language: str) -> None:
    assert term_of(one, language) == term_of(other, language) != ""


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("Universität", "Universum", "de"),
        ("край", "кран", "ru"),
        ("كتاب", "كتب", "en"),
        ("universal", "universities", "en"),
    ],
)
def test_words_that_differ_stay_apart(one: str, other: str, language: str) -> None:
    assert term_of(one, language) != term_of(other, language)


def test_what_stands_beside_a_word_is_no_neighbor_of_the_next() -> None:
    assert terms_of("the well-known man").text == "the well known man wellknown"


def test_a_part_that_does_not_tell_is_in_the_language_around_it() -> None:
    assert terms_of("Umsätze 2018").language == "en"
    assert terms_of("Umsätze 2018", "de").text == "umsatz 2018"
    assert terms_of("This is what they have told us", "de").language == "en"


def test_pieces_that_did_not_come_again_are_forgotten() -> None:
    remembered = Remembered("en", most=2)
    became = [remembered[piece] for piece in ("apples", "pears", "plums", "apples", "nuts", "figs")]

    assert became == ["appl", "pear", "plum", "appl", "nut", "fig"]
    assert list(remembered) == ["nuts", "figs"]


def test_a_long_piece_is_not_remembered() -> None:
    remembered, piece = Remembered("en"), "x" * (MEMORABLE + 1)

    assert remembered[piece] == piece
    assert not remembered


@pytest.mark.parametrize("language", ["en", "de", "tr", "vi", "ru"])
def test_words_worked_out_together_are_what_they_are_alone(language: str) -> None:
    pieces = ["Straße", "ISPARTA", "naïve", "HÉROS", "2018", "don't", "(houses)", "a-well", "XML2"]
    together = Remembered(language)
    together.learn(pieces)

    assert {"ISPARTA", "naïve", "2018", "houses"} <= together.keys()
    assert [together[each] for each in pieces] == [Remembered(language)[each] for each in pieces]
