"""Span of a block -> where a person finds it: boxes on a page, or lines of a text."""

import unicodedata
from collections.abc import Iterator

from rag.domain import Box, Line, PageBoxes
from rag.grounding.cells import cells_under
from rag.grounding.passages import Part


def pages_of(part: Part) -> tuple[PageBoxes, ...]:
    """The page with the box of each printed line that the span touches, from the line's left to
    its right as far as the span goes. Characters count as equally wide, those of East Asia as two.

    A row of a table has its box whole: how wide its columns are does not follow from their words.
    The block's own box where its lines are not known, and no box where that is not either. Of a
    sheet's cells, those that the span stands in.
    """
    block = part.evidence.block
    if block.page is None:
        return ()
    boxes = tuple(_line_boxes(part)) or ((block.box,) if block.box else ())
    place = block.place and cells_under(block.place, part.evidence.text, part.start, part.end)
    return (PageBoxes(block.page, boxes, place),)


def lines_of(part: Part) -> tuple[int, int] | None:
    """First and last line of the document's text, from 1; None where there are pages."""
    if part.evidence.first_line is None:
        return None
    first = part.evidence.first_line + part.evidence.text.count("\n", 0, part.start)
    return first, first + part.text.count("\n")


_TALLEST = 8
"""Times as high as its characters are wide, on average, is no line of print: text is about twice
as high as wide. It is set upright, or it is several lines, and has no left part to speak of."""


def _line_boxes(part: Part) -> Iterator[Box]:
    offset = part.evidence.block.start
    for line in part.evidence.block.lines:
        start, end = max(part.start + offset, line.start), min(part.end + offset, line.end)
        if start < end and part.evidence.block.kind == "table":
            yield line.box
        elif start < end:
            text = part.evidence.text[line.start - offset : line.end - offset]
            yield _share(line, text, start - line.start, end - line.start)


def _share(line: Line, text: str, start: int, end: int) -> Box:
    x0, y0, x1, y1 = line.box
    total = _width(text) or 1
    if y1 - y0 > _TALLEST * (x1 - x0) / total:
        return line.box
    left, right = _width(text[:start]) / total, _width(text[:end]) / total
    if _runs_leftward(text):
        left, right = 1 - right, 1 - left
    return x0 + (x1 - x0) * left, y0, x0 + (x1 - x0) * right, y1


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)


def _runs_leftward(text: str) -> bool:
    """By the first character that has a direction (rule P2 of the Unicode bidirectional
    algorithm, UAX 9)."""
    if text.isascii():
        return False
    directions = (unicodedata.bidirectional(character) for character in text)
    return next((d for d in directions if d in {"L", "R", "AL"}), "L") != "L"
