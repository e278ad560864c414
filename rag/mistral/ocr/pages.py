"""One page of an OCR reply -> its running text, and blocks that are spans of it."""

import re
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from rag.domain import Block, Page
from rag.mistral.ocr.alignment import Range, align
from rag.mistral.ocr.boxes import box_of
from rag.mistral.ocr.furniture import Furniture
from rag.mistral.ocr.inlining import Insets, clean, insets
from rag.mistral.ocr.leftovers import left_over
from rag.mistral.ocr.links import Links, links
from rag.mistral.ocr.printed import KINDS, PrintedBlock, share
from rag.mistral.wire.ocr import OcrBlock, OcrPage
from rag.pages import LoosePage

_POINTS_PER_INCH = 72

_HEADING_MARK = re.compile(r" {0,3}(#{1,6}) ")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
_PARAGRAPH_END = "\n\n"


class Reading(Struct, frozen=True):
    """What all pages of one reading have in common."""

    prefix: str
    """Of the names of pictures: short, and another for each document."""
    furniture: Furniture = Furniture()
    in_points: bool = False
    """Whether pages are measured in points; else in pixels."""


def recognized_page(page: OcrPage, number: int, model: str, reading: Reading) -> LoosePage:
    """The page as it reads: with its tables in place, and without running headers and footers.

    A block whose place is not certain gets none. Text that no block found is cut into blocks by
    its markdown; they get the boxes of blocks without a place, where the words agree.
    """
    inset = insets(page, f"{reading.prefix}-p{number}")
    body = _body(page, inset)
    linked = links(page.hyperlinks or (), body, reading.furniture.links)
    text = _running_text(page, body, inset, linked, reading.furniture)
    printed = list(_printed(page, inset, linked, reading.furniture))
    blocks = tuple(msgspec.structs.replace(b, page=number) for b in _blocks(text, printed))
    return LoosePage(text, _page(page, number, len(text), model, reading), blocks)


def _body(page: OcrPage, inset: Insets) -> str:
    """The text without what the provider took out of it as header and footer."""
    markdown = clean(page.markdown)
    unnamed = (text for name, text in inset.tables.items() if f"]({name})" not in markdown)
    told = inset.filled(markdown if markdown.strip() else _of_blocks(page))
    return _PARAGRAPH_END.join(filter(None, [told, *unnamed]))


def _running_text(
    page: OcrPage, body: str, inset: Insets, linked: Links, furniture: Furniture
) -> str:
    header, footer = (inset.filled(furniture.without(e)) for e in (page.header, page.footer))
    parts = [header, linked.written(body), footer, "\n".join(linked.loose)]
    return _BLANK_LINES.sub(_PARAGRAPH_END, _PARAGRAPH_END.join(filter(None, parts))).strip()


def _of_blocks(page: OcrPage) -> str:
    """The text of a page that has only blocks."""
    marks = {"title": "# "}
    return _PARAGRAPH_END.join(
        marks.get(block.type, "") + clean(block.content).strip()
        for block in page.blocks or ()
        if block.type not in ("header", "footer") and block.table_id is None
    )


def _printed(
    page: OcrPage, inset: Insets, linked: Links, furniture: Furniture
) -> Iterator[PrintedBlock]:
    """Blocks that may stand in the running text, with their content as it stands there."""
    for block in page.blocks or _pictures(page):
        content, kind = inset.content(block), KINDS.get(block.type, "text")
        if block.type in ("header", "footer"):
            was_taken_out = page.header if block.type == "header" else page.footer
            if kept := furniture.without(content):
                content, kind = kept, "text"
            elif was_taken_out:
                continue
        else:
            content = linked.written(content)
        if content:
            box, sure = box_of(block, page.dimensions), _confidence(block)
            yield PrintedBlock(kind, content, box, sure, block.type in ("header", "footer"))


def _pictures(page: OcrPage) -> Iterator[OcrBlock]:
    """Models without blocks still tell where pictures are."""
    at = {image.id: page.markdown.find(f"]({image.id})") for image in page.images}
    for image in sorted(page.images, key=lambda image: at[image.id]):
        if at[image.id] >= 0:
            corners = image.top_left_x, image.top_left_y, image.bottom_right_x, image.bottom_right_y
            yield OcrBlock(*corners, "image", f"![{image.id}]({image.id})")


def _blocks(text: str, printed: list[PrintedBlock]) -> Iterator[Block]:
    places = align([each.content for each in printed], text)
    homeless: list[PrintedBlock] = []
    end = 0
    for each, place in zip(printed, places, strict=True):
        if place is None:
            homeless.append(each)
            continue
        yield from left_over(text, end, place[0], homeless)
        yield _block(each, place, text)
        homeless, end = [], place[1]
    yield from left_over(text, end, len(text), homeless)


def _block(printed: PrintedBlock, place: Range, text: str) -> Block:
    start, end = place
    level = 0
    if printed.kind == "title":
        mark = _HEADING_MARK.match(text, start)
        level = len(mark[1]) if mark else 1
    return Block(printed.kind, start, end, level, box=printed.box, confidence=printed.confidence)


def _confidence(block: OcrBlock) -> float | None:
    scores = block.confidence_scores
    return share(scores.average_content_confidence_score) if scores else None


def _page(page: OcrPage, number: int, length: int, model: str, reading: Reading) -> Page:
    frame, scores = page.dimensions, page.confidence_scores
    scale = _POINTS_PER_INCH / frame.dpi if frame and frame.dpi and reading.in_points else 1.0
    return Page(
        number,
        0,
        length,
        model,
        "OCR by the provider is configured" if length else "the provider found no text",
        width=frame.width * scale if frame and frame.width > 0 else None,
        height=frame.height * scale if frame and frame.height > 0 else None,
        confidence=share(scores.average_page_confidence_score) if scores else None,
    )
