"""A document read on from a place: whole blocks, as many as there is room for."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from rag.browsing.outlines import headings_at
from rag.domain import Block, Document, DocumentId, Version
from rag.errors import NotFound

LONGEST_PIECE = 2_000
"""Characters: a longer block is cut at a line or a space, so that there is room for a part."""

Count: TypeAlias = Callable[[Sequence[str]], list[int]]
"""Texts -> tokens of each."""

Span: TypeAlias = tuple[int, int]


class Place(Struct, frozen=True):
    """Where to read: at a character of the text, or at the beginning of a page."""

    at: int = 0
    page: int | None = None


class Opened(Struct, frozen=True):
    """A part of a document: `document.text[start:end] == text`."""

    document_id: DocumentId
    version: Version
    key: str
    title: str
    text: str
    start: int
    end: int
    tokens: int
    """As the collection's own model counts them."""
    blocks: tuple[Block, ...]
    """That the part covers, each with its page and box; without their lines."""
    pages: tuple[int, ...]
    lines: tuple[int, int] | None
    """First and last, from 1; None where there are pages."""
    heading_path: tuple[str, ...]
    """Over where the part begins."""
    previous: int | None
    """The place to open for the part before this one; None at the beginning."""
    next: int | None
    """The place to open for the part after it; None at the end."""


def opened(
    document: Document,
    id: DocumentId,
    place: Place,
    max_tokens: int,
    count: Count,
    *,
    before: float = 0.0,
) -> Opened:
    """
    Args:
        max_tokens: of all text; a single piece is given whole even if it has more.
        before: share of them for what stands before the place.

    Raises:
        NotFound: the document has no such place.
    """
    pieces = _pieces(document)
    at = place_in(document, place)
    begin = min(bisect_right([end for _, end in pieces], at), len(pieces) - 1)
    costs = _Costs(document, pieces, count)
    first = costs.backward(begin, min(max_tokens * before, max_tokens - costs.of(begin)))
    last = costs.forward(first, max_tokens)
    last = max(last, begin)
    start, end = pieces[first][0], pieces[last][1]
    covered = tuple(b for b in document.blocks if b.start < end and b.end > start)
    page_numbers = [page.number for page in document.pages if page.start < end and page.end > start]
    line = document.text.count("\n", 0, start) + 1
    text = document.text[start:end]
    return Opened(
        document_id=id,
        version=document.version,
        key=document.key,
        title=document.title,
        text=text,
        start=start,
        end=end,
        tokens=sum(costs.of(n) for n in range(first, last + 1)),
        blocks=tuple(replace(block, lines=(), doubts=()) for block in covered),
        pages=tuple(page_numbers),
        lines=None if document.pages else (line, line + text.count("\n")),
        heading_path=headings_at(document, start),
        previous=pieces[costs.page_before(first, max_tokens)][0] if first else None,
        next=pieces[last + 1][0] if last + 1 < len(pieces) else None,
    )


def place_in(document: Document, place: Place) -> int:
    """
    Raises:
        NotFound: the document has no such place.
    """
    if place.page is not None:
        for page in document.pages:
            if page.number == place.page:
                return page.start
        there = f"pages 1 to {len(document.pages)}" if document.pages else "no pages"
        raise NotFound(f"{document.key!r} has {there}, not {place.page}")
    if place.at and place.at >= len(document.text):
        raise NotFound(f"{document.key!r} has {len(document.text)} characters, from 0")
    return place.at


class _Costs:
    """Tokens of pieces, counted when they are asked for."""

    def __init__(self, document: Document, pieces: Sequence[Span], count: Count) -> None:
        self._text, self._pieces, self._count = document.text, pieces, count
        self._known: dict[int, int] = {}

    def of(self, n: int) -> int:
        if n not in self._known:
            start, end = self._pieces[n]
            [self._known[n]] = self._count([self._text[start:end]])
        return self._known[n]

    def forward(self, n: int, room: float) -> int:
        """The last piece from `n` on for which there is room; `n` at least."""
        room -= self.of(n)
        while n + 1 < len(self._pieces) and self.of(n + 1) <= room:
            n += 1
            room -= self.of(n)
        return n

    def page_before(self, n: int, room: float) -> int:
        """The first piece of a part that ends where piece `n` begins."""
        return self.backward(n - 1, room - self.of(n - 1))

    def backward(self, n: int, room: float) -> int:
        """The first piece before `n` for which there is room; `n` where there is none."""
        while n > 0 and self.of(n - 1) <= room:
            n -= 1
            room -= self.of(n)
        return n


def _pieces(document: Document) -> list[Span]:
    """Spans in reading order, at least one."""
    whole = Block("text", 0, len(document.text))
    return [
        piece
        for block in document.blocks or (whole,)
        for piece in _cut(document.text, block.start, block.end)
    ] or [(0, len(document.text))]


def _cut(text: str, start: int, end: int) -> list[Span]:
    pieces = []
    while end - start > LONGEST_PIECE:
        reach = start + LONGEST_PIECE
        gaps = (text.rfind(gap, start + 1, reach) for gap in "\n ")
        cut = next((gap + 1 for gap in gaps if gap > 0), reach)
        pieces.append((start, cut))
        start = cut
    return [*pieces, (start, end)]
