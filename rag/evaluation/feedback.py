"""What people said of answers -> judged questions.

A right answer, or what proves one, says where a question is answered; a refusal that was right says
that it is not. Of a wrong answer only what it should have been is known, and where nobody said
that, nothing.
"""

from collections.abc import Collection, Sequence

from rag.domain import Answer, Citation, Judged
from rag.evaluation.making import Made
from rag.evaluation.sets import Place, Question


def cases(judged: Sequence[Judged], keys: Collection[str]) -> tuple[Made, ...]:
    """One question each, the last word on it counting; of documents with these keys alone."""
    found = {each.answer.question: each for each in judged if _is_about(each.answer, keys)}
    questions = (_question(each) for each in found.values())
    kept = [question for question in questions if question is not None]
    return tuple(Made(question, "feedback") for question in kept)


def _question(judged: Judged) -> Question | None:
    answer, feedback = judged.answer, judged.feedback
    is_refusal = not answer.citations
    if feedback.helpful and is_refusal:
        return Question(answer.id, answer.question, answerable=False)
    proofs = [citation for citation in answer.citations if _is_right(citation, judged)]
    said = feedback.expected or (answer.text if feedback.helpful else None)
    if not (proofs or said):
        return None
    return Question(
        answer.id,
        answer.question,
        evidence=tuple(map(_place, proofs)),
        document=proofs[0].key if proofs else None,
        answers=(said,) if said else (),
    )


def _is_right(citation: Citation, judged: Judged) -> bool:
    named = judged.feedback.right
    return citation.id in named if named else judged.feedback.helpful


def _place(citation: Citation) -> Place:
    page = citation.pages[0].number if citation.pages else None
    return Place(citation.key, page, citation.quote)


def _is_about(answer: Answer, keys: Collection[str]) -> bool:
    """Whether all that it quotes is of these documents, or of those it came near to, any; code is
    none of them."""
    if answer.citations:
        return all(each.code is None and each.key in keys for each in answer.citations)
    return not answer.nearest or any(hit.key in keys for hit in answer.nearest)
