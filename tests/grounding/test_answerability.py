"""What tells that a question is answered, and how near a sentence comes to it without its topic."""

import numpy as np
import pytest
from msgspec.structs import replace

from rag.grounding.answerability import (
    ACROSS_DOCUMENTS,
    OTHER_LANGUAGES,
    WITHIN_DOCUMENT,
    Signs,
    Weights,
    log_odds,
    weights_for,
)
from rag.grounding.likeness import Likeness, likeness

NOTHING = Signs(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, unheard=False)


def unit(*values: float) -> list[float]:
    length = sum(value * value for value in values) ** 0.5
    return [value / length for value in values]


def near(question: list[float], piece: list[float], topic: list[float]) -> Likeness:
    asked, said, titled = (np.array([each], np.float32) for each in (question, piece, topic))
    return likeness(asked, said, titled)


def test_a_sentence_that_only_shares_the_topic_is_near_and_not_beyond_it() -> None:
    topic, asked = unit(1, 0, 0), unit(1, 1, 0)

    only_topic = near(asked, unit(1, 0, 1), topic)
    answers = near(asked, unit(1, 1, 1), topic)

    assert only_topic.cosines[0] == pytest.approx(0.5)
    assert only_topic.beyond[0] == pytest.approx(0.0, abs=1e-6)
    assert answers.beyond[0] == pytest.approx(0.5**0.5)  # of (1, 0) with (1, 1)


def test_a_topic_that_says_nothing_takes_nothing_away() -> None:
    alike = near(unit(1, 1, 0), unit(1, 0, 0), unit(0, 0, 1))

    assert alike.beyond == pytest.approx(alike.cosines)


def test_a_sentence_that_is_its_title_has_nothing_beyond_it() -> None:
    title = unit(1, 2, 3)

    assert near(unit(1, 1, 1), title, title).beyond[0] == pytest.approx(0.0, abs=1e-3)


def test_likeness_of_some_pieces_keeps_their_order() -> None:
    alike = Likeness((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))

    assert alike.of([2, 0]) == Likeness((0.3, 0.1), (0.6, 0.4))


@pytest.mark.parametrize("weights", [ACROSS_DOCUMENTS, WITHIN_DOCUMENT, OTHER_LANGUAGES])
def test_no_sign_is_a_refusal_and_all_signs_are_an_answer(weights: Weights) -> None:
    everything = Signs(0.8, 0.7, 0.9, 0.3, 0.8, 0.9, unheard=False)

    assert log_odds(NOTHING, weights) < 0 < log_odds(everything, weights)


def test_what_is_unheard_of_speaks_against_an_answer() -> None:
    signs = Signs(0.6, 0.5, 0.8, 0.2, 0.5, 0.6, unheard=False)

    strange = replace(signs, unheard=True)

    assert log_odds(strange, ACROSS_DOCUMENTS) == log_odds(signs, ACROSS_DOCUMENTS) - 1.0


@pytest.mark.parametrize(
    ("question", "within", "weights"),
    [
        ("When was the bridge opened?", False, ACROSS_DOCUMENTS),
        ("When was the bridge opened?", True, WITHIN_DOCUMENT),
        ("Wann wurde die Brücke eröffnet?", True, OTHER_LANGUAGES),
    ],
)
def test_signs_weigh_otherwise_in_one_document_and_in_other_languages(
    question: str, within: bool, weights: Weights
) -> None:
    assert weights_for(question, within_document=within) is weights
