"""What of the evidence is worth a closer look for a question, judged by words alone.

The pieces that may answer it, and what a piece is worth once an embedder has had its say.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct

from rag.domain import Evidence
from rag.grounding.asked import Asked, asked, holds, terms, terms_of_code
from rag.grounding.passages import NEIGHBORING
from rag.grounding.sentences import Sentence, sentences

SHORTLIST = 10
"""Pieces embedded per question, about 300 tokens. It holds the evidence of 0.98 of the questions
that 24 hold, and the closest of 24 is more often close by chance: refusals are better with 10."""

OF_ONE_DOCUMENT = 24
"""Pieces where all evidence is of one document: its pages are about the same, and words tell less.
Of MMLongBench's answerable questions, asked of their document, 24 hold a piece of an evidence page
for 0.78, and 10 for 0.70; the best of them stands on one for 0.53 and 0.48."""


class Below(Struct, frozen=True):
    """The first sentence of a block, or the whole of a list."""

    evidence: Evidence
    start: int
    end: int
    text: str
    """As of `Sentence`."""


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
    headed: float
    """Share of it that stands in headings below the title: in its own section's."""
    led: float
    """Share that it lacks and the sentence before it holds."""
    fits: bool
    """Whether it holds what the question asks for: a date, a number, a name."""
    is_fragment: bool
    """Whether it reads like a label or a scrap of a layout rather than a sentence."""
    below: "Below | None" = None
    """What it only leads to: the next block of a heading, or of a sentence that ends in a colon."""

    @property
    def in_context(self) -> str:
        """What is embedded: a row, item or line of code below its heading, without which it is
        about nothing. Sentences speak for themselves: with their title before them they are all
        alike."""
        path = self.evidence.heading_path
        if path and self.evidence.block.kind in ("table", "list", "code"):
            return f"{path[-1]}: {self.sentence.text}"
        return self.sentence.text


def shortlist(question: str, evidence: Sequence[Evidence]) -> tuple[Piece, ...]:
    """The pieces most likely to answer, by words and by the rank of their block; in the order of
    the evidence."""
    pieces = _pieces(question, evidence)
    likely = sorted(range(len(pieces)), key=lambda n: -worth(pieces[n], None, weights=WORDS_ALONE))
    most = OF_ONE_DOCUMENT if is_of_one_document(evidence) else SHORTLIST
    return tuple(pieces[n] for n in sorted(likely[:most]))


def is_of_one_document(evidence: Iterable[Evidence]) -> bool:
    return len({block.document_id for block in evidence}) == 1


Words: TypeAlias = frozenset[str]
Terms: TypeAlias = Callable[[str], list[str]]


class _Asking(Struct, frozen=True):
    """A question as its pieces are judged."""

    text: str
    kind: Asked
    weights: dict[str, float]
    """What each of its words weighs."""
    terms: Terms


def _pieces(question: str, evidence: Sequence[Evidence]) -> list[Piece]:
    words = terms_of_code if any(map(is_code, evidence)) else terms
    split = [
        (block, [(one, frozenset(words(one.text))) for one in sentences(block.block, block.text)])
        for block in evidence
    ]
    titles = {block.title: frozenset(words(block.title)) for block in evidence}
    weights = word_weights(
        words(question), [own | titles[block.title] for block, found in split for _, own in found]
    )
    asking = _Asking(question, asked(question), weights, words)
    return [
        piece
        for n, (block, found) in enumerate(split)
        for piece in _pieces_of(block, found, asking, _below(split[n : n + 2]))
    ]


LONGEST_LIST = 800
"""Characters of a list that is quoted whole."""


def _below(split: Sequence[tuple[Evidence, Sequence[tuple[Sentence, Words]]]]) -> Below | None:
    """What stands in the second of two blocks, where the first only leads to it."""
    if len(split) < 2 or not _leads(split[0][0], split[1][0]) or not split[1][1]:
        return None
    block, found = split[1][0], [one for one, _ in split[1][1]]
    start, end = found[0].start, found[-1].end
    if block.block.kind != "list" or end - start > LONGEST_LIST:
        return Below(block, start, found[0].end, found[0].text)
    return Below(block, start, end, "; ".join(one.text.rstrip(".;,") for one in found))


