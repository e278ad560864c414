"""What a question asks for, and whether a sentence holds it."""

import pytest

from rag.grounding.asked import (
    Asked,
    asked,
    asks_for_several,
    holds,
    is_english,
    terms,
    unheard,
)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When did the bridge open?", "time"),
        ("In what year was it built?", "time"),
        ("Wann wurde die Brücke eröffnet?", "time"),
        ("¿Cuándo se abrió el puente?", "time"),
        ("How many people cross it?", "amount"),
        ("how much does it weigh", "amount"),
        ("What percentage of visitors pay?", "amount"),
        ("Wie viele Menschen überqueren sie?", "amount"),
        ("Who designed it?", "person"),
        ("Wer hat sie entworfen?", "person"),
        ("Where does it stand?", "place"),
        ("In which city does it stand?", "place"),
        ("who was king when the bridge opened", "person"),  # the first asks, the second tells
        ("Why is it blue?", "reason"),
        ("What was the cause of the fire?", "reason"),
        ("Warum ist sie blau?", "reason"),
        ("Is it blue?", "other"),  # yes or no: nothing is asked for but what it says itself
        ("whenever it opens, what happens?", "other"),  # not the word `when`
    ],
)
def test_the_kind_of_a_question(question: str, kind: Asked) -> None:
    assert asked(question) == kind


@pytest.mark.parametrize(
    ("kind", "sentence", "fits"),
    [
        ("time", "It opened in 1894.", True),
        ("time", "It opened on a Saturday.", True),
        ("time", "It opened to great applause.", False),
        ("amount", "About 40,000 people cross it.", True),
        ("amount", "Dozens of people cross it.", True),
        ("amount", "People cross it.", False),
        ("person", "It was designed by Horace Jones.", True),
        ("person", "Tower Bridge was designed by an architect.", False),  # named by the question
        ("person", "Someone designed it.", False),  # a capital only opens the sentence
        ("place", "It stands in London.", True),
        ("reason", "It is blue because the Queen liked it.", True),
        ("reason", "It was painted to prevent rust.", True),
        ("reason", "It is blue.", False),
        ("other", "It stands.", True),
    ],
)
def test_a_sentence_fits_when_it_holds_what_was_asked_for(
    kind: Asked, sentence: str, fits: bool
) -> None:
    assert holds(kind, sentence, "of Tower Bridge") == fits


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What are the parts of a bridge?", True),
        ("List the owners.", True),
        ("Which bridges are in London?", True),
        ("Welche Brücken gibt es?", True),
        ("What is the height of the bridge?", False),
        ("When was it listed?", False),
    ],
)
def test_whether_several_things_are_asked_for(question: str, expected: bool) -> None:
    assert asks_for_several(question) == expected


def test_terms_leave_out_how_something_is_asked() -> None:
    assert terms("What is the height of the tower?") == terms("tower height")[::-1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("opened", "opens"),
        ("opening", "open"),
        ("bridges", "bridge"),
        ("engineering", "engineer"),
        ("London's", "London"),
        ("Häuser", "häuser"),
    ],
)
def test_forms_of_a_word_are_one_term(one: str, other: str) -> None:
    assert terms(one) == terms(other)


@pytest.mark.parametrize(("one", "other"), [("1894", "1895"), ("car", "care"), ("3.14", "3.15")])
def test_different_words_stay_apart(one: str, other: str) -> None:
    assert terms(one) != terms(other)


def test_scripts_without_spaces_are_compared_by_pairs() -> None:
    assert terms("東京都") == ["東京", "京都"]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("when was the bridge opened", True),
        ("What does Der Spiegel say about it?", True),
        ("Wann wurde die Brücke eröffnet?", False),
        ("Was ist in der Kiste?", False),
        ("¿Cuándo se abrió el puente?", False),
        ("Kiedy otwarto most?", False),
        ("橋はいつ開通しましたか", False),
    ],
)
def test_the_small_words_of_a_question_tell_english(question: str, expected: bool) -> None:
    assert is_english(question) == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("When was the bridge in London opened?", False),
        ("When was the bridge in Paris opened?", True),
        ("How many boats passed in 1894?", False),
        ("How many boats passed in 1895?", True),
        ("When was London's bridge opened?", False),
        ("when was the bridge in paris opened", False),
        ("WHEN WAS THE BRIDGE IN PARIS OPENED", False),
        ("When Was The Bridge In Paris Opened", False),
    ],
)
def test_a_name_or_number_that_no_text_mentions_is_unheard(question: str, expected: bool) -> None:
    assert unheard(question, ["London:", "The bridge was opened in 1894."]) == expected
