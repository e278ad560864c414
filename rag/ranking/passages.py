"""Hits grow into passages that can be read by themselves, within a budget of tokens.

First the hits themselves, best first; then what stands around them, one piece at a time in turns:
the rest of their section, and when that is whole, its neighbors under the same heading. What comes
to touch is one passage.
"""

from collections.abc import Mapping, Sequence
from itertools import takewhile

from msgspec import Struct

from rag.domain import ChunkId, DocumentId, Hit


class Piece(Struct, frozen=True):
    """A chunk, as far as it matters here."""

    chunk_id: ChunkId
    start: int
    end: int
    tokens: int
    heading_path: tuple[str, ...] = ()
    pages: tuple[int, ...] = ()
    lines: tuple[int, int] | None = None


class Run(Struct, frozen=True):
    """Pieces of one document that follow one another, by their places in it."""

    document_id: DocumentId
    first: int
    last: int
    score: float
    """Of its best hit."""
    hits: tuple[ChunkId, ...]
    """Best first."""


def runs(
    hits: Sequence[Hit], pieces: Mapping[DocumentId, Sequence[Piece]], max_tokens: int
) -> list[Run]:
    """Best first. Hits that do not fit any more are left out, and so are those that stand in no
    piece.

    Args:
        pieces: of each document in order, at least those near its hits.
    """
    found = _fitting(hits, pieces, max_tokens)
    left = max_tokens - sum(_tokens(run, pieces[run.document_id]) for run in found)
    while grown := _grown(found, pieces, left):
        found, left = grown
    return sorted(_joined(found), key=lambda run: -run.score)


def heading_of(pieces: Sequence[Piece]) -> tuple[str, ...]:
    """What they all stand below."""
    paths = [piece.heading_path for piece in pieces]
    levels = zip(*paths, strict=False)
    return tuple(level[0] for level in takewhile(lambda level: len(set(level)) == 1, levels))


def _fitting(
    hits: Sequence[Hit], pieces: Mapping[DocumentId, Sequence[Piece]], left: int
) -> list[Run]:
    found = []
    for hit in hits:
        around = pieces.get(hit.document_id, ())
        at = next((n for n, piece in enumerate(around) if piece.chunk_id == hit.chunk_id), None)
        if at is not None and around[at].tokens <= left:
            left -= around[at].tokens
            found.append(Run(hit.document_id, at, at, hit.score, (hit.chunk_id,)))
    return found


def _grown(
    found: Sequence[Run], pieces: Mapping[DocumentId, Sequence[Piece]], left: int
) -> tuple[list[Run], int] | None:
    """Each of the runs by one piece at most; None where none can grow."""
    taken = {(run.document_id, n) for run in found for n in range(run.first, run.last + 1)}
    grown = []
    for run in found:
        around = pieces[run.document_id]
        place = _next(run, around, taken, left)
        if place is not None:
            taken.add((run.document_id, place))
            left -= around[place].tokens
            run = Run(
                run.document_id, min(run.first, place), max(run.last, place), run.score, run.hits
            )
        grown.append(run)
    return (grown, left) if grown != found else None


def _next(
    run: Run, around: Sequence[Piece], taken: set[tuple[DocumentId, int]], left: int
) -> int | None:
    """What follows is more often what is wanted than what comes before: it is asked first."""
    section = around[run.first].heading_path
    beside = [n for n in (run.last + 1, run.first - 1) if 0 <= n < len(around)]
    free = [n for n in beside if (run.document_id, n) not in taken and around[n].tokens <= left]
    within = [n for n in free if around[n].heading_path == section]
    kin = [n for n in free if section[:-1] and around[n].heading_path[:-1] == section[:-1]]
    return next(iter((*within, *kin)), None)


def _joined(found: Sequence[Run]) -> list[Run]:
    """Those that touch are one."""
    joined: list[Run] = []
    for run in sorted(found, key=lambda run: (run.document_id, run.first)):
        last = joined[-1] if joined else None
        if last and last.document_id == run.document_id and run.first <= last.last + 1:
            better, worse = sorted((last, run), key=lambda each: -each.score)
            joined[-1] = Run(
                run.document_id,
                last.first,
                max(last.last, run.last),
                better.score,
                (*better.hits, *worse.hits),
            )
        else:
            joined.append(run)
    return joined


def _tokens(run: Run, around: Sequence[Piece]) -> int:
    return sum(piece.tokens for piece in around[run.first : run.last + 1])