def _leads(upper: Evidence, lower: Evidence) -> bool:
    """A heading does, and what ends in a colon."""
    leads = upper.block.kind == "title" or upper.text.rstrip().endswith((":", "："))
    gap = lower.block.start - upper.block.end
    is_next = upper.document_id == lower.document_id and 0 <= gap <= NEIGHBORING
    return leads and is_next and lower.block.kind not in ("title", "table", "code")


def _pieces_of(
    block: Evidence,
    found: Sequence[tuple[Sentence, Words]],
    asking: _Asking,
    below: Below | None,
) -> Iterator[Piece]:
    """The pieces of one block but contents, and labels that say again what stands above."""
    words = asking.weights.keys()
    title = set(asking.terms(block.title))
    headings = set(asking.terms(" ".join(block.heading_path)))
    above = title | headings
    last: Sentence | None = None
    lead: Words = frozenset()
    for number, (one, own) in enumerate(found):
        is_heading = block.block.kind == "title"
        is_fragment = _is_fragment(block, one)
        says_nothing = own <= title if is_heading else is_fragment and own <= above | words
        if not _LEADERS.search(one.text) and not says_nothing:
            yield Piece(
                block,
                one,
                number,
                before=last,
                said=sum(asking.weights[word] for word in words & own),
                around=sum(asking.weights[word] for word in (words & above) - own),
                headed=sum(asking.weights[word] for word in (words & headings) - title - own),
                led=sum(asking.weights[word] for word in (words & lead) - own),
                fits=_fits(block, one, asking),
                is_fragment=is_fragment,
                below=below if number + 1 == len(found) else None,
            )
        last, lead = one, own


def _fits(block: Evidence, one: Sentence, asking: _Asking) -> bool:
    """Of code, what names the thing that the block is about: its signature, and what is said of
    it there. Whatever is asked of code, dates and proper names are no answer."""
    if not is_code(block):
        return holds(asking.kind, one.text, asking.text)
    name = block.heading_path[-1] if block.heading_path else None
    return name is not None and name in one.text and name not in block.text[: one.start]


def is_code(block: Evidence) -> bool:
    """Whether it is of a repository: a document may show code, and speaks of it."""
    return block.code is not None


def _is_fragment(block: Evidence, one: Sentence) -> bool:
    if is_code(block):
        lines = block.text[one.start : one.end].splitlines()
        return all(map(_IMPORTS.match, lines))
    return block.block.kind in PROSE and not _ENDS.search(one.text)


_IMPORTS = re.compile(
    r"\s*(?:(?:import|from|use|using|package|require|include|#\s*include|mod)\b.*"
    r"|[\w, ]*[)}]?;?,?)$"
)
"""Lines that say what a file uses, and the ends of such lists."""

PROSE = ("text", "caption")
_ENDS = re.compile(r"[.!?…:;。！？｡।॥؟۔။።։][\"'”’»›)\]」』）】]*$")
_LEADERS = re.compile(r"(?:\.\s?){5,}|_{5,}|…{2,}")
"""What leads to a page number in a table of contents, or is to be filled in by hand."""


def word_weights(asked: Sequence[str], texts: Sequence[Collection[str]]) -> dict[str, float]:
    """Inverse document frequency among `texts` of the words that ask, summing to 1: one that no
    text holds weighs most.

    Args:
        texts: the distinct words of each.
    """
    frequency = Counter(word for words in texts for word in words)
    rarity = {
        word: math.log(1 + (len(texts) + 1) / (frequency[word] + 0.5))
        for word in dict.fromkeys(asked)
    }
    total = sum(rarity.values())
    return {word: weight / total for word, weight in rarity.items()}


# --- worth --------------------------------------------------------------------------------------


FRAGMENT = -2.0
"""Log-odds. Set by eye on PDFs, where running heads and labels of forms look like answers."""


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
        + FRAGMENT * piece.is_fragment
        + weights.retrieved * (piece.evidence.score / best if best > 0 else 1.0)
    )
