"""Running headers, footers and page numbers: lines near a page's edge that come back in place.

A document of one page has no lines that come back. There, and everywhere, `rag.local.reading.pdf.
folios` knows those which cannot be anything else.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct, structs

from rag.local.reading.pdf.folios import Edge, outermost
from rag.local.reading.pdf.fragments import Fragment
from rag.local.reading.pdf.words import Frame

EDGE = 0.12
"""Of the page's height at top and bottom, where running lines stand."""
MARGIN = 0.2
"""The same for lines that stand alone, on half of the pages: some heads are deep."""
OUTERMOST = 8
"""Fragments at each edge that are looked at: running lines have up to three parts, and heads are
up to three lines."""
PAGES = 3
"""On which a line has to stand before it is running; in shorter documents on all, but two."""
PLACE = 0.01
"""Of the page's height, by which a running line may move: a caption or a signature moves more."""
APART = 0.5
"""Of a line's height: lines of text stand closer."""
VARYING = re.compile(r"\d+|\b[ivxlc]+\b")


class _Line(Struct, frozen=True):
    text: str
    """With what changes from page to page taken out."""
    edge: Edge
    depth: int
    """How far it stands from that edge, in units of `PLACE`."""
    size: int
    """Points."""


def furniture(pages: Sequence[tuple[Frame, Sequence[Fragment]]]) -> list[dict[int, Edge]]:
    """For each page, which of its fragments (by index) run through the document: those that come
    back on half of the pages, and on fewer the small ones with nothing of the page further out."""
    margins = [dict(_margin(frame, fragments)) for frame, fragments in pages]
    seen = Counter(line for margin in margins for line in set(margin.values()))
    body_size = _body_size([fragment for _, fragments in pages for fragment in fragments])
    some, half = max(2, min(PAGES, len(pages))), max(PAGES, len(pages) / 2)

    def running(margin: dict[int, _Line]) -> dict[int, Edge]:
        pages_of = {i: _in_place(line, seen) for i, line in margin.items()}
        body = [line for i, line in margin.items() if pages_of[i] < some]
        return {
            i: line.edge
            for i, line in margin.items()
            if pages_of[i] >= half
            or (pages_of[i] >= some and line.size <= body_size and _is_outside(line, body))
        }

    return [
        outermost(fragments, frame, body_size) | running(margin)
        for (frame, fragments), margin in zip(pages, margins, strict=True)
    ]


def _body_size(fragments: Sequence[Fragment]) -> int:
    """Of most characters."""
    characters: Counter[int] = Counter()
    for fragment in fragments:
        characters[round(fragment.style.size)] += len(fragment.text)
    return max(characters, key=lambda size: characters[size], default=0)


def _in_place(line: _Line, seen: Counter[_Line]) -> int:
    """On how many pages it stands, give or take `PLACE`."""
    return sum(seen[structs.replace(line, depth=line.depth + step)] for step in (-1, 0, 1))


def _is_outside(line: _Line, body: Sequence[_Line]) -> bool:
    innermost = min(
        (other.depth for other in body if other.edge == line.edge), default=EDGE / PLACE
    )
    return line.depth < min(innermost, EDGE / PLACE)


def _margin(frame: Frame, fragments: Sequence[Fragment]) -> Iterator[tuple[int, _Line]]:
    order = sorted(range(len(fragments)), key=lambda i: fragments[i].box[1])
    for i in {*order[:OUTERMOST], *order[-OUTERMOST:]}:
        _, top, _, bottom = fragments[i].box
        middle = (top + bottom) / 2 / frame.height
        depth = min(middle, 1 - middle)
        if depth < EDGE or (depth < MARGIN and _stands_alone(fragments[i], fragments)):
            text = VARYING.sub("#", fragments[i].text.casefold())
            edge: Edge = "header" if middle < MARGIN else "footer"
            yield i, _Line(text, edge, round(depth / PLACE), round(fragments[i].style.size))


def _stands_alone(line: Fragment, fragments: Sequence[Fragment]) -> bool:
    """Whether nothing but its own row is near it."""
    _, top, _, bottom = line.box
    gap = APART * line.height
    return not any(
        bottom <= other.box[1] < bottom + gap or top - gap < other.box[3] <= top
        for other in fragments
    )
