"""Printed pages -> the one text of a document, and the spans that lead back to paper."""

from collections.abc import Sequence

from msgspec import Struct

from rag.domain import Block, Doubt, Line, Page
from rag.local.reading.layout import PrintedBlock, PrintedPage

BETWEEN_BLOCKS = "\n\n"


class Composition(Struct, frozen=True):
    text: str
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...]


def compose(printed: Sequence[PrintedPage]) -> Composition:
    """One markdown text: blocks apart by a blank line, lines as printed.

    A block's span covers its marks (`## `, `- `); a line's span covers its words and, where it is
    the first of a list item or heading, the mark before them. Running headers and footers are
    left out of text and blocks.
    """
    writer = _Writer()
    pages = tuple(_page(writer, page) for page in printed)
    return Composition("".join(writer.parts), tuple(writer.blocks), pages)


class _Writer:
    """The text so far, and where in it we are."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.blocks: list[Block] = []

    def write(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)


def _page(writer: _Writer, page: PrintedPage) -> Page:
    shown = [b for b in page.blocks if b.lines and b.kind not in ("header", "footer")]
    if shown and writer.length:
        writer.write(BETWEEN_BLOCKS)
    start = writer.length
    for i, block in enumerate(shown):
        if i:
            writer.write(BETWEEN_BLOCKS)
        writer.blocks.append(_block(writer, block, page.number))
    return Page(
        number=page.number,
        start=start,
        end=writer.length,
        reader=page.reader,
        reason=page.reason,
        width=page.width,
        height=page.height,
        confidence=page.confidence,
    )


def _block(writer: _Writer, printed: PrintedBlock, page: int) -> Block:
    start = writer.length
    if printed.kind == "title":
        writer.write("#" * printed.level + " ")
    lines: list[Line] = []
    doubts: list[Doubt] = []
    for i, line in enumerate(printed.lines):
        if i and not printed.lines[i - 1].joined:
            writer.write(" " if printed.kind == "title" else "\n")
        line_start = writer.length
        writer.write(line.text)
        lines.append(Line(line_start, writer.length, line.box))
        doubts += (
            Doubt(line_start + doubt.start, line_start + doubt.end, doubt.confidence)
            for doubt in line.doubts
        )
    return Block(
        kind=printed.kind,
        start=start,
        end=writer.length,
        level=printed.level,
        page=page,
        box=printed.box,
        confidence=printed.confidence,
        lines=tuple(lines),
        doubts=tuple(doubts),
    )
