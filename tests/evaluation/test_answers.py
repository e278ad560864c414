"""Answers are judged by refusals, by their first citation, and by every quotation."""

import pytest

from rag.domain import (
    Answer,
    AnswerId,
    Citation,
    CitationId,
    Claim,
    DocumentId,
    Outcome,
    PageBoxes,
    Span,
    Version,
)
from rag.evaluation.answers import Verdict, broken_quotations, judge, together
from rag.evaluation.sets import Place, Question

TEXT = "Gulls nest on roofs in April. Owls hunt voles at dusk."
TEXTS = {DocumentId("d"): TEXT}
GULLS = Question("1", "where do gulls nest", evidence=(Place("a", quote=TEXT[:29]),))


def answer(*quotes: str, key: str = "a", page: int | None = None, shift: int = 0) -> Answer:
    """
    Args:
        shift: by which each quotation's span is wrong.
    """
    pages = (PageBoxes(page, ()),) if page else ()
    cited = tuple(
        Citation(
            CitationId(quote),
            DocumentId("d"),
            Version("v"),
            key,
            "",
            quote,
            "exact",
            Span(TEXT.index(quote) + shift, TEXT.index(quote) + len(quote) + shift),
            pages,
        )
        for quote in quotes
    )
    outcome: Outcome = "answered" if quotes else "insufficient"
    claims = tuple(Claim(0, 1, True, (each.id,)) for each in cited)
    return Answer(AnswerId("x"), "?", outcome, "extractive", "text", claims, cited)


def verdict(question: Question, given: Answer) -> Verdict:
    return judge(question, given, TEXTS, 5.0)


def test_a_quotation_that_overlaps_the_evidence_is_evidence() -> None:
    assert verdict(GULLS, answer("Gulls nest on roofs in April.")).first_is_evidence
    assert verdict(GULLS, answer("Gulls nest on roofs")).first_is_evidence
    assert verdict(GULLS, answer("Owls hunt voles at dusk.")).first_is_evidence is False


def test_the_same_words_in_another_document_are_none() -> None:
    assert verdict(GULLS, answer("Gulls nest on roofs", key="b")).first_is_evidence is False


def test_only_the_first_citation_counts() -> None:
    given = answer("Owls hunt voles at dusk.", "Gulls nest on roofs in April.")

    assert verdict(GULLS, given).first_is_evidence is False


def test_a_page_is_evidence_where_only_pages_are_known() -> None:
    asked = Question("1", "?", evidence=(Place("a", page=4),))

    assert verdict(asked, answer("Owls hunt", page=4)).first_is_evidence
    assert verdict(asked, answer("Owls hunt", page=5)).first_is_evidence is False


def test_an_exact_answer_stands_in_for_evidence() -> None:
    asked = Question("1", "?", document="a", answers=("roofs",))

    assert verdict(asked, answer("Gulls nest on roofs in April.")).first_is_evidence


def test_a_refusal_has_nothing_to_prove() -> None:
    assert verdict(GULLS, answer()).first_is_evidence is None


def test_a_quotation_beside_its_slice_is_found_and_named() -> None:
    wrong = together("extractive", [verdict(GULLS, answer("Gulls nest on roofs", shift=1))])

    assert wrong.figures["quotations_exact"].mean == 0
    assert broken_quotations(wrong) == [
        "question 1: 1 of 1 quotations are not the slice of their source that they name"
    ]


def test_figures_are_shares_of_the_questions_they_are_about() -> None:
    lost = Question("2", "?", answerable=False)
    found = together(
        "extractive",
        [
            verdict(GULLS, answer("Gulls nest on roofs")),
            verdict(GULLS, answer("Owls hunt")),
            verdict(GULLS, answer()),
            verdict(lost, answer()),
            verdict(lost, answer("Owls hunt")),
        ],
    )

    means = {name: each.mean for name, each in found.figures.items()}
    assert means == pytest.approx(
        {
            "unanswerable_refused": 1 / 2,
            "answerable_answered": 2 / 3,
            "first_citation_is_evidence": 1 / 2,
            "quotations_exact": 1,
            "claims_supported": 1,
            "balanced_accuracy": (1 / 2 + 2 / 3) / 2,
        }
    )
    assert (found.answerable, found.unanswerable) == (3, 2)
    assert not broken_quotations(found)
