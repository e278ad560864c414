"""The sentences of the evidence that answer a question, and whether they do.

Every claim is a piece of its source as it stands there, so the only judgments are which pieces,
and whether they are good enough.
"""

import re
from collections.abc import Sequence

from msgspec import Struct

from rag.domain import Draft, DraftClaim, Evidence, Quotation
from rag.grounding.answerability import (
    Signs,
    log_odds,
    log_odds_by_words,
    log_odds_in_code,
    signs_of,
    weights_for,
)
from rag.grounding.asked import asks_for_several, is_english, terms
from rag.grounding.conflicts import Statement, disagree
from rag.grounding.likeness import Likeness
from rag.grounding.pieces import (
    ENGLISH,
    FOREIGN,
    LONGEST_LIST,
    WORDS_ALONE,
    Piece,
    Weights,
    is_code,
    worth,
)
from rag.grounding.sentences import Sentence, sentences

MOST_PIECES = 3
NEIGHBOR_MARGIN = 1.5
"""Log-odds by which the better neighbor may fall behind and is still quoted with a piece. The
claim then meets the evidence in 0.79 of CLAPnq for 0.72, and is two fifths longer."""

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


def compose(
    question: str,
    pieces: Sequence[Piece],
    near: Likeness | None,
    *,
    within_document: bool = False,
) -> Draft:
    """The best pieces as claims, each its own quotation, and whether they suffice.

    Documents and code are each judged by themselves: where one of them suffices, the other is not
    quoted unless it does too.

    Args:
        near: how near each piece comes; None where there is no embedder.
        within_document: whether all evidence, of which the pieces are the likely part, is of one.
    """
    if not pieces or not terms(question):
        return Draft(sufficient=False, claims=())
    sides = [side for side in _sides(pieces, near) if side.pieces]
    enough = [
        side
        for side in sides
        if confidence(question, side.pieces, side.likeness, within_document=within_document) >= 0
    ]
    chosen = [
        (piece, worth) for side in enough or sides for piece, worth in _worths(question, side)
    ]
    runs = _choose(question, [piece for piece, _ in chosen], [worth for _, worth in chosen])
    return Draft(sufficient=bool(enough), claims=tuple(_claim(run, question) for run in runs))


class _Side(Struct, frozen=True):
    """Pieces that are judged together."""

    pieces: tuple[Piece, ...]
    likeness: Likeness | None


def _sides(pieces: Sequence[Piece], likeness: Likeness | None) -> tuple[_Side, _Side]:
    """Of documents, and of code."""
    code = [n for n, piece in enumerate(pieces) if is_code(piece.evidence)]
    documents = [n for n in range(len(pieces)) if n not in code]
    return _side(documents, pieces, likeness), _side(code, pieces, likeness)


def _side(places: Sequence[int], pieces: Sequence[Piece], likeness: Likeness | None) -> _Side:
    own = tuple(pieces[n] for n in places)
    if likeness is None:
        return _Side(own, None)
    return _Side(own, likeness.of(places))


def _worths(question: str, side: _Side) -> list[tuple[Piece, float]]:
    best = max(piece.evidence.score for piece in side.pieces)
    cosines = side.likeness.cosines if side.likeness else [None] * len(side.pieces)
    weights = _weights(question, side.likeness)
    return [
        (piece, worth(piece, cosine, best, weights=weights))
        for piece, cosine in zip(side.pieces, cosines, strict=True)
    ]


def _weights(question: str, likeness: Likeness | None) -> Weights:
    if likeness is None:
        return WORDS_ALONE
    return ENGLISH if is_english(question) else FOREIGN


def _choose(
    question: str, pieces: Sequence[Piece], worths: Sequence[float]
) -> list[tuple[Piece, ...]]:
    """Runs of neighboring pieces, best first, and what another document says against the best."""
    order = sorted(range(len(pieces)), key=lambda n: -worths[n])
    runs: list[tuple[Piece, ...]] = []
    for n in order:
        if worths[n] < worths[order[0]] - OTHERS_MARGIN:
            break
        if sum(map(len, runs)) >= MOST_PIECES:
            break
        taken = {id(piece) for run in runs for piece in run}
        if id(pieces[n]) not in taken and not _repeats(pieces[n], runs):
            runs.append(_with_neighbor(pieces, worths, n, taken))
    against = next((n for n in order if _contradicts(question, pieces[order[0]], pieces[n])), None)
    if against is not None and not any(pieces[against] is piece for run in runs for piece in run):
        runs.insert(1, (pieces[against],))
    return runs


