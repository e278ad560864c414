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
from rag.grounding.conflicts import Statement, conflicting
from rag.grounding.locating import lines_of, pages_of
from rag.grounding.matching import Found, Passages, Rejected
from rag.grounding.passages import Part
from rag.grounding.plain import plain, plain_code
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


class Written(Struct, frozen=True):
    """What an answer gains by a claim."""

    claim: Claim
    text: str
    citations: tuple[Citation, ...]
    """Those that no claim before had."""


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
    """A whole draft at once; see `Grounding`."""
    grounding = Grounding(question, evidence, policy, answerer, answer_id)
    for claim in draft.claims:
        grounding.add(claim)
    return grounding.answer(draft.sufficient, usage, nearest)


class Grounding:
    """Claims with the quotations that were found in the evidence, each cut from its source; claim
    by claim, as a draft is written.

    A claim is supported when one of its quotations was found and nothing in it goes beyond them
    (`rag.grounding.support`). `strict` drops all others and refuses when nothing is left,
    `annotate` keeps them and says so, and `off` looks no further than the quotations: a claim
    counts as supported there when it has one. What was not believed is told in `dropped`.
    """

    def __init__(
        self,
        question: str,
        evidence: Sequence[Evidence],
        policy: Policy,
        answerer: str,
        answer_id: AnswerId,
    ) -> None:
        self._question = question
        self._policy = policy
        self._answerer = answerer
        self.id = answer_id
        self._has_evidence = bool(evidence)
        self._passages, self._vocabulary = Passages(evidence), Vocabulary(evidence)
        self._checked: list[_Checked] = []
        self._text = ""
        self._claims: list[Claim] = []
        self._citations: dict[tuple[DocumentId, int, int], Citation] = {}

    def add(self, claim: DraftClaim) -> Written | None:
        """What the answer gains by the claim; None where it is not believed."""
        checked = _check(claim, self._passages, self._vocabulary, self._policy)
        self._checked.append(checked)
        if not _is_kept(checked, self._policy):
            return None
        known = len(self._citations)
        cited = tuple(dict.fromkeys(self._cite(*place) for place in checked.places))
        start = len(self._text) + 1 if self._text else 0
        self._text = f"{self._text} {checked.text}" if self._text else checked.text
        made = Claim(start, len(self._text), not checked.objections, cited)
        self._claims.append(made)
        return Written(made, checked.text, tuple(self._citations.values())[known:])

    def answer(self, sufficient: bool, usage: Usage | None, nearest: Sequence[Hit]) -> Answer:
        """
        Args:
            sufficient: whether the draft said that the sources are; else none of its claims stays.
            nearest: shown with a refusal.
        """
        stays = sufficient and bool(self._claims)
        outcome = self._outcome(stays)
        return Answer(
            id=self.id,
            question=self._question,
            outcome=outcome,
            answerer=self._answerer,
            text=self._text if stays else REFUSALS[outcome],
            claims=tuple(self._claims) if stays else (),
            citations=tuple(self._citations.values()) if stays else (),
            dropped=tuple(self._dropped(stays)),
            conflicts=tuple(self._conflicts()) if stays else (),
            nearest=() if stays else tuple(nearest),
            usage=usage,
        )

    def _cite(self, verified: Verified, part: Part) -> CitationId:
        """Each cited place once."""
        offset = part.evidence.block.start
        place = (part.evidence.document_id, offset + part.start, offset + part.end)
        if place not in self._citations:
            id = CitationId(derived_id("cit", self.id, str(len(self._citations) + 1)))
            self._citations[place] = _citation(id, verified, part)
        return self._citations[place].id

    def _conflicts(self) -> Iterator[tuple[CitationId, ...]]:
        """Of documents: two files of code that differ in a number are no contradiction."""
        cited = tuple(each for each in self._citations.values() if each.code is None)
        said = [Statement(each.quote, each.document_id, each.title) for each in cited]
        for n, m in conflicting(self._question, said):
            yield (cited[n].id, cited[m].id)

    def _outcome(self, stays: bool) -> Outcome:
        if stays:
            return "answered"
        return "insufficient" if self._has_evidence else "no_evidence"

    def _dropped(self, stays: bool) -> Iterator[Dropped]:
        for claim in self._checked:
            yield from claim.dropped
            if not (stays and _is_kept(claim, self._policy)):
                yield Dropped(claim.text, "; ".join(claim.objections) or NOT_SUFFICIENT)


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
    parts = [part for item in found for part in item.parts]
    shown = plain_code if any(part.evidence.code for part in parts) else plain
    text = shown(claim.text, "\n".join(part.text for part in parts))
    reasons: tuple[str, ...] = () if found else (NO_QUOTATION,)
    if found and policy != "off":  # of what is shown, and so nothing else stands in a reason
        reasons = objections(text, Proof(found), vocabulary)
    return _Checked(text, found, reasons, dropped)


def _is_kept(claim: _Checked, policy: Policy) -> bool:
    return bool(claim.text) and not (policy == "strict" and claim.objections)


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
        code=evidence.code,
    )


def _confidence(part: Part) -> float | None:
    """Of the reading: that of the least sure word in the quotation, else of its block."""
    block = part.evidence.block
    start, end = block.start + part.start, block.start + part.end
    doubts = [doubt for doubt in block.doubts if doubt.start < end and doubt.end > start]
    return min((doubt.confidence for doubt in doubts), default=block.confidence)
