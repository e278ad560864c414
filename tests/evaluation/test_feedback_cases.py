"""What people said of answers becomes judged questions, and nothing that they did not say."""

import msgspec

from rag.domain import (
    Answer,
    AnswerId,
    Citation,
    CitationId,
    DocumentId,
    Feedback,
    Judged,
    PageBoxes,
    Span,
    Version,
)
from rag.evaluation.feedback import cases
from rag.evaluation.sets import Place

FIRST, SECOND = CitationId("cit_1"), CitationId("cit_2")


def citation(id: CitationId, key: str) -> Citation:
    place = (PageBoxes(3, ()),)
    return Citation(
        id, DocumentId("d"), Version("v"), key, "T", f"Proof {id}.", "exact", Span(0, 5), place
    )


def answered(question: str = "Who?", *citations: Citation) -> Answer:
    outcome = "answered" if citations else "insufficient"
    return Answer(
        AnswerId("ans_1"), question, outcome, "extractive", "Ada did.", citations=citations
    )


BOTH = answered("Who?", citation(FIRST, "a.md"), citation(SECOND, "a.md"))


def made(answer: Answer, **said: object) -> list[object]:
    feedback = Feedback(**said)  # type: ignore[arg-type]  # the tests' own keywords
    found = cases([Judged(answer, feedback, "now")], {"a.md"})
    assert all(each.kind == "feedback" for each in found)
    return [
        (each.question.answerable, each.question.evidence, each.question.answers) for each in found
    ]


def test_a_right_answer_says_where_its_question_is_answered() -> None:
    proofs = (Place("a.md", 3, "Proof cit_1."), Place("a.md", 3, "Proof cit_2."))

    assert made(BOTH, helpful=True) == [(True, proofs, ("Ada did.",))]


def test_only_the_citations_called_right_are_evidence() -> None:
    [(_, evidence, answers)] = made(BOTH, helpful=False, right=(SECOND,), expected="Grace did.")  # type: ignore[misc]  # one

    assert evidence == (Place("a.md", 3, "Proof cit_2."),)
    assert answers == ("Grace did.",)


def test_a_refusal_that_was_right_is_a_question_without_an_answer() -> None:
    assert made(answered(), helpful=True) == [(False, (), ())]
    assert made(answered(), helpful=False) == []
    assert made(answered(), helpful=False, expected="Ada.") == [(True, (), ("Ada.",))]


def test_a_wrong_answer_alone_says_nothing() -> None:
    assert made(BOTH, helpful=False) == []


def test_other_documents_are_left_out_and_the_last_word_on_a_question_counts() -> None:
    elsewhere = Judged(answered("Where?", citation(FIRST, "b.md")), Feedback(True), "1")
    first = Judged(BOTH, Feedback(False), "2")
    last = Judged(msgspec.structs.replace(BOTH, id=AnswerId("ans_2")), Feedback(True), "3")

    [only] = cases([elsewhere, first, last], {"a.md"})
    assert only.question.id == "ans_2"
