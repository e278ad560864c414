"""Questions for a definition: what they ask for, and which chunk is it."""

import pytest

from rag.ranking.code.order import CodeCandidate, order
from rag.ranking.code.question import read_question


@pytest.mark.parametrize(
    "text",
    [
        "where is RetryPolicy defined",
        "where is the RetryPolicy class defined?",
        "where is the class RetryPolicy declared",
        "where is `RetryPolicy` implemented",
        "definition of RetryPolicy",
        "definition of the RetryPolicy class",
        "class RetryPolicy",
        "RetryPolicy",
    ],
)
def test_the_name_is_what_is_asked_for_and_not_its_kind(text: str) -> None:
    assert read_question(text).defined == ("retrypolicy",)


def test_the_class_comes_before_the_constructor_that_has_its_name() -> None:
    head = CodeCandidate(1, 0, 1, "Retry.java", 1.0, ("Retry",), "Retry")
    constructor = CodeCandidate(1, 7, 1, "Retry.java", 1.5, ("Retry",), "Retry.Retry")
    ranked = order(read_question("where is Retry defined"), [constructor, head])

    assert [each.candidate.part for each in ranked] == [0, 7]
