"""What is printed on a page, before it becomes a document: lines in boxes, gathered in blocks."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from msgspec import Struct

from rag.domain import Attribute, BlockKind, Box, Doubt
from rag.local.reading.frames import Bitmap, Failed, Left, Recognized


class PrintedLine(Struct, frozen=True):
    text: str
    box: Box
    joined: bool = False
    """Its last word goes on in the next line, and a hyphen there has been dropped."""
    doubts: tuple[Doubt, ...] = ()
    """Spans of its text."""


class PrintedBlock(Struct, frozen=True):
    kind: BlockKind
    lines: tuple[PrintedLine, ...]
    """In reading order. Of a table: one for each row, already with its pipes."""
    box: Box
    level: int = 0
    confidence: float | None = None


UNREAD = "none"
"""Reader of a page on which nothing was read; its reason says why."""


class PrintedPage(Struct, frozen=True):
    number: int
    width: float
    height: float
    reader: str
    reason: str
    blocks: tuple[PrintedBlock, ...] = ()
    confidence: float | None = None


class Printed(Struct, frozen=True):
    """A file as its pages."""

    pages: tuple[PrintedPage, ...]
    title: str | None = None
    """As the file's own metadata has it."""
    attributes: dict[str, Attribute] = {}
    """What it says of itself beside."""


Recognize: TypeAlias = Callable[[Sequence[Bitmap]], Sequence[Recognized | Left | Failed]]
"""Page images -> what OCR reads in each, or why it could not."""


def union(boxes: Iterable[Box]) -> Box:
    x0s, y0s, x1s, y1s = zip(*boxes, strict=True)
    return min(x0s), min(y0s), max(x1s), max(y1s)
