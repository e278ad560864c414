"""The sentences of the evidence that answer a question, and whether they do.

Every claim is a piece of its source as it stands there, so the only judgments are which pieces,
and whether they are good enough.
"""

import re
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from rag.domain import Draft, DraftClaim, Quotation
from rag.grounding.asked import is_english, terms, unheard
from rag.grounding.conflicts import Statement, disagree
from rag.grounding.pieces import (
    ENGLISH,
    FOREIGN,
    WORDS_ALONE,
    Piece,
    Weights,
    is_code,
    worth,
)

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


class Likeness(Struct, frozen=True):
    """Cosines with the question."""

    pieces: tuple[float, ...]
    passages: tuple[float, ...] = ()
    """Of different documents; none where they decide nothing."""


def compose(question: str, pieces: Sequence[Piece], likeness: Likeness | None) -> Draft:
    """The best pieces as claims, each its own quotation, and whether they suffice.

    Documents and code are each judged by themselves: where one of them suffices, the other is not
    quoted unless it does too.

    Args:
        likeness: of `pieces` and of the passages; None where there is no embedder.
    """
    if not pieces or not terms(question):
        return Draft(sufficient=False, claims=())
    sides = [side for side in _sides(pieces, likeness) if side.pieces]
    enough = [side for side in sides if confidence(question, side.pieces, side.likeness) >= 0]
    chosen = [
        (piece, worth) for side in enough or sides for piece, worth in _worths(question, side)
    ]
    runs = _choose(question, [piece for piece, _ in chosen], [worth for _, worth in chosen])
    return Draft(sufficient=bool(enough), claims=tuple(map(_claim, runs)))


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
    return _Side(own, replace(likeness, pieces=tuple(likeness.pieces[n] for n in places)))


def _worths(question: str, side: _Side) -> list[tuple[Piece, float]]:
    best = max(piece.evidence.score for piece in side.pieces)
    cosines = side.likeness.pieces if side.likeness else [None] * len(side.pieces)
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


USUAL_LEAD = 0.15
"""By how much the closest passage leads the one of another document, for want of another."""

UNHEARD = 1.5
"""Log-odds against an answer when a name or number of the question stands nowhere in sight: so
with 0.24 of XQuAD's questions without their paragraph, and with 0.03 of those with it."""


def confidence(question: str, pieces: Sequence[Piece], likeness: Likeness | None) -> float:
    """Log-odds that the evidence answers the question; 0 is even.

    A logistic of how close one sentence comes and how much of the question it says, and of how far
    one document stands out from the next. Fitted on half of CLAPnq and of XQuAD, asked with and
    without the paragraph that answers, each with the same vote. More features (the kind of
    question, words the whole passage holds) changed nothing when cross-validated.
    In other languages than English words say more, and passages nothing.
    The cosines are those of all-MiniLM-L6-v2: another model needs another fit.

    Args:
        pieces: all of documents, or all of code.
    """
    if is_code(pieces[0].evidence):
        return _confidence_in_code(pieces, likeness)
    if likeness is None:
        said = max(piece.said for piece in pieces)
        covered = max(piece.said + piece.around for piece in pieces)
        return 2.9 * said + 1.6 * covered - 2.2
    if not is_english(question):
        return _nearness(pieces, likeness, 5.0, 9.5) - 6.5
    closeness = likeness.passages
    lead = max(closeness) - min(closeness) if len(closeness) > 1 else USUAL_LEAD
    return _confidence_without_lead(question, pieces, likeness) + PER_LEAD * lead


def is_undecided(question: str, pieces: Sequence[Piece], likeness: Likeness) -> bool:
    """Whether the likeness of passages may yet turn an answer into a refusal or the reverse: it
    does so for one question in three, and costs more than all else."""
    documents, _ = _sides(pieces, likeness)
    if not documents.pieces or documents.likeness is None or not is_english(question):
        return False
    without = _confidence_without_lead(question, documents.pieces, documents.likeness)
    return -PER_LEAD * MOST_LEAD < without < 0


PER_LEAD = 3.2
MOST_LEAD = 0.5


def _confidence_without_lead(question: str, pieces: Sequence[Piece], likeness: Likeness) -> float:
    strange = UNHEARD * unheard(question, map(_in_sight, pieces))
    return _nearness(pieces, likeness, 8.0, 3.5) - strange - 6.4


def _nearness(
    pieces: Sequence[Piece], likeness: Likeness, per_cosine: float, per_word: float
) -> float:
    """Of the piece that comes nearest; what its section's headings say, it says too."""
    return max(
        per_cosine * cosine + per_word * (piece.said + piece.headed)
        for cosine, piece in zip(likeness.pieces, pieces, strict=True)
    )


def _in_sight(piece: Piece) -> str:
    block = piece.evidence
    return "\n".join((block.title, *block.heading_path, block.text))


def _confidence_in_code(pieces: Sequence[Piece], likeness: Likeness | None) -> float:
    """What counts is how many of the question's words the names, comments and path of code hold,
    and how near it comes.

    A logistic over every other question of semble's benchmark, asked of its own repository and of
    another one, fitted on half of them at a time: their own answers 0.87 of them, the other 0.17;
    by words alone 0.74 and 0.17.
    """
    covered = max(piece.said + piece.around for piece in pieces)
    if likeness is None:
        return 3.8 * covered - 1.9
    return 8.2 * max(likeness.pieces) + 2.6 * covered - 5.3
