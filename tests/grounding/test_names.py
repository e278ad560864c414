"""Names are capitalized where an ordinary word is not, or are no ordinary words at all."""

import pytest

from rag.grounding.names import names


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The head of Siemens is Roland Busch.", ["Siemens", "Roland", "Busch"]),
        ("It was NASA's read_file in version v2.1.", ["NASA", "read_file", "v2.1"]),
        ("It was COVID-19 and H2O.", ["COVID-19", "H2O"]),
        ("In 2019, 5kg of it were there, on the 3rd.", []),
        ("However, this is so. The end.", []),
        ("東京のGDPは大きい。", ["GDP"]),
    ],
)
def test_names_stand_out(text: str, found: list[str]) -> None:
    assert [name.text for name in names(text)] == found


def test_the_first_word_of_a_sentence_may_be_any_word() -> None:
    assert [(name.text, name.kind) for name in names('Sales rose. "Google fell.')] == [
        ("Sales", "first"),
        ("Google", "first"),
    ]


def test_a_german_noun_may_be_any_noun() -> None:
    assert {name.kind for name in names("Der Umsatz der Firma ist gestiegen.")} == {"noun"}
