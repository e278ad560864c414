from msgspec import Struct

from rag.api.docstrings import attribute_docs


class Plain(Struct):
    """Of the class, not of an attribute."""

    first: int
    """The first,
    on two lines."""
    second: int = 2
    third: int = 3
    """The third."""


class Derived(Plain):
    third: int = 4
    """Another third."""
    fourth: int = 5


def test_the_string_below_an_attribute_is_its_documentation() -> None:
    assert attribute_docs(Plain) == {"first": "The first, on two lines.", "third": "The third."}


def test_documentation_is_inherited_and_may_be_replaced() -> None:
    assert attribute_docs(Derived) == {
        "first": "The first, on two lines.",
        "third": "Another third.",
    }
