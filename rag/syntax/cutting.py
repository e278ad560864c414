"""A file of code -> its outline: chunks at the seams of its syntax, and what it defines.

Small neighbors are joined up to `TARGET`, but a definition of some size keeps a chunk to itself,
so that what is found is one thing. A part of something large says of what it is a part, by its
symbol and signature.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate

from tree_sitter import Node

from rag.syntax.defining import definitions
from rag.syntax.grammars import has_grammar, parse
from rag.syntax.outline import CodeChunk, Definition, Outline
from rag.syntax.pieces import TARGET, Piece, Weights, pieces_of_lines, pieces_of_tree

CHUNKER = "syntax/1"
"""Changes whenever the same file would be cut or named otherwise."""

OWN = 350
"""From this size on, a definition has a chunk to itself."""

LONGEST_LINE = 5_000
"""Characters; a file with a longer line is not parsed: it was not written by a person."""


def outline(language: str, text: str) -> Outline:
    """Every line of the text is in exactly one chunk; lines end at `\\n` alone."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    weights = Weights(lines)
    if not weights.of(0, len(lines)):
        return Outline(language, ())
    if has_grammar(language) and max(map(len, lines)) <= LONGEST_LINE:
        parsed = parse(language, text.encode(errors="replace"))
        named = tuple(definition for _, definition in definitions(parsed))
        pieces = pieces_of_tree(parsed.root, lines, weights)
        comments = parsed.captures.get("comment", [])
    else:
        named, pieces, comments = (), pieces_of_lines(lines, weights), []
    places = _places(lines, len(text))
    prose = _prose(comments, lines, places)
    joined = list(_joined(pieces, weights, {each.start_line - 1 for each in named}))
    chunks = _described(joined, named, prose, places)
    return Outline(language, tuple(chunks), named)


def _joined(
    pieces: Sequence[Piece], weights: Weights, heads: set[int]
) -> Iterator[tuple[int, int]]:
    start = end = 0
    for piece in pieces:
        size = weights.of(piece.start, piece.end)
        is_own = size >= OWN and any(row in heads for row in range(piece.start, piece.end))
        fits = weights.of(start, end) + size <= TARGET
        if end > start and (not fits or (is_own and weights.of(start, end) >= OWN)):
            yield start, end
            start = piece.start
        end = piece.end
        if is_own and weights.of(start, end) >= OWN:
            yield start, end
            start = end
    if end > start:
        yield start, end


def _described(
    runs: Sequence[tuple[int, int]],
    named: Sequence[Definition],
    prose: Sequence[tuple[int, int]],
    places: Sequence[int],
) -> Iterator[CodeChunk]:
    for first, end in runs:
        begun = [each for each in named if first < each.start_line <= end]
        about = _about(begun, named, first + 1, end)
        start, stop = places[first], places[end]
        yield CodeChunk(
            start,
            stop,
            first + 1,
            end,
            about.path if about else (),
            about.kind if about else "",
            about.signature if about else "",
            tuple(dict.fromkeys(each.name for each in begun if each.kind != "container")),
            tuple(span for span in prose if start <= span[0] < stop),
        )


def _about(
    begun: Sequence[Definition], named: Sequence[Definition], first: int, last: int
) -> Definition | None:
    """The largest that begins here; else the innermost that goes on here."""
    if begun:
        return max(begun, key=lambda each: min(each.end_line, last) - each.start_line)
    around = [each for each in named if each.start_line < first <= each.end_line]
    return max(around, key=lambda each: each.start_line, default=None)


def _places(lines: Sequence[str], length: int) -> list[int]:
    """Where each line starts, and where the text ends."""
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    return [*starts[:-1], length]


def _prose(
    comments: Sequence[Node], lines: Sequence[str], places: Sequence[int]
) -> list[tuple[int, int]]:
    """Spans in characters: the tree counts bytes, so lines that are not ASCII are looked at."""

    def place(row: int, column: int) -> int:
        if row >= len(lines):
            return places[-1]
        line = lines[row]
        width = (
            column
            if line.isascii()
            else len(line.encode(errors="replace")[:column].decode(errors="ignore"))
        )
        return places[row] + width

    return sorted(
        (
            place(node.start_point.row, node.start_point.column),
            place(node.end_point.row, node.end_point.column),
        )
        for node in comments
    )
