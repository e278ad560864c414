"""The sentences of the evidence that answer a question, and whether they do.

Pure, in two steps with the embedder between them: `shortlist` and `passages` say what is worth
embedding, `compose` scores and writes the draft. Every claim is a piece of its source as it
stands there, so the only judgments are which pieces, and whether they are good enough.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from msgspec import Struct

from rag.domain import Draft, DraftClaim, Evidence, Quotation
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


class Likeness(Struct, frozen=True):
    """Cosines with the question."""

    pieces: tuple[float, ...]
    passages: tuple[float, ...]


# --- what is worth embedding --------------------------------------------------------------------


def shortlist(question: str, evidence: Sequence[Evidence]) -> tuple[Piece, ...]:
    """The pieces most likely to answer, by words and by the rank of their block; in the order of
    the evidence."""
    pieces = _pieces(question, evidence)
    likely = sorted(range(len(pieces)), key=lambda n: -_worth(pieces[n], None))
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


# --- choosing -----------------------------------------------------------------------------------

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

MOST_PIECES = 3
NEIGHBOR_MARGIN = 1.5
"""Log-odds by which the better neighbor may fall behind and is still quoted with a piece: half of
all answers go on into the next sentence. Finds the evidence in 0.79 of CLAPnq for 0.72, and adds
a third to the length."""

OTHERS_MARGIN = 1.0
"""Log-odds by which a piece elsewhere may fall behind, and is still a claim."""

REPEATS = 0.8
"""Share of a piece's words beyond which it says what is said already."""

_LEANS = re.compile(
    r"(?:he|she|it|they|this|that|these|those|such|his|her|hers|its|their|both"
    r"|the (?:latter|former)|however|therefore|thus|also|but|and|so|then|instead"
    r"|er|sie|es|dies\w*|dabei|daher|dort"
    r"|él|ella|ellos|ellas|est[aoe]s?|sus?|ello|il|elle|ils|elles|cel[au]|ce(?:s|tte)?)\b",
    re.IGNORECASE,
)
"""How a piece begins that means little without the one before it."""


def compose(question: str, pieces: Sequence[Piece], likeness: Likeness | None) -> Draft:
    """The best pieces as claims, each its own quotation, and whether they suffice.

    Args:
        likeness: of `pieces` and of the passages; None where there is no embedder.
    """
    if not pieces or not terms(question):
        return Draft(sufficient=False, claims=())
    best = max(piece.evidence.score for piece in pieces)
    cosines = likeness.pieces if likeness else [None] * len(pieces)
    worth = [_worth(p, c, best) for p, c in zip(pieces, cosines, strict=True)]
    chosen = _choose(pieces, worth)
    return Draft(
        sufficient=confidence(pieces, likeness) >= 0,
        claims=tuple(_claim(run) for run in chosen),
    )


def _worth(piece: Piece, cosine: float | None, best: float = 1.0) -> float:
    retrieved = WORDS_ALONE_RETRIEVED if cosine is None else RETRIEVED
    return (
        MEANING * (cosine or 0.0)
        + SAID * piece.said
        + AROUND * piece.around
        + FITS * piece.fits
        + retrieved * (piece.evidence.score / best if best > 0 else 1.0)
    )


def _choose(pieces: Sequence[Piece], worth: Sequence[float]) -> list[tuple[Piece, ...]]:
    """Runs of neighboring pieces, best first."""
    order = sorted(range(len(pieces)), key=lambda n: -worth[n])
    runs: list[tuple[Piece, ...]] = []
    for n in order:
        if worth[n] < worth[order[0]] - OTHERS_MARGIN:
            break
        if sum(map(len, runs)) >= MOST_PIECES:
            break
        taken = {id(piece) for run in runs for piece in run}
        if id(pieces[n]) not in taken and not _repeats(pieces[n], runs):
            runs.append(_with_neighbor(pieces, worth, n, taken))
    return runs


def _with_neighbor(
    pieces: Sequence[Piece], worth: Sequence[float], n: int, taken: set[int]
) -> tuple[Piece, ...]:
    neighbors = [
        m
        for m in (n - 1, n + 1)
        if 0 <= m < len(pieces)
        and id(pieces[m]) not in taken
        and _adjoin(pieces[min(m, n)], pieces[max(m, n)])
        and worth[m] >= worth[n] - NEIGHBOR_MARGIN
    ]
    run = sorted([n, *sorted(neighbors, key=lambda m: -worth[m])[:1]])
    return tuple(pieces[m] for m in run)


def _adjoin(first: Piece, second: Piece) -> bool:
    """Whether two pieces are neighbors in prose: rows and items are answers of their own."""
    return (
        first.evidence.label == second.evidence.label
        and first.number + 1 == second.number
        and _in_prose(first)
    )


def _in_prose(piece: Piece) -> bool:
    return piece.evidence.block.kind not in ("table", "list", "code")


def _repeats(piece: Piece, runs: Sequence[Sequence[Piece]]) -> bool:
    said = {word for run in runs for other in run for word in terms(other.sentence.text)}
    own = set(terms(piece.sentence.text))
    return len(own & said) > REPEATS * len(own)


def _claim(run: Sequence[Piece]) -> DraftClaim:
    """One quotation over the whole run, and a row's header as a second."""
    first, last = run[0], run[-1]
    spoken = [piece.sentence for piece in run]
    if first.before and _in_prose(first) and _LEANS.match(first.sentence.text):
        spoken.insert(0, first.before)
    text, label = first.evidence.text, first.evidence.label
    spans = [(spoken[0].start, spoken[-1].end)]
    spans += [last.sentence.header] if last.sentence.header else []
    return DraftClaim(
        text=" ".join(one.text for one in spoken),
        evidence=tuple(Quotation(label, text[a:b]) for a, b in spans),
    )


# --- enough? ------------------------------------------------------------------------------------


def confidence(pieces: Sequence[Piece], likeness: Likeness | None) -> float:
    """Log-odds that the evidence answers the question; 0 is even.

    A logistic of three things: how close the closest sentence is, how close the closest passage,
    and how much of the question one sentence says. Fitted on CLAPnq's 600 questions, with a tenth
    of a vote for XQuAD's, asked with and without the paragraph that answers. More features
    (margins between hits, the kind of question, headings) changed nothing when cross-validated.
    A passage on many matters is near no question, so half of its vote is its best sentence's:
    short notices and letters are answered from, too.
    The cosines are those of all-MiniLM-L6-v2: another model needs another fit.
    """
    said = max(piece.said for piece in pieces)
    if likeness is None:
        covered = max(piece.said + piece.around for piece in pieces)
        return 2.9 * said + 1.6 * covered - 2.2
    piece, passage = max(likeness.pieces), max(likeness.passages)
    return 6.4 * piece + 7.5 * (passage + piece) / 2 + 1.8 * said - 8.85