def _contradicts(question: str, best: Piece, other: Piece) -> bool:
    if is_code(best.evidence) or is_code(other.evidence):
        return False
    first, second = (
        Statement(each.sentence.text, each.evidence.document_id, each.evidence.title)
        for each in (best, other)
    )
    return disagree(question, first, second)


def _with_neighbor(
    pieces: Sequence[Piece], worths: Sequence[float], n: int, taken: set[int]
) -> tuple[Piece, ...]:
    neighbors = [
        m
        for m in (n - 1, n + 1)
        if 0 <= m < len(pieces)
        and id(pieces[m]) not in taken
        and _adjoin(pieces[min(m, n)], pieces[max(m, n)])
        and worths[m] >= worths[n] - NEIGHBOR_MARGIN
    ]
    run = sorted([n, *sorted(neighbors, key=lambda m: -worths[m])[:1]])
    return tuple(pieces[m] for m in run)


def _adjoin(first: Piece, second: Piece) -> bool:
    """Whether two pieces are neighbors in prose: rows and items are answers of their own."""
    return (
        first.evidence.label == second.evidence.label
        and first.number + 1 == second.number
        and _in_prose(first)
    )


def _in_prose(piece: Piece) -> bool:
    return piece.evidence.block.kind not in ("title", "table", "list", "code")


def _repeats(piece: Piece, runs: Sequence[Sequence[Piece]]) -> bool:
    said = {word for run in runs for other in run for word in terms(other.sentence.text)}
    own = set(terms(piece.sentence.text))
    return len(own & said) > REPEATS * len(own)


def _claim(run: Sequence[Piece], question: str) -> DraftClaim:
    """One quotation over the whole run; a row's header as a second, and what stands below a piece
    that only leads to it."""
    first, last = run[0], run[-1]
    if first.evidence.block.kind == "list" and asks_for_several(question):
        spoken, between = _list_around(first), "; "
    else:
        spoken, between = _with_lead(run), " "
    text = between.join(one.text for one in spoken)
    quoted = [_quotation(first.evidence, spoken[0].start, spoken[-1].end)]
    if last.sentence.header:
        quoted.append(_quotation(last.evidence, *last.sentence.header))
    if below := last.below:
        quoted.append(_quotation(below.evidence, below.start, below.end))
        text = f"{text.rstrip(':：')}: {below.text}"
    return DraftClaim(text=text, evidence=tuple(quoted))


def _with_lead(run: Sequence[Piece]) -> list[Sentence]:
    """The run's own sentences, and the one before where they mean little without it."""
    first, spoken = run[0], [piece.sentence for piece in run]
    leans = first.before and _in_prose(first) and _LEANS.match(first.sentence.text)
    return [first.before, *spoken] if first.before and leans else spoken


def _list_around(item: Piece) -> list[Sentence]:
    """All of its list, where that is short enough to be quoted whole."""
    items = sentences(item.evidence.block, item.evidence.text)
    is_short = items[-1].end - items[0].start <= LONGEST_LIST
    return list(items) if is_short else [item.sentence]


def _quotation(block: Evidence, start: int, end: int) -> Quotation:
    return Quotation(block.label, block.text[start:end])


# --- enough? ------------------------------------------------------------------------------------


def confidence(
    question: str,
    pieces: Sequence[Piece],
    near: Likeness | None,
    *,
    within_document: bool = False,
) -> float:
    """Log-odds that the evidence answers the question; 0 is even.

    Args:
        pieces: all of documents, or all of code.
        within_document: as of `compose`.
    """
    if is_code(pieces[0].evidence):
        return log_odds_in_code(pieces, near)
    if near is None:
        return log_odds_by_words(pieces)
    weights = weights_for(question, within_document=within_document)
    return log_odds(signs(question, pieces, near), weights)


def signs(question: str, pieces: Sequence[Piece], near: Likeness) -> Signs:
    """
    Args:
        pieces: of documents.
    """
    best, _ = max(_worths(question, _Side(tuple(pieces), near)), key=lambda pair: pair[1])
    return signs_of(question, pieces, near, best)
