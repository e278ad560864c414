"""Running headers, footers and page numbers: lines at a page's edge that come back."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from rag.local.reading.pdf.fragments import Fragment
from rag.local.reading.pdf.words import Frame

EDGE = 0.12
"""Of the page's height at top and bottom, where running lines stand."""
OUTERMOST = 4
"""Fragments at each edge that are looked at: a running line has up to three parts."""
PAGES = 3
"""On which a line has to stand before it is running; in shorter documents on all, but two."""
VARYING = re.compile(r"\d+|\b[ivxlc]+\b")

Edge = Literal["header", "footer"]


def furniture(pages: Sequence[tuple[Frame, Sequence[Fragment]]]) -> list[dict[int, Edge]]:
    """For each page, which of its fragments (by index) run through the document."""
    edges = [_edges(frame, fragments) for frame, fragments in pages]
    seen = Counter(
        key
        for (_, fragments), found in zip(pages, edges, strict=True)
        for key in {(edge, _constant(fragments[i].text)) for i, edge in found.items()}
    )
    needed = max(2, min(PAGES, len(pages)))
    return [
        {i: e for i, e in found.items() if seen[e, _constant(fragments[i].text)] >= needed}
        for (_, fragments), found in zip(pages, edges, strict=True)
    ]


def _edges(frame: Frame, fragments: Sequence[Fragment]) -> dict[int, Edge]:
    order = sorted(range(len(fragments)), key=lambda i: fragments[i].box[1])
    tops = [i for i in order[:OUTERMOST] if fragments[i].box[3] < EDGE * frame.height]
    bottoms = [i for i in order[-OUTERMOST:] if fragments[i].box[1] > (1 - EDGE) * frame.height]
    found: dict[int, Edge] = dict.fromkeys(tops, "header")
    return found | dict.fromkeys(bottoms, "footer")


def _constant(text: str) -> str:
    """The text with what changes from page to page taken out."""
    return VARYING.sub("#", text.casefold())
