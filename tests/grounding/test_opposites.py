"""A claim that says the opposite of its quotation is told from one that says the same in others'
words."""

import pytest

from rag.grounding.opposites import opposed


@pytest.mark.parametrize(
    ("claim", "proof", "words"),
    [
        ("Sales fell in May.", "In May, sales rose by a tenth.", ("fell",)),
        ("It lies above the river.", "It lies below the river.", ("above",)),
        ("The drug activates it.", "It is inhibited, for the drug inhibits it.", ("activates",)),
        ("Der Umsatz ist gesunken.", "Der Umsatz ist um 5 % gestiegen.", ("gesunken",)),
        ("El precio disminuyó.", "El precio aumentó mucho.", ("disminuyó",)),
    ],
)
def test_the_opposite_of_what_is_quoted_is_named(
    claim: str, proof: str, words: tuple[str, ...]
) -> None:
    assert opposed(claim, proof) == words


@pytest.mark.parametrize(
    ("claim", "proof"),
    [
        ("Sales grew in May.", "In May, sales rose by a tenth."),
        ("Sales rose in May.", "Sales rose in May after they fell in April."),
        ("Costs fell in May.", "Costs shrank in May while sales rose."),  # it has its own side too
        ("It opened in 1998.", "It was opened in 1998 and closed in 2004."),
        ("A cat sat there.", "A cat was sitting there."),
    ],
)
def test_another_word_for_the_same_is_not(claim: str, proof: str) -> None:
    assert opposed(claim, proof) == ()
