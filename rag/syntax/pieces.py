"""Where a file may be cut: at the seams of its tree, or of its blank lines and indentation.

A piece is a run of whole lines. Pieces follow each other and leave nothing out, and only what is
too large is taken apart, so a definition that fits stays whole. A comment, decorator or attribute
stays with what follows it.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate

from msgspec import Struct
from tree_sitter import Node

LARGEST = 1_600
"""Characters of a chunk that are not white space, at the most: some 40 lines, 500 tokens."""

TARGET = 900
"""The same, up to which neighbors are joined and a file is not cut at all: some 25 lines."""


class Piece(Struct, frozen=True):
    start: int
    end: int
    """Half-open, in lines from 0."""
    depth: int
    """How many nodes had to be taken apart to get at it."""


class Weights:
    """Characters that are not white space, for any run of lines."""

    def __init__(self, lines: Sequence[str]) -> None:
        lengths = (len("".join(line.split())) for line in lines)
        self._until = [0, *accumulate(lengths)]

    def of(self, start: int, end: int) -> int:
        return self._until[end] - self._until[start]


def pieces_of_tree(root: Node, lines: Sequence[str], weights: Weights) -> list[Piece]:
    return list(_cut(root, 0, len(lines), 0, lines, weights))


def pieces_of_lines(lines: Sequence[str], weights: Weights) -> list[Piece]:
    """Without a grammar: paragraphs, cut before lines that stand furthest left where too long."""
    return list(_halved(0, len(lines), 0, lines, weights))


def _cut(
    node: Node, start: int, end: int, depth: int, lines: Sequence[str], weights: Weights
) -> Iterator[Piece]:
    if weights.of(start, end) <= (LARGEST if depth else TARGET):
        yield Piece(start, end, depth)
        return
    groups = list(_groups(node, start, end))
    if len(groups) == 1 and groups[0][2] is None:
        yield from _halved(start, end, depth, lines, weights)
        return
    for first, last, inner in groups:
        if inner is None:
            yield from _halved(first, last, depth + 1, lines, weights)
        else:
            yield from _cut(inner, first, last, depth + 1, lines, weights)


def _groups(node: Node, start: int, end: int) -> list[tuple[int, int, Node | None]]:
    """Lines of each child with what leads up to it, and the child where it could be cut further."""
    starts: list[tuple[int, Node]] = []
    leading: int | None = None
    for child in node.children:
        row = child.start_point.row
        if row < start or row >= end:
            continue
        if _leads(child):
            leading = row if leading is None else leading
            continue
        begin = row if leading is None else leading
        leading = None
        if not starts or begin > _last(starts[-1][1]):
            starts.append((begin, child))
        elif child.end_byte - child.start_byte > _bytes(starts[-1][1]):
            starts[-1] = (starts[-1][0], child)
    cuts = [start, *(row for row, _ in starts[1:]), end]
    inner: list[Node | None] = [child for _, child in starts]
    return [
        (first, last, child if child is not None and child.child_count else None)
        for first, last, child in zip(cuts[:-1], cuts[1:], inner or [None], strict=True)
    ]


def _leads(node: Node) -> bool:
    """Whether it belongs to what comes after it."""
    return "comment" in node.type or node.type in {
        "decorator",
        "attribute_item",
        "attribute_list",
        "annotation",
        "modifiers",
        "signature",
        "unary_operator",  # Elixir's @doc and @spec
        "haddock",
    }


def _halved(
    start: int, end: int, depth: int, lines: Sequence[str], weights: Weights
) -> Iterator[Piece]:
    """Cut in two at the best seam near the middle, again and again."""
    if weights.of(start, end) <= LARGEST or end - start < 2:
        yield Piece(start, end, depth)
        return
    seam = _seam(start, end, lines)
    yield from _halved(start, seam, depth + 1, lines, weights)
    yield from _halved(seam, end, depth + 1, lines, weights)


def _seam(start: int, end: int, lines: Sequence[str]) -> int:
    """The line before which to cut, in the middle half: after a blank line, and far left."""
    quarter = max(1, (end - start) // 4)
    middle = (start + end) // 2

    def badness(row: int) -> tuple[float, int]:
        line, before = lines[row], lines[row - 1]
        indent = len(line) - len(line.lstrip()) if line.strip() else 1_000
        return (indent + (0 if not before.strip() else 8), abs(row - middle))

    return min(range(start + quarter, max(start + quarter + 1, end - quarter)), key=badness)


def _last(node: Node) -> int:
    return node.end_point.row


def _bytes(node: Node) -> int:
    return node.end_byte - node.start_byte
