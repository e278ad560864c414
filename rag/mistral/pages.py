"""One page of an OCR reply -> its running text, and blocks that are spans of it."""

import re
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from rag.chunking.markdown import blocks as markdown_blocks
from rag.domain import Block, BlockKind, Box
from rag.errors import MalformedReply
from rag.mistral.alignment import align
from rag.mistral.wire.decoding import PROVIDER
from rag.mistral.wire.ocr import OcrBlock, OcrDimensions, OcrPage

KINDS: dict[str, BlockKind] = {
    "title": "title",
    "text": "text",
    "list": "list",
    "table": "table",
    "image": "image",
    "equation": "equation",
    "caption": "caption",
    "code": "code",
    "header": "header",
    "footer": "footer",
    "references": "text",
    "aside_text": "text",
    "signature": "text",
}
"""The provider's kinds in our words; a kind it adds later is `text`."""

_PLACEHOLDER = re.compile(r"(!?)\[([^\[\]\n]*)\]\(([^()\s]+)\)")
_TABLE_NAME = re.compile(r"tbl-\d+\.(md|html)")
_HEADING_MARK = re.compile(r" {0,3}(#{1,6}) ")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
_PARAGRAPH_END = "\n\n"

_ENOUGH_IN_COMMON = 0.5
"""Share of a text's words that blocks must have too before their boxes are taken for its own."""


class PageText(Struct, frozen=True):
    text: str
    blocks: tuple[Block, ...]
    """In order, with spans of `text`."""


class _Printed(Struct, frozen=True):
    """A block that has something to read."""

    block: OcrBlock
    content: str


def page_text(page: OcrPage, number: int) -> PageText:
    """The page as it reads: with its tables in place, without its pictures, and without the
    running header and footer that the provider took out of it.

    A block whose place is not certain gets none. Text that no block found is cut into blocks by
    its markdown; they get the box around the blocks without a place, where the words agree.

    Raises:
        MalformedReply: the text names a table that the reply does not carry.
    """
    tables = {table.id: table.content.strip() for table in page.tables or ()}
    text = _running_text(page.markdown, tables)
    contents = ((block, _content(block, tables)) for block in page.blocks or ())
    printed = [_Printed(block, content) for block, content in contents if content]
    places = align([each.content for each in printed], text)
    blocks: list[Block] = []
    homeless: list[_Printed] = []
    end = 0
    for each, place in zip(printed, places, strict=True):
        if place is None:
            homeless.append(each)
            continue
        blocks += _left_over(text, end, place[0], homeless, page.dimensions)
        blocks.append(_block(each.block, place, text, page.dimensions))
        homeless, end = [], place[1]
    blocks += _left_over(text, end, len(text), homeless, page.dimensions)
    return PageText(text, tuple(msgspec.structs.replace(b, page=number) for b in blocks))


def _running_text(markdown: str, tables: dict[str, str]) -> str:
    filled = _filled(markdown.replace("\r\n", "\n").replace("\x00", ""), tables)
    unnamed = [text for name, text in tables.items() if text and f"]({name})" not in markdown]
    return _BLANK_LINES.sub(_PARAGRAPH_END, _PARAGRAPH_END.join([filled, *unnamed])).strip()


def _content(block: OcrBlock, tables: dict[str, str]) -> str:
    """A block as it stands in the running text."""
    named = tables.get(block.table_id or "")
    return _filled(block.content, tables).strip() if named is None else named


def _filled(markdown: str, tables: dict[str, str]) -> str:
    """Each `[tbl-0.md](tbl-0.md)` becomes its table. Each `![img-0.jpeg](img-0.jpeg)` goes: there
    is nothing to read in it, and every document has one. A picture's description stays."""

    def meaning(match: re.Match[str]) -> str:
        is_picture, label, target = match.groups()
        if is_picture:
            return "" if label == target else label
        if label != target or not (label in tables or _TABLE_NAME.fullmatch(label)):
            return match[0]
        if target not in tables:
            raise MalformedReply(PROVIDER, "found a table, and did not send it")
        return tables[target]

    return _PLACEHOLDER.sub(meaning, markdown)


def _block(
    printed: OcrBlock, place: tuple[int, int], text: str, frame: OcrDimensions | None
) -> Block:
    start, end = place
    kind = KINDS.get(printed.type, "text")
    mark = _HEADING_MARK.match(text, start)
    return Block(
        kind,
        start,
        end,
        level=(len(mark[1]) if mark else 1) if kind == "title" else 0,
        box=_box(printed, frame),
        confidence=_confidence(printed),
    )


def _left_over(
    text: str, start: int, end: int, homeless: Sequence[_Printed], frame: OcrDimensions | None
) -> Iterator[Block]:
    """Blocks of what stands between two that were found."""
    rest = text[start:end]
    near = [each for each in homeless if each.block.type not in ("header", "footer")]
    words = set(rest.split())
    shared = words.intersection(word for each in near for word in each.content.split())
    agree = bool(near) and len(shared) >= _ENOUGH_IN_COMMON * len(words)
    box = _around([_box(each.block, frame) for each in near]) if agree else None
    sure = [_confidence(each.block) for each in near] if agree else []
    lowest = min((value for value in sure if value is not None), default=None)
    for block in markdown_blocks(rest):
        yield msgspec.structs.replace(
            block, start=start + block.start, end=start + block.end, box=box, confidence=lowest
        )


def _confidence(printed: OcrBlock) -> float | None:
    scores = printed.confidence_scores
    return scores.average_content_confidence_score if scores else None


def _box(printed: OcrBlock, frame: OcrDimensions | None) -> Box | None:
    """Pixels -> fractions of the page; None for a box without an area, or without a page."""
    corners = (
        printed.top_left_x,
        printed.top_left_y,
        printed.bottom_right_x,
        printed.bottom_right_y,
    )
    x0, y0, x1, y1 = corners
    if x0 is None or y0 is None or x1 is None or y1 is None:
        return None
    if frame is None or frame.width <= 0 or frame.height <= 0:
        return None
    box = (
        _within(x0 / frame.width),
        _within(y0 / frame.height),
        _within(x1 / frame.width),
        _within(y1 / frame.height),
    )
    return box if box[0] < box[2] and box[1] < box[3] else None


def _within(fraction: float) -> float:
    return min(1.0, max(0.0, fraction))


def _around(boxes: Sequence[Box | None]) -> Box | None:
    """The smallest box that holds them all; None where one of them is not known."""
    known = [box for box in boxes if box is not None]
    if not known or len(known) < len(boxes):
        return None
    lefts, tops, rights, bottoms = zip(*known, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
