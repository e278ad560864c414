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

SHORTLIST = 24
"""Pieces embedded per question. All 78 of ten Wikipedia paragraphs choose no better, and cost
three times as much; 24, with the passages, are about 1,500 tokens."""

PASSAGES = 3
"""Passages embedded per question, to tell whether any of them is about it at all."""

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
    fits: bool
    """Whether it holds what the question asks for: a date, a number, a name."""


def shortlist(question: str, evidence: Sequence[Evidence]) -> tuple[Piece, ...]:
    """The pieces most likely to answer, by words and by the rank of their block; in the order of
    the evidence."""
    pieces = _pieces(question, evidence)
    likely = sorted(range(len(pieces)), key=lambda n: -worth(pieces[n], None))
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
                    fits=holds(kind, one.text, question),
                )
            )
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

# Log-odds of being the piece that answers, fitted together on the evidence sentences of CLAPnq
# and the answers of XQuAD in English (conditional logit over 700 questions). Each alone, fitted
# on one set, chooses almost as well on the other: CLAPnq 0.70 for 0.72, XQuAD 0.79 for 0.81.
MEANING = 5.4
SAID = 5.2
AROUND = 5.4
FITS = 1.4
RETRIEVED = 14.0
"""For the score of its hit, as a share of the best hit's."""

WORDS_ALONE_RETRIEVED = 4.0
"""The same without an embedder: scores of the words leg spread over all of 0..1."""


def worth(piece: Piece, cosine: float | None, best: float = 1.0) -> float:
    """Log-odds that the piece answers, up to a constant.

    Args:
        cosine: with the question; None where there is no embedder.
        best: score of the best hit.
    """
    retrieved = WORDS_ALONE_RETRIEVED if cosine is None else RETRIEVED
    return (
        MEANING * (cosine or 0.0)
        + SAID * piece.said
        + AROUND * piece.around
        + FITS * piece.fits
        + retrieved * (piece.evidence.score / best if best > 0 else 1.0)
    )
