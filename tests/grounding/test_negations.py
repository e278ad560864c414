"""No is not yes."""

import pytest

from rag.grounding.negations import contradicts, negations


@pytest.mark.parametrize(
    "text",
    [
        "It is not so.",
        "It isn't so.",
        "They cannot.",
        "Without it.",
        "Das ist nicht so.",
        "Es gibt keinen Grund.",
        "Il ne fume pas.",
        "Nunca llueve.",
        "это не так",
        "这不是",
        "知らない",
        "ليس كذلك",
    ],
)
def test_each_language_says_no_once(text: str) -> None:
    assert negations(text) == 1


@pytest.mark.parametrize("text", ["See No. 5 and no 7.", "a knot, a note, another", "Norwegian"])
def test_a_number_and_a_knot_are_no_negation(text: str) -> None:
    assert negations(text) == 0


@pytest.mark.parametrize(
    ("claim", "shown"),
    [
        ("Sales rose in Europe.", "Sales did not rise in Europe."),
        ("Sales did not rise in Europe.", "Sales rose in Europe."),
        (
            "The drug is safe for children.",
            "There is no evidence that the drug is safe for children",
        ),
        ("Sales rose.", "Sales did not, however, rise."),
        ("Das Mittel wirkt bei Kindern.", "Das Mittel wirkt bei Kindern nicht."),
    ],
)
def test_a_claim_that_turns_its_source_round_is_a_contradiction(claim: str, shown: str) -> None:
    assert contradicts(claim, [shown])


@pytest.mark.parametrize(
    ("claim", "shown"),
    [
        ("Sales rose by 5%.", "Sales rose by 5%, and the firm paid no dividend."),
        ("The plan is a non-binding plan.", "It is a non-binding, voluntary plan."),
        ("It is not safe for children.", "It isn't safe for children under 12."),
        ("Costs fell.", "Sales did not rise, but costs fell."),
    ],
)
def test_a_negation_about_something_else_is_none_of_its_business(claim: str, shown: str) -> None:
    assert not contradicts(claim, [shown])
