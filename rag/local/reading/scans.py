"""Page images -> printed pages, by way of OCR."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from statistics import median

from msgspec import Struct, structs

from rag.domain import Box
from rag.local.ocr.page import OcrLine, OcrPage
from rag.local.reading.frames import Bitmap, Failed, Left, Recognized
from rag.local.reading.layout import (
    UNREAD,
    PrintedBlock,
    PrintedLine,
    PrintedPage,
    Recognize,
    union,
)

BATCH = 4
"""Pages sent at once: enough to keep two engines busy, and 50 MB in flight at 200 dpi."""
ENOUGH_LINES = 6
"""On a page, before some of them can be said to be larger than usual."""
LARGER, LARGEST = 1.5, 2.0
"""Times the page's usual line height, from which a line is a heading and a title: with and without
ascenders and descenders, lines of one size differ by up to 1.4."""
HEADING_LINES = 3


class Scan(Struct, frozen=True):
    """A page that has to be recognized."""

    number: int
    width: float
    height: float
    """In the page's own unit: points or pixels."""
    reason: str
    bitmap: Bitmap


def recognized(scans: Iterable[Scan], recognize: Recognize) -> Iterator[PrintedPage]:
    """One page for each scan, in order; a page that OCR fails on is a page without text that says
    so. Scans are drawn as they are needed, a batch at a time."""
    pending = iter(scans)
    while batch := list(islice(pending, BATCH)):
        outcomes = recognize([scan.bitmap for scan in batch])
        for scan, outcome in zip(batch, outcomes, strict=True):
            yield printed_page(scan, outcome)


def printed_page(scan: Scan, outcome: Recognized | Left | Failed) -> PrintedPage:
    if isinstance(outcome, Left):
        return PrintedPage(scan.number, scan.width, scan.height, UNREAD, scan.reason)
    if isinstance(outcome, Failed):
        reason = f"{scan.reason}; recognition failed: {outcome.message}"
        return PrintedPage(scan.number, scan.width, scan.height, UNREAD, reason)
    page = outcome.page
    turned = f"; turned by {page.rotation}°" if page.rotation else ""
    empty = "" if page.paragraphs else "; no text found on it"
    return PrintedPage(
        number=scan.number,
        width=scan.width,
        height=scan.height,
        reader=outcome.reader,
        reason=scan.reason + turned + empty,
        blocks=_blocks(page),
        confidence=page.confidence if page.paragraphs else None,
    )


def beside(page: PrintedPage, read: PrintedPage) -> PrintedPage:
    """A page of a sound text layer, and the lines that OCR reads where it has none."""
    known = [line.box for block in page.blocks for line in block.lines]
    more = [_without(block, known) for block in read.blocks]
    found = tuple(block for block in more if block.lines)
    if not found:
        return page
    reason = f"{page.reason}; {read.reader} read what its images say"
    return structs.replace(page, reason=reason, blocks=(*page.blocks, *found))


def _without(block: PrintedBlock, known: Sequence[Box]) -> PrintedBlock:
    lines = tuple(line for line in block.lines if not any(_is_in(line.box, k) for k in known))
    return structs.replace(block, kind="image", level=0, lines=lines)


def _is_in(box: Box, other: Box) -> bool:
    """Its middle, so that two readings of one line are told from two lines."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return other[0] <= x <= other[2] and other[1] <= y <= other[3]


def _blocks(page: OcrPage) -> tuple[PrintedBlock, ...]:
    heights = [_height(line) for paragraph in page.paragraphs for line in paragraph]
    usual = median(heights) if len(heights) >= ENOUGH_LINES else float("inf")
    return tuple(_block(lines, page, usual) for lines in page.paragraphs if lines)


def _height(line: OcrLine) -> float:
    return line.box[3] - line.box[1]


def _block(lines: Sequence[OcrLine], page: OcrPage, usual: float) -> PrintedBlock:
    printed = tuple(
        PrintedLine(line.text, as_seen(line.box, page.rotation), doubts=line.doubts)
        for line in lines
    )
    characters = sum(len(line.text) for line in lines)
    confidence = sum(line.confidence * len(line.text) for line in lines) / max(1, characters)
    box = union(line.box for line in printed)
    larger = min(_height(line) for line in lines) / usual
    if larger >= LARGER and len(lines) <= HEADING_LINES and characters > 2:
        level = 1 if larger >= LARGEST else 2
        return PrintedBlock("title", printed, box, level, confidence)
    return PrintedBlock("text", printed, box, confidence=confidence)


def as_seen(box: Box, rotation: int) -> Box:
    """A box on the page turned clockwise by `rotation`, as a box on the page as it is in the
    file, which is what a viewer shows and what a citation is marked on."""
    x0, y0, x1, y1 = box
    if rotation == 90:
        return y0, 1 - x1, y1, 1 - x0
    if rotation == 180:
        return 1 - x1, 1 - y1, 1 - x0, 1 - y0
    if rotation == 270:
        return 1 - y1, x0, 1 - y0, x1
    return box
