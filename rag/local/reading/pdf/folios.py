"""Lines that are no text of a page even where it is the only one: page numbers and what stands in
line with them, stamps of downloads, and small print at the very edge."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from rag.local.reading.pdf.fragments import Fragment
from rag.local.reading.pdf.words import Frame

Edge = Literal["header", "footer"]

NEAR = 0.12
"""Of the page's height at top and bottom, where a page number may stand alone."""
NEARER = 0.06
"""The same for a row with a page number in it: tables and their sums end further in."""
HEAD = 0.1
"""The same for a head in three parts, one of them a number of up to three digits: heads of books
stand lower on the page."""
NEAREST = 0.03
"""The same for small print, as browsers set it when they print."""
SMALL = 0.8
"""Of the size of most of the text."""
NOT_LARGER = 1.2
"""The same: larger numbers are a chapter's."""
APART = 0.6
"""Of a line's height, between such a row and the text, at least."""
FAR_APART = 2.0
"""The same for a number that stands in the middle of a page whose margin is wide."""
CENTERED = 0.02
"""Of the page's width, by which it may miss the middle."""
ROWS = 3
"""At either edge, at most."""
NUMBER = re.compile(
    r"[-–—|\[(]?\s*(?:(?:page|seite|pág\.?|p\.)\s*)?\d{1,4}(?:\s*(?:of|/|von|de|sur)\s*\d{1,4})?"
    r"\s*[-–—|\])]?|[ivxl]{1,7}",
    re.IGNORECASE,
)
FEW_DIGITS = re.compile(r"\d{1,3}").fullmatch
STAMP = re.compile(
    r"(?:this content (?:was )?)?downloaded (?:from|by|on|at)\b|download date\b"
    r"|printed (?:from|on) .*\d",
    re.IGNORECASE,
)


def outermost(fragments: Sequence[Fragment], frame: Frame, size: int) -> dict[int, Edge]:
    """By index, from both edges of the page inward to the first row that may be text.

    Args:
        size: of most of the text, in points.
    """
    from_top = _rows(fragments)
    found: dict[int, Edge] = {}
    edges: tuple[Edge, Edge] = ("header", "footer")
    for edge, rows in zip(edges, (from_top, from_top[::-1]), strict=True):
        for row, inner in pairwise(rows[: ROWS + 1]):
            some = [fragments[i] for i in row]
            if not _is_furniture(some, [fragments[i] for i in inner], frame, size):
                break
            found |= dict.fromkeys(row, edge)
    return found


def _rows(fragments: Sequence[Fragment]) -> list[list[int]]:
    """Indices of what stands on one level, from top to bottom."""
    rows: list[list[int]] = []
    for i in sorted(range(len(fragments)), key=lambda i: _middle(fragments[i])):
        if rows and _middle(fragments[i]) < fragments[rows[-1][0]].box[3]:
            rows[-1].append(i)
        else:
            rows.append([i])
    return rows


def _middle(fragment: Fragment) -> float:
    return (fragment.box[1] + fragment.box[3]) / 2


def _is_furniture(
    row: Sequence[Fragment], inner: Sequence[Fragment], frame: Frame, size: int
) -> bool:
    middle = _middle(row[0]) / frame.height
    depth = min(middle, 1 - middle)
    largest = max(fragment.style.size for fragment in row)
    white = _white(row, inner)
    if depth < NEAR and any(STAMP.match(fragment.text) for fragment in row):
        return True
    if white < APART:
        return False
    if len(row) == 1 and NUMBER.fullmatch(row[0].text) and largest <= NOT_LARGER * size:
        return depth < NEAR or (white > FAR_APART and _is_centered(row[0], frame))
    if len(row) == 3 and depth < HEAD and middle < 0.5 and any(map(FEW_DIGITS, _texts(row))):
        return True
    if largest > NOT_LARGER * size:
        return False
    if depth < NEARER and any(map(NUMBER.fullmatch, _texts(row))):
        return True
    return depth < NEAREST and largest <= SMALL * size


def _texts(row: Sequence[Fragment]) -> list[str]:
    """At the left, in the middle where there are three, and at the right."""
    placed = sorted(row, key=lambda fragment: fragment.box[0])
    ends = [placed[0], placed[-1], *placed[1 : 2 if len(placed) == 3 else 1]]
    return [fragment.text for fragment in ends]


def _is_centered(line: Fragment, frame: Frame) -> bool:
    return abs((line.box[0] + line.box[2]) / 2 / frame.width - 0.5) < CENTERED


def _white(row: Sequence[Fragment], inner: Sequence[Fragment]) -> float:
    """Between two rows, in heights of the first."""
    top, bottom = min(f.box[1] for f in row), max(f.box[3] for f in row)
    above, below = min(f.box[1] for f in inner), max(f.box[3] for f in inner)
    return max(above - bottom, top - below) / (bottom - top)
