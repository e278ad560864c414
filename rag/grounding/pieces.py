"""What of the evidence is worth a closer look for a question, judged by words alone.

The pieces that may answer it, the passages that tell whether anything is about it, and what a
piece is worth once an embedder has had its say.
"""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from msgspec import Struct

from rag.domain import Evidence
from rag.grounding.asked import asked, holds, terms
from rag.grounding.sentences import Sentence, sentences

SHORTLIST = 10
"""Pieces embedded per question, about 300 tokens. It holds the evidence of 0.98 of the questions
that 24 hold, and the closest of 24 is more often close by chance: refusals are better with 10."""

PASSAGES = 2
"""Passages embedded per question, to tell whether one of them stands out."""

PASSAGE_LENGTH = 1000  # characters, about 230 tokens: what the embedded model reads whole


class Piece(Struct, frozen=True):
    """A sentence, row or item of one block, with what can be said of it by words alone."""

    evidence: Evidence
    sentence: Sentence
    number: int
    """Of the sentence within its block, from 0."""
    before: Sentence | None
    """The one it follows in its block."""
    said: float
    """Share of the question's words, by rarity, that the piece itself holds."""
    around: float
    """Share that only the title and headings above it hold."""
    led: float
    """Share that it lacks and the sentence before it holds."""
    fits: bool
    """Whether it holds what the question asks for: a date, a number, a name."""


def shortlist(question: str, evidence: Sequence[Evidence]) -> tuple[Piece, ...]:
    """The pieces most likely to answer, by words and by the rank of their block; in the order of
    the evidence."""
    pieces = _pieces(question, evidence)
    likely = sorted(range(len(pieces)), key=lambda n: -worth(pieces[n], None, weights=WORDS_ALONE))
    return tuple(pieces[n] for n in sorted(likely[:SHORTLIST]))


def _pieces(question: str, evidence: Sequence[Evidence]) -> list[Piece]:
    split = [(block, sentences(block.block, block.text)) for block in evidence]
    weights = word_weights(
        question, [f"{block.title} {one.text}" for block, found in split for one in found]
    )
    kind = asked(question)
    pieces = []
    for block, found in split:
        above = set(terms(" ".join((block.title, *block.heading_path))))
        lead: set[str] = set()
        for number, one in enumerate(found):
            own = set(terms(one.text))
            pieces.append(
                Piece(
                    block,
                    one,
                    number,
                    before=found[number - 1] if number else None,
                    said=sum(weights[word] for word in weights.keys() & own),
                    around=sum(weights[word] for word in (weights.keys() & above) - own),
                    led=sum(weights[word] for word in (weights.keys() & lead) - own),
                    fits=holds(kind, one.text, question),
                )
            )
            lead = own
    return pieces


def word_weights(question: str, texts: Sequence[str]) -> dict[str, float]:
    """Inverse document frequency of the question's words among `texts`, summing to 1: a word
    that no text holds weighs most."""
    frequency = Counter(word for text in texts for word in set(terms(text)))
    rarity = {
        word: math.log(1 + (len(texts) + 1) / (frequency[word] + 0.5))
        for word in dict.fromkeys(terms(question))
    }
    total = sum(rarity.values())
    return {word: weight / total for word, weight in rarity.items()}


def passages(evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """The texts of the first hits, each below its title; blocks of one hit share its score."""
    hits = groupby(evidence, key=lambda block: (block.document_id, block.score))
    texts = []
    for (_, _), blocks in hits:
        group = list(blocks)
        body = "\n".join(block.text for block in group)
        texts.append(f"{group[0].title}\n{body}".strip()[:PASSAGE_LENGTH])
    return tuple(texts[:PASSAGES])


# --- worth --------------------------------------------------------------------------------------


class Weights(Struct, frozen=True):
    """Log-odds of being the piece that answers, for each unit of what speaks for it."""

    meaning: float
    """Per cosine with the question."""
    said: float
    around: float
    led: float
    fits: float
    retrieved: float
    """For the score of its hit, as a share of the best hit's."""


ENGLISH = Weights(meaning=5.4, said=5.2, around=5.4, led=0.4, fits=1.4, retrieved=14.0)
"""A conditional logit over the evidence sentences of CLAPnq and the answers of XQuAD. Each alone,
fitted on one set, chooses almost as well on the other."""

FOREIGN = Weights(meaning=1.5, said=7.3, around=5.4, led=2.6, fits=3.2, retrieved=8.3)
"""The same over XQuAD in German and Spanish, which the embedded model hardly knows."""

WORDS_ALONE = Weights(meaning=0.0, said=5.2, around=5.4, led=0.4, fits=1.4, retrieved=4.0)
"""Without an embedder: scores of the words leg spread over all of 0..1."""


def worth(
    piece: Piece, cosine: float | None, best: float = 1.0, *, weights: Weights = ENGLISH
) -> float:
    """Log-odds that the piece answers, up to a constant.

    Args:
        cosine: with the question; None where there is no embedder.
        best: score of the best hit.
    """
    return (
        weights.meaning * (cosine or 0.0)
        + weights.said * piece.said
        + weights.around * piece.around
        + weights.led * piece.led
        + weights.fits * piece.fits
        + weights.retrieved * (piece.evidence.score / best if best > 0 else 1.0)
    )
