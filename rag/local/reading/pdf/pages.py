"""Layers of all pages -> printed pages: what only the whole document can tell."""

from collections.abc import Sequence

from rag.domain import Box
from rag.local.reading.layout import UNREAD, PrintedBlock, PrintedLine, PrintedPage, union
from rag.local.reading.pdf.beginnings import captioned, item_text, listed
from rag.local.reading.pdf.blocks import Gathered, gathered
from rag.local.reading.pdf.folios import Edge
from rag.local.reading.pdf.furniture import furniture
from rag.local.reading.pdf.headings import with_headings
from rag.local.reading.pdf.hyphens import joined, vocabulary
from rag.local.reading.pdf.layer import SOUND, Layer
from rag.local.reading.pdf.order import in_order
from rag.local.reading.pdf.rows import Row, row_of
from rag.local.reading.pdf.tables import row_text
from rag.local.reading.pdf.words import Frame

TEXT_LAYER = "text-layer"


def printed(layers: Sequence[Layer]) -> list[PrintedPage]:
    """One page for each layer; those without a sound one stay unread."""
    running = furniture([(layer.frame, layer.fragments) for layer in layers])
    pages = with_headings([_blocks(*both) for both in zip(layers, running, strict=True)])
    known = vocabulary(f.text for layer in layers for f in layer.fragments)
    return [
        _page(i, layer, [_block(block, layer.frame, known) for block in blocks])
        for i, (layer, blocks) in enumerate(zip(layers, pages, strict=True), start=1)
    ]


def _page(number: int, layer: Layer, blocks: Sequence[PrintedBlock]) -> PrintedPage:
    reader = TEXT_LAYER if layer.reason == SOUND else UNREAD
    frame = layer.frame
    reason = "; ".join(filter(None, (layer.reason, layer.note)))
    return PrintedPage(number, frame.width, frame.height, reader, reason, tuple(blocks))


def _blocks(layer: Layer, running: dict[int, Edge]) -> list[Gathered]:
    body = [f for i, f in enumerate(layer.fragments) if i not in running]
    edges = [Gathered((row_of([layer.fragments[i]]),), edge) for i, edge in running.items()]
    blocks = gathered(in_order(body, layer.tables, layer.frame.width))
    return captioned(listed(blocks)) + edges


def _block(block: Gathered, frame: Frame, known: frozenset[str]) -> PrintedBlock:
    boxes = _fractions([row.box for row in block.rows], frame)
    lines = tuple(
        PrintedLine(_line_text(block, i, row), box)
        for i, (row, box) in enumerate(zip(block.rows, boxes, strict=True))
    )
    if block.kind == "table":
        lines = (lines[0], _delimiters(block.rows[0], lines[0]), *lines[1:])
    else:
        lines = joined(lines, known)
    return PrintedBlock(block.kind, lines, union(boxes), block.level)


def _line_text(block: Gathered, i: int, row: Row) -> str:
    if block.kind == "table":
        return row_text(row)
    return item_text(row.text) if block.kind == "list" else row.text


def _delimiters(header: Row, line: PrintedLine) -> PrintedLine:
    """Markdown's row of dashes, standing where the header row's lower edge is."""
    x0, _, x1, y1 = line.box
    return PrintedLine("|" + " --- |" * len(header.fragments), (x0, y1, x1, y1))


def _fractions(boxes: Sequence[Box], frame: Frame) -> list[Box]:
    """On the page, in ten-thousandths: a tenth of a point."""
    width, height = frame.width, frame.height
    return [
        (_rounded(x0 / width), _rounded(y0 / height), _rounded(x1 / width), _rounded(y1 / height))
        for x0, y0, x1, y1 in boxes
    ]


def _rounded(fraction: float) -> float:
    return round(fraction, 4) if 0 < fraction < 1 else float(fraction >= 1)
