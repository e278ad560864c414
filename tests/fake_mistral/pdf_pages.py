"""A PDF -> blocks by its text layer: rows, tables, paragraphs, and what stands in the margins."""

import re
import statistics
from collections.abc import Iterator, Sequence
from itertools import groupby

import pypdfium2
import pypdfium2.raw as pdfium
from msgspec import Struct

from .derived import derived_lines
from .layouts import DPI, Box, Item, Kind, PageLayout, Unparsable

_PER_POINT = DPI / 72

_BULLET = re.compile(r"([•‣▪*–-]|\d{1,2}[.)])\s+")

_MARGIN = 0.06
"""Of a page's height: what stands alone above or below is a header or a footer."""


class _Piece(Struct, frozen=True):
    """Text that the document draws in one go."""

    box: Box
    text: str


def pdf_pages(content: bytes) -> tuple[PageLayout, ...]:
    """
    Raises:
        Unparsable: it is damaged, or locked.
    """
    try:
        pdf = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise Unparsable from error
    try:
        seeds = (content + str(number).encode() for number in range(len(pdf)))
        return tuple(_pdf_page(pdf[number], seed) for number, seed in enumerate(seeds))
    finally:
        pdf.close()


def _pdf_page(page: pypdfium2.PdfPage, seed: bytes) -> PageLayout:
    width, height = page.get_size()
    frame = (round(width * _PER_POINT), round(height * _PER_POINT))
    images = tuple(_images(page, height))
    items = [*_items(list(_pieces(page, height)), frame[1])]
    if images and not items:  # a scan without a text layer
        items = [*derived_lines(seed, "A scanned page.", *frame)]
    page.close()
    return PageLayout(*frame, (*items, *images))


def _pieces(page: pypdfium2.PdfPage, height: float) -> Iterator[_Piece]:
    text_page = page.get_textpage()
    for number in range(text_page.count_rects()):
        left, bottom, right, top = text_page.get_rect(number)
        text = text_page.get_text_bounded(left, bottom, right, top)
        if text := " ".join(text.split()):
            yield _Piece(_pixels(left, height - top, right, height - bottom), text)
    text_page.close()


def _images(page: pypdfium2.PdfPage, height: float) -> Iterator[Item]:
    for drawn in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE]):
        left, bottom, right, top = drawn.get_bounds()
        yield Item("image", _pixels(left, height - top, right, height - bottom))


def _pixels(left: float, top: float, right: float, bottom: float) -> Box:
    left, top, right, bottom = (max(0, round(x * _PER_POINT)) for x in (left, top, right, bottom))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _items(pieces: Sequence[_Piece], page_height: int) -> Iterator[Item]:
    """Pieces on one line become a row of cells, rows alike a table, and lines close to one another
    and of one size a paragraph."""
    rows = list(_rows(pieces))
    if not rows:
        return
    usual = statistics.median(_height(cell.box) for row in rows for cell in row)
    for count, group in groupby(rows, len):
        alike = list(group)
        if count > 1 and len(alike) > 1:
            box = _around([cell.box for row in alike for cell in row])
            texts = tuple(tuple(cell.text for cell in row) for row in alike)
            yield Item("table", box, rows=texts)
        else:
            lines = [_joined(row) for row in alike]
            yield from _paragraphs(lines, usual, page_height)


def _rows(pieces: Sequence[_Piece]) -> Iterator[list[_Piece]]:
    row: list[_Piece] = []
    for piece in pieces:
        if row and _is_same_line(row[-1].box, piece.box):
            gap = piece.box[0] - row[-1].box[2]
            if gap > 1.5 * _height(piece.box):
                row.append(piece)
            else:
                row[-1] = _joined((row[-1], piece))
            continue
        if row:
            yield row
        row = [piece]
    if row:
        yield row


def _is_same_line(one: Box, next_: Box) -> bool:
    overlap = min(one[3], next_[3]) - max(one[1], next_[1])
    return next_[0] >= one[0] and overlap > 0.5 * min(_height(one), _height(next_))


def _paragraphs(lines: Sequence[_Piece], usual: float, page_height: int) -> Iterator[Item]:
    paragraph: list[_Piece] = []
    for line in lines:
        if paragraph and not _continues(paragraph[-1], line):
            yield _item(paragraph, usual, page_height)
            paragraph = []
        paragraph.append(line)
    if paragraph:
        yield _item(paragraph, usual, page_height)


def _continues(above: _Piece, line: _Piece) -> bool:
    gap = line.box[1] - above.box[3]
    sizes = sorted((_height(above.box), _height(line.box)))
    is_item = bool(_BULLET.match(line.text))
    return -sizes[0] < gap < sizes[0] and sizes[1] < 1.6 * sizes[0] and not is_item


def _item(lines: Sequence[_Piece], usual: float, page_height: int) -> Item:
    whole = _joined(lines)
    kind: Kind = "text"
    if len(lines) == 1 and whole.box[3] < _MARGIN * page_height:
        kind = "header"
    elif len(lines) == 1 and whole.box[1] > (1 - _MARGIN) * page_height:
        kind = "footer"
    elif _BULLET.match(whole.text):
        kind = "list"
    elif _height(lines[0].box) > 1.3 * usual and len(whole.text) < 120:
        kind = "title"
    return Item(kind, whole.box, whole.text)


def _joined(pieces: Sequence[_Piece]) -> _Piece:
    box = _around([piece.box for piece in pieces])
    return _Piece(box, " ".join(piece.text for piece in pieces))


def _around(boxes: Sequence[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _height(box: Box) -> int:
    return box[3] - box[1]
