"""Answers to judged questions: refused where they should be, and proven where they are given.

The citation of evidence asks of the first one only: it is what a person checks. Support is this
service's own rule, that every number, date, name and negation of a claim stands in what it cites.
"""

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from rag.domain import Answer, Citation, DocumentId
from rag.evaluation.sets import Place, Question
from rag.evaluation.summaries import Latency, Spread, latency, spread

RECOGNIZED = 40  # characters of a sentence that tell it from every other

EXACT = "quotations_exact"
"""The figure that must be 1, whatever the questions."""


class Verdict(Struct, frozen=True):
    """One question, and what became of it."""

    id: str
    text: str
    answerable: bool
    outcome: str
    answer: str
    quotations: int
    exact: int
    """Quotations that equal the slice of the document they name."""
    claims: int
    supported: int
    milliseconds: float
    first_is_evidence: bool | None = None
    """Of the first citation; None where nothing was cited, or the evidence is not known."""

    @property
    def is_answered(self) -> bool:
        return self.outcome == "answered"


class Answers(Struct, frozen=True):
    """All of them."""

    answerer: str
    """`extractive`, or the chat model's id."""
    answerable: int
    unanswerable: int
    figures: Mapping[str, Spread]
    latency_ms: Latency
    verdicts: tuple[Verdict, ...]


def judge(
    question: Question, answer: Answer, texts: Mapping[DocumentId, str], milliseconds: float
) -> Verdict:
    """
    Args:
        answer: with ids of the set as keys of its citations.
        texts: of the documents it cites.
    """
    cited = answer.citations
    known = bool(question.answerable and places_of(question) and cited)
    return Verdict(
        question.id,
        question.text,
        question.answerable,
        answer.outcome,
        answer.text,
        quotations=len(cited),
        exact=sum(_is_exact(each, texts) for each in cited),
        claims=len(answer.claims),
        supported=sum(each.supported for each in answer.claims),
        milliseconds=milliseconds,
        first_is_evidence=is_evidence(cited[0], question) if known else None,
    )


def hidden(questions: Sequence[Question]) -> list[Question]:
    """Of every other answerable question its document is to be hidden, so that it should be
    refused: what to ask where a set has nothing unanswerable."""
    turn = 0
    asked = []
    for each in questions:
        if each.answerable and each.document:
            turn += 1
            each = replace(each, answerable=turn % 2 == 1)
        asked.append(each)
    return asked


def places_of(question: Question) -> tuple[Place, ...]:
    """Where its answer stands: its evidence, else its answers, taken for words of its document."""
    if question.evidence or question.document is None:
        return question.evidence
    return tuple(Place(question.document, quote=each) for each in question.answers)


def is_evidence(citation: Citation, question: Question) -> bool:
    """Whether a quotation and any place of evidence overlap: by their beginnings, as the two may
    have been cut at other sentences; by pages where only those are known."""
    return any(_meets(citation, place) for place in places_of(question))


def together(answerer: str, verdicts: Sequence[Verdict]) -> Answers:
    """
    Args:
        verdicts: at least one.
    """
    asked = [each for each in verdicts if each.answerable]
    lost = [each for each in verdicts if not each.answerable]
    answered = [each for each in asked if each.is_answered]
    shares: dict[str, list[float]] = {
        "unanswerable_refused": [not each.is_answered for each in lost],
        "answerable_answered": [each.is_answered for each in asked],
        "first_citation_is_evidence": [
            each.first_is_evidence for each in answered if each.first_is_evidence is not None
        ],
        EXACT: [n < each.exact for each in verdicts for n in range(each.quotations)],
        "claims_supported": [n < each.supported for each in verdicts for n in range(each.claims)],
    }
    figures = {name: spread(values) for name, values in shares.items() if values}
    if asked and lost:
        figures["balanced_accuracy"] = _balanced(figures)
    times = latency([each.milliseconds for each in verdicts])
    return Answers(answerer, len(asked), len(lost), figures, times, tuple(verdicts))


def broken_quotations(answers: Answers | None) -> list[str]:
    """What must never be said."""
    verdicts = answers.verdicts if answers else ()
    return [
        f"question {each.id}: {each.quotations - each.exact} of {each.quotations} quotations are"
        " not the slice of their source that they name"
        for each in verdicts
        if each.exact < each.quotations
    ]


def _is_exact(citation: Citation, texts: Mapping[DocumentId, str]) -> bool:
    span = citation.source
    return texts.get(citation.document_id, "")[span.start : span.end] == citation.quote


def _meets(citation: Citation, place: Place) -> bool:
    if citation.key != place.doc:
        return False
    if place.quote is None:
        return place.page in {each.number for each in citation.pages}
    quote, evidence = _folded(citation.quote), _folded(place.quote)
    return evidence[:RECOGNIZED] in quote or quote[:RECOGNIZED] in evidence


def _folded(text: str) -> str:
    return " ".join(text.split())


def _balanced(figures: Mapping[str, Spread]) -> Spread:
    """The mean of both rates. They are of different questions, so their errors add as squares."""
    parts = [figures["unanswerable_refused"], figures["answerable_answered"]]
    mean = sum(each.mean for each in parts) / 2
    below, above = (
        math.hypot(*[each.mean - each.interval[end] for each in parts]) / 2 for end in (0, 1)
    )
    return Spread(mean, (mean - below, mean + above))
