"""Two sources that contradict each other are both shown."""

import pytest

from rag.domain import AnswerId, Block, DocumentId, Draft, DraftClaim, Evidence, Quotation, Version
from rag.grounding.citations import ground
from rag.grounding.conflicts import Statement, disagree
from rag.grounding.extract import compose
from rag.grounding.pieces import shortlist

TAMPA = "The game was played at Raymond James Stadium in Tampa, Florida, on a Sunday."
GLENDALE = "The game was played at Raymond James Stadium in Glendale, Arizona, on a Sunday."


def says(text: str, document: str = "a", title: str = "") -> Statement:
    return Statement(text, DocumentId(document), title)


@pytest.mark.parametrize(
    ("question", "one", "other", "expected"),
    [
        ("Where was the game played?", TAMPA, GLENDALE, True),
        ("When did it open?", "It opened in 1894.", "It opened in 1896.", True),
        ("When did it open?", "It opened in 1894.", "It opened in 1894.", False),
        # worded in two ways, but each says one year
        (
            "When was Tower Bridge opened?",
            "Tower Bridge was opened to traffic on 30 June 1894.",
            "The opening of Tower Bridge took place in 1896.",
            True,
        ),
        (
            "How many people cross Tower Bridge?",
            "About 40,000 people cross Tower Bridge every day.",
            "Tower Bridge: 21,000 people cross it.",
            True,
        ),
        # of two years, each with its own amount
        (
            "How many visitors came?",
            "In 2018 there were 5,000 visitors.",
            "In 2019 there were 6,000 visitors.",
            False,
        ),
        # of two things, one of which was asked for
        ("Where does Alice live?", "Alice lives in Paris.", "Bob lives in Paris.", False),
        # both may be true where several were asked for
        ("Name all of its owners.", "Its owner was Alice Roe.", "Its owner was Bob Hale.", False),
        # a noun of German has a capital, and is no name
        (
            "Wann fährt er?",
            "Der Bus fährt um acht, und das ist früh.",
            "Der Zug fährt um acht, und das ist früh.",
            False,
        ),
        ("What is it?", "", "", False),
    ],
)
def test_statements_that_cannot_both_answer(
    question: str, one: str, other: str, expected: bool
) -> None:
    assert disagree(question, says(one), says(other, "b")) == expected
    assert disagree(question, says(other, "b"), says(one)) == expected


def test_one_document_does_not_contradict_itself() -> None:
    assert not disagree("Where was the game played?", says(TAMPA), says(GLENDALE))


def test_reports_on_two_years_do_not_contradict_each_other() -> None:
    sales = "Sales were 5 million dollars.", "Sales were 6 million dollars."
    titles = "Report 2018", "Report 2019"

    one, other = (says(text, title, title) for text, title in zip(sales, titles, strict=True))

    assert not disagree("How high were sales?", one, other)


def block(text: str, label: int) -> Evidence:
    document = DocumentId(f"doc_{label}")
    whole = Block("text", 0, len(text))
    return Evidence(label, document, Version("sha256:0"), "k", "", text, whole, score=1 / label)


def test_an_answer_names_the_citations_that_contradict_each_other() -> None:
    evidence = [block(TAMPA, 1), block(GLENDALE, 2)]
    claims = [DraftClaim(each.text, (Quotation(each.label, each.text),)) for each in evidence]

    made = ground(
        "Where was the game played?",
        Draft(sufficient=True, claims=tuple(claims)),
        evidence,
        policy="strict",
        answerer="test",
        usage=None,
        nearest=(),
        answer_id=AnswerId("ans_1"),
    )

    assert made.outcome == "answered"
    assert made.conflicts == (tuple(citation.id for citation in made.citations),)


def test_what_contradicts_the_best_sentence_is_quoted_though_it_repeats_its_words() -> None:
    question = "Where was the game played?"
    evidence = [block(TAMPA, 1), block(TAMPA, 2), block(GLENDALE, 3)]

    draft = compose(question, shortlist(question, evidence), None)

    assert [claim.text for claim in draft.claims] == [TAMPA, GLENDALE]
