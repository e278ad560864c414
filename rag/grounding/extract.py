"""The sentences of the evidence that answer a question, and whether they do.

Three steps, so that the caller can embed between them: `shortlist` picks the pieces worth
embedding by words alone, `compose` scores them by words and meaning and writes the draft. Every
claim is a sentence as it stands in its source, so the draft is proven by construction, and the
only judgment is which sentences, and whether they are good enough.
"""

import math
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from rag.domain import Draft, DraftClaim, Evidence, Quotation
from rag.grounding.asked import asked, holds, terms
from rag.grounding.sentences import Sentence, sentences

SHORTLIST = 40
"""Pieces embedded per question; at 30 tokens each about a tenth of a second on one core."""

MOST_CLAIMS = 3


class Piece(Struct, frozen=True):
    """A sentence of one block, with what words alone say of it."""

    evidence: Evidence
    sentence: Sentence
    number: int
    """Of the sentence within its block, from 0."""
    overlap: float
    """Share of the question's words, by weight, that the sentence or its headings hold."""

    @property
    def embedded_text(self) -> str:
        """The sentence below its heading: `It opened in 1990.` means little alone."""
        heading = (self.evidence.heading_path or (self.evidence.title,))[-1]
        return f"{heading}: {self.sentence.text}" if heading else self.sentence.text


def shortlist(question: str, evidence: Sequence[Evidence]) -> tuple[Piece, ...]:
    """The pieces most likely to answer, by words and by the rank of their block; in the order of
    the evidence."""
    found = [
        (each, sentence, number)
        for each in evidence
        for number, sentence in enumerate(sentences(each.block, each.text))
    ]
    weights = word_weights(question, [f"{e.title} {s.text}" for e, s, _ in found])
    pieces = [
        Piece(each, sentence, number, _overlap(weights, each, sentence))
        for each, sentence, number in found
    ]
    best = max((each.score for each in evidence), default=1.0) or 1.0
    likely = sorted(pieces, key=lambda piece: -(piece.overlap + piece.evidence.score / best))
    chosen = {id(piece) for piece in likely[:SHORTLIST]}
    return tuple(piece for piece in pieces if id(piece) in chosen)


def word_weights(question: str, texts: Sequence[str]) -> dict[str, float]:
    """Inverse document frequency of the question's words among `texts`, summing to 1."""
    frequency = Counter(term for text in texts for term in set(terms(text)))
    raw = {
        term: math.log(1 + (len(texts) + 1) / (frequency[term] + 0.5))
        for term in dict.fromkeys(terms(question))
    }
    total = sum(raw.values())
    return {term: weight / total for term, weight in raw.items()}


def _overlap(weights: dict[str, float], evidence: Evidence, sentence: Sentence) -> float:
    own = set(terms(sentence.text))
    around = set(terms(" ".join((evidence.title, *evidence.heading_path))))
    return sum(
        weight if term in own else HEADING_SHARE * weight
        for term, weight in weights.items()
        if term in own or term in around
    )


HEADING_SHARE = 0.5
"""What a word of the question counts when it stands only in the title or headings."""


# --- choosing -----------------------------------------------------------------------------------

MEANING_WEIGHT = 6.0
OVERLAP_WEIGHT = 2.0
KIND_WEIGHT = 1.0
ENOUGH = 4.3


def compose(question: str, pieces: Sequence[Piece], cosines: Sequence[float] | None) -> Draft:
    """The best pieces as claims, each its own quotation.

    Args:
        cosines: of each piece with the question; None where there is no embedder.
    """
    if not pieces:
        return Draft(sufficient=False, claims=())
    kind = asked(question)
    meaning = cosines if cosines is not None else [piece.overlap for piece in pieces]
    scores = [
        MEANING_WEIGHT * cosine
        + OVERLAP_WEIGHT * piece.overlap
        + KIND_WEIGHT * holds(kind, piece.sentence.text, question)
        for piece, cosine in zip(pieces, meaning, strict=True)
    ]
    order = sorted(range(len(pieces)), key=lambda n: -scores[n])
    chosen = [n for n in order[:MOST_CLAIMS] if scores[n] > scores[order[0]] - 0.5]
    return Draft(
        sufficient=scores[order[0]] >= ENOUGH,
        claims=tuple(_claim(pieces[n]) for n in chosen),
    )


def _claim(piece: Piece) -> DraftClaim:
    sentence, text = piece.sentence, piece.evidence.text
    spans = [(sentence.start, sentence.end)] + ([sentence.header] if sentence.header else [])
    return DraftClaim(
        text=sentence.text,
        evidence=tuple(Quotation(piece.evidence.label, text[a:b]) for a, b in spans),
    )
