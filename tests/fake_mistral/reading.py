"""The bytes of a document -> what stands where on its pages, in pixels. A PDF is read by its text
layer; an image becomes a few lines derived from its bytes, the same ones each time."""

import hashlib
import io
import re
import statistics
import zipfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Literal, TypeAlias

import pypdfium2
import pypdfium2.raw as pdfium
from msgspec import Struct
from PIL import Image, UnidentifiedImageError

DPI = 200
_PER_POINT = DPI / 72

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""

Kind: TypeAlias = Literal["title", "text", "list", "table", "image", "header", "footer"]

_OFFICE_PART = re.compile(r"word/document\.xml$|ppt/slides/slide\d+\.xml$|xl/sharedStrings\.xml$")
_OFFICE_TEXT = re.compile(r"<(?:\w+:)?t(?: [^>]*)?>([^<]*)<")
_OFFICE_END = re.compile(r"</(?:w:p|a:p|si)>")

_BULLET = re.compile(r"([•‣▪*–-]|\d{1,2}[.)])\s+")

_MARGIN = 0.06
"""Of a page's height: what stands alone above or below is a header or a footer."""

_WORDS = (
    *("annual", "balance", "cash", "contract", "delivery", "estimate", "freight", "garden"),
    *("harbor", "invoice", "journal", "kettle", "ledger", "margin", "notice", "order", "payment"),
    *("quarter", "receipt", "supply", "total", "unit", "voucher", "warehouse"),
)

_IMAGE_OF_ONE_LINE = 1_024  # bytes

_SMALLEST_FRAME = 64
"""Pixels; a smaller image is read on a sheet."""

_SHEET = (1700, 2200)
"""Pixels of a letter page."""


class Unparsable(Exception):
    """These bytes are no document."""


class Item(Struct, frozen=True):
    """One block: its text, or its rows where it is a table."""

    kind: Kind
    box: Box
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


class PageLayout(Struct, frozen=True):
    width: int
    height: int
    items: tuple[Item, ...] = ()


@lru_cache(maxsize=64)
def layout(content: bytes, *, is_image: bool) -> tuple[PageLayout, ...]:
    """
    Raises:
        Unparsable: nothing can be read from it.
    """
    if is_image:
        return _image_pages(content)
    if b"%PDF-" in content[:1024]:
        return _pdf_pages(content)
    if is_office(content):
        return _office_pages(content)
    try:
        return (_text_page(content.decode()),)
    except UnicodeDecodeError as error:
        raise Unparsable from error


def is_office(content: bytes) -> bool:
    return content.startswith(b"PK\x03\x04")


def _office_pages(content: bytes) -> tuple[PageLayout, ...]:
    """Paragraphs of the parts that hold text: of a document, a slide, a workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = sorted(filter(_OFFICE_PART.search, archive.namelist()))
            parts = [archive.read(name).decode() for name in names]
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise Unparsable from error
    if not parts:
        raise Unparsable
    return tuple(
        _text_page(
            "\n".join("".join(_OFFICE_TEXT.findall(each)) for each in _OFFICE_END.split(part))
        )
        for part in parts
    )


def _text_page(text: str) -> PageLayout:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    items = (
        Item("text", (100, 100 + 40 * number, 1600, 136 + 40 * number), line)
        for number, line in enumerate(lines)
    )
    return PageLayout(1700, 200 + 40 * len(lines), tuple(items))


# --- images --------------------------------------------------------------------------------------


def _image_pages(content: bytes) -> tuple[PageLayout, ...]:
    try:
        with Image.open(io.BytesIO(content)) as image:
            (width, height), frames = image.size, getattr(image, "n_frames", 1)
    except (UnidentifiedImageError, OSError, ValueError):
        width, height, frames = 0, 0, 1
    if min(width, height) < _SMALLEST_FRAME:
        width, height = _SHEET
    what = f"An image of {len(content)} bytes." if frames == 1 else "Frame {}."
    return tuple(
        PageLayout(width, height, _derived_lines(content, what.format(n), width, height))
        for n in range(1, frames + 1)
    )


def _derived_lines(content: bytes, first: str, width: int, height: int) -> tuple[Item, ...]:
    digest = hashlib.sha256(content + first.encode()).digest()
    said = [first]
    if len(content) > _IMAGE_OF_ONE_LINE:
        said += (_sentence(digest[at : at + 6]) for at in range(0, 24, 6))
    step = height / (len(said) + 2)
    return tuple(
        Item("text", (width // 10, int(step * n), width - width // 10, int(step * (n + 0.8))), text)
        for n, text in enumerate(said, 1)
    )


def _sentence(seed: bytes) -> str:
    words = [_WORDS[byte % len(_WORDS)] for byte in seed[:5]]
    return f"{' '.join(words).capitalize()} {seed[5]}."


# --- PDF -----------------------------------------------------------------------------------------


class _Piece(Struct, frozen=True):
    """Text that the document draws in one go."""

    box: Box
    text: str


def _pdf_pages(content: bytes) -> tuple[PageLayout, ...]:
    try:
        pdf = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise Unparsable from error
    try:
        return tuple(_pdf_page(pdf[number]) for number in range(len(pdf)))
    finally:
        pdf.close()


def _pdf_page(page: pypdfium2.PdfPage) -> PageLayout:
    width, height = page.get_size()
    frame = (round(width * _PER_POINT), round(height * _PER_POINT))
    images = tuple(_images(page, height))
    items = [*_items(list(_pieces(page, height)), frame[1])]
    if images and not items:  # a scan without a text layer
        seed = repr((images, frame)).encode().ljust(_IMAGE_OF_ONE_LINE + 1)
        items = [*_derived_lines(seed, "A scanned page.", *frame)]
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
