"""Rows of a page -> blocks: what stands together and looks alike."""

import re
from collections.abc import Sequence

from msgspec import Struct

from rag.domain import BlockKind, Box
from rag.local.reading.layout import union
from rag.local.reading.pdf.bidi import RIGHT_TO_LEFT
from rag.local.reading.pdf.fragments import Style
from rag.local.reading.pdf.rows import Row
from rag.local.reading.pdf.tables import Table

LEADING = 0.7
"""Of the line's height: a wider gap to the next line begins a new paragraph."""
OVERLAP = -0.6
"""Of the line's height: boxes of a font's full height overlap in tightly set text."""
SAME_SIZE = 0.12
"""By which sizes of one paragraph may differ: small capitals, and rounding."""
INDENT = 0.5
"""Of the line's height: the least indentation that begins a paragraph after a full stop."""
BULLET = re.compile(r"([•‣◦▪▫■□●○◆◇▶►➢➤✓✔·∙§]|[\uf0a7\uf0b7\uf0d8\uf0fc]|[-–—*](?=\s))\s*(?=\S)")
NUMBER = re.compile(r"\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)]\s+(?=\S)")
ROOM = 1.5
"""Times the next line's first word: where as much is left of a line, the paragraph ends there."""
STOPS = tuple(".!?")
CLOSING = "”\"')’"
ENDINGS = tuple(".!?:;)”\"'’")


class Gathered(Struct, frozen=True):
    """Rows that are one block of a page."""

    rows: tuple[Row, ...]
    kind: BlockKind = "text"
    level: int = 0

    @property
    def box(self) -> Box:
        return union(row.box for row in self.rows)

    @property
    def text(self) -> str:
        return " ".join(row.text for row in self.rows)

    @property
    def style(self) -> Style:
        return self.rows[0].style


def gathered(rows: Sequence[Row | Table]) -> list[Gathered]:
    """Runs of consecutive rows, each below the one before and set alike; tables as they are."""
    found: list[Gathered] = []
    run: list[Row] = []
    for row in rows:
        if run and (isinstance(row, Table) or not _follows(run, row)):
            found.append(Gathered(tuple(run)))
            run = []
        if isinstance(row, Table):
            found.append(Gathered(row.rows, "table"))
        else:
            run.append(row)
    return [*found, Gathered(tuple(run))] if run else found


def begins_item(text: str) -> bool:
    return BULLET.match(text) is not None or NUMBER.match(text) is not None


def _follows(run: list[Row], row: Row) -> bool:
    above = run[-1]
    height = min(above.height, row.height)
    gap = row.box[1] - above.box[3]
    overlaps = min(above.box[2], row.box[2]) > max(above.box[0], row.box[0])
    return (
        overlaps
        and OVERLAP * height < gap < LEADING * height
        and _look_alike(above.style, row.style)
        and not begins_item(row.text)
        and not _is_indented(run, row)
        and not _is_ended(run, row)
    )


def _look_alike(one: Style, other: Style) -> bool:
    return one.is_bold == other.is_bold and abs(one.size - other.size) <= SAME_SIZE * max(
        one.size, other.size
    )


def _is_indented(run: list[Row], row: Row) -> bool:
    """Whether this line begins a paragraph by its indentation alone."""
    above = run[-1]
    indent = row.box[0] - above.box[0]
    is_first = len(run) == 1
    return (
        indent > INDENT * row.height
        and above.text.endswith(ENDINGS)
        and not (is_first and begins_item(above.text))
    )


def _is_ended(run: list[Row], row: Row) -> bool:
    """Whether the paragraph stops on a line that had room for the next word."""
    above = run[-1]
    if not above.text.rstrip(CLOSING).endswith(STOPS) or RIGHT_TO_LEFT.search(row.text):
        return False
    edge = max(line.box[2] for line in (*run, row))
    word = (row.text.find(" ") + 1 or len(row.text)) / len(row.text) * (row.box[2] - row.box[0])
    return edge - above.box[2] > ROOM * word
