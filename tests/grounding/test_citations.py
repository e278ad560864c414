"""A model's word is believed only where its quotations stand in the source."""

from rag.domain import (
    Answer,
    AnswerId,
    Block,
    DocumentId,
    Draft,
    DraftClaim,
    Evidence,
    Policy,
    Quotation,
    Version,
)
from rag.grounding.citations import ground

TEXT = "Net sales rose by 5% in 2019, to $5.2 million."
EVIDENCE = Evidence(
    label=1,
    document_id=DocumentId("doc_1"),
    version=Version("sha256:00"),
    key="report.md",
    title="Report",
    text=TEXT,
    block=Block("text", 100, 100 + len(TEXT)),
    first_line=7,
)


def grounded(draft: Draft, *evidence: Evidence, policy: Policy = "strict") -> Answer:
    return ground(
        "By how much did sales rise?",
        draft,
        evidence,
        policy=policy,
        answerer="scripted",
        usage=None,
        nearest=(),
        answer_id=AnswerId("ans_1"),
    )


def drafted(text: str, *quotes: str, sufficient: bool = True) -> Draft:
    return Draft(sufficient, (DraftClaim(text, tuple(Quotation(1, quote) for quote in quotes)),))


def test_a_claim_with_a_true_quotation_is_answered_and_cited() -> None:
    answer = grounded(drafted("Sales rose by 5%.", "Net sales rose by 5% in 2019"), EVIDENCE)

    [claim] = answer.claims
    [citation] = answer.citations
    assert answer.outcome == "answered"
    assert answer.text[claim.start : claim.end] == "Sales rose by 5%."
    assert claim.supported
    assert claim.citations == (citation.id,)
    assert citation.quote == "Net sales rose by 5% in 2019"
    assert (citation.source.start, citation.source.end) == (100, 128)
    assert citation.lines == (7, 7)
    assert citation.verified == "exact"


def test_an_invented_quotation_is_dropped_and_the_answer_refused() -> None:
    answer = grounded(drafted("Sales rose by 6%.", "Net sales rose by 6% in 2019"), EVIDENCE)

    assert answer.outcome == "insufficient"
    assert answer.claims == ()
    assert [dropped.text for dropped in answer.dropped] == [
        "Net sales rose by 6% in 2019",
        "Sales rose by 6%.",
    ]
