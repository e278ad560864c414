"""Draft -> answer: the one place where a model's word is believed or not."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from rag.domain import (
    Answer,
    AnswerId,
    Citation,
    CitationId,
    Claim,
    DocumentId,
    Draft,
    DraftClaim,
    Dropped,
    Evidence,
    Hit,
    Outcome,
    Policy,
    Span,
    Usage,
    Verified,
    derived_id,
)
from rag.grounding.locating import lines_of, pages_of
from rag.grounding.matching import Found, Passages, Rejected
from rag.grounding.passages import Part
from rag.grounding.plain import plain
from rag.grounding.support import Proof, Vocabulary, objections

REFUSALS: dict[Outcome, str] = {
    "no_evidence": "Nothing was found that could answer this question.",
    "insufficient": "What was found does not answer this question.",
}

NOT_SUFFICIENT = "the answerer itself found the sources insufficient"
NO_QUOTATION = "it has no quotation"


class _Checked(Struct, frozen=True):
    """A claim of a draft after verification."""

    text: str
    found: tuple[Found, ...]
    objections: tuple[str, ...]
    """Why it is not supported; empty where it is."""
    dropped: tuple[Dropped, ...]
    """Quotations that were not found."""

    @property
    def places(self) -> Iterator[tuple[Verified, Part]]:
        return ((found.verified, part) for found in self.found for part in found.parts)


def ground(
    question: str,
    draft: Draft,
    evidence: Sequence[Evidence],
    *,
    policy: Policy,
    answerer: str,
    usage: Usage | None,
    nearest: Sequence[Hit],
    answer_id: AnswerId,
) -> Answer:
    """Claims with the quotations that were found in the evidence, each cut from its source.

    A claim is supported when one of its quotations was found and nothing in it goes beyond them
    (`rag.grounding.support`). `strict` drops all others and refuses when nothing is left,
    `annotate` keeps them and says so, and `off` looks no further than the quotations: a claim
    counts as supported there when it has one. What was not believed is told in `dropped`.
    """
    passages, vocabulary = Passages(evidence), Vocabulary(evidence)
    checked = [_check(claim, passages, vocabulary, policy) for claim in draft.claims]
    kept = [claim for claim in checked if draft.sufficient and _is_kept(claim, policy)]
    text, claims, citations = _compose(kept, answer_id)
    outcome = _outcome(kept, evidence)
    return Answer(
        id=answer_id,
        question=question,
        outcome=outcome,
        answerer=answerer,
        text=text or REFUSALS[outcome],
        claims=claims,
        citations=citations,
        dropped=tuple(_dropped(checked, kept)),
        nearest=() if kept else tuple(nearest),
        usage=usage,
    )


def _check(
    claim: DraftClaim, passages: Passages, vocabulary: Vocabulary, policy: Policy
) -> _Checked:
    outcomes = [(quotation, passages.find(quotation)) for quotation in claim.evidence]
    found = tuple(outcome for _, outcome in outcomes if isinstance(outcome, Found))
    dropped = tuple(
        Dropped(plain(quotation.quote), outcome.reason)
        for quotation, outcome in outcomes
        if isinstance(outcome, Rejected)
    )
    reasons: tuple[str, ...] = () if found else (NO_QUOTATION,)
    if found and policy != "off":
        reasons = objections(claim.text, Proof(found), vocabulary)
    quoted = "\n".join(part.text for item in found for part in item.parts)
    return _Checked(plain(claim.text, quoted), found, reasons, dropped)


def _is_kept(claim: _Checked, policy: Policy) -> bool:
    return bool(claim.text) and not (policy == "strict" and claim.objections)


def _outcome(kept: Sequence[_Checked], evidence: Sequence[Evidence]) -> Outcome:
    if kept:
        return "answered"
    return "insufficient" if evidence else "no_evidence"


def _dropped(checked: Sequence[_Checked], kept: Sequence[_Checked]) -> Iterator[Dropped]:
    for claim in checked:
        yield from claim.dropped
        if claim not in kept:
            yield Dropped(claim.text, "; ".join(claim.objections) or NOT_SUFFICIENT)


def _compose(
    kept: Sequence[_Checked], answer_id: AnswerId
) -> tuple[str, tuple[Claim, ...], tuple[Citation, ...]]:
    """The answer's text with the span of each claim, and each cited place once."""
    text = ""
    claims: list[Claim] = []
    citations: dict[tuple[DocumentId, int, int], Citation] = {}
    for claim in kept:
        cited: list[CitationId] = []
        for verified, part in claim.places:
            offset = part.evidence.block.start
            place = (part.evidence.document_id, offset + part.start, offset + part.end)
            if place not in citations:
                number = str(len(citations) + 1)
                citation_id = CitationId(derived_id("cit", answer_id, number))
                citations[place] = _citation(citation_id, verified, part)
            cited.append(citations[place].id)
        start = len(text) + 1 if text else 0
        text = f"{text} {claim.text}" if text else claim.text
        claims.append(Claim(start, len(text), not claim.objections, tuple(dict.fromkeys(cited))))
    return text, tuple(claims), tuple(citations.values())


def _citation(citation_id: CitationId, verified: Verified, part: Part) -> Citation:
    evidence = part.evidence
    start = evidence.block.start
    return Citation(
        id=citation_id,
        document_id=evidence.document_id,
        version=evidence.version,
        key=evidence.key,
        title=evidence.title,
        quote=part.text,
        verified=verified,
        source=Span(start + part.start, start + part.end, evidence.heading_path),
        pages=pages_of(part),
        lines=lines_of(part),
        confidence=_confidence(part),
    )


def _confidence(part: Part) -> float | None:
    """Of the reading: that of the least sure word in the quotation, else of its block."""
    block = part.evidence.block
    start, end = block.start + part.start, block.start + part.end
    doubts = [doubt for doubt in block.doubts if doubt.start < end and doubt.end > start]
    return min((doubt.confidence for doubt in doubts), default=block.confidence)
