"""What blocks are by how they begin: items that follow one another, and captions."""

import re
from collections.abc import Sequence

from msgspec import structs

from rag.local.reading.pdf.blocks import BULLET, Gathered, begins_item
from rag.local.reading.pdf.rows import Row

CAPTION = re.compile(
    r"(?:figure|fig\.|table|tab\.|chart|exhibit|box|abbildung|abb\.|tabelle)\s*[A-Z]?\d+(?:[.-]\d+)*"
    r"\s?(?:[.:|–—]|$)",
    re.IGNORECASE,
)
"""A number and a stop: "Figure 3 shows that" is prose."""


def captioned(blocks: Sequence[Gathered]) -> list[Gathered]:
    return [
        structs.replace(block, kind="caption")
        if block.kind == "text" and CAPTION.match(block.text)
        else block
        for block in blocks
    ]


def listed(blocks: Sequence[Gathered]) -> list[Gathered]:
    """Bulleted items, and numbered ones where two or more follow one another, as one block."""
    found: list[Gathered] = []
    run: list[Gathered] = []
    for block in blocks:
        is_item = block.kind == "text" and begins_item(block.rows[0].text)
        if run and not (is_item and _is_below(block, run[-1])):
            found += _closed(run)
            run = []
        (run if is_item else found).append(block)
    return found + _closed(run)


def _is_below(block: Gathered, above: Gathered) -> bool:
    """Not in another column: a list that goes on there is two, with a place on the page each."""
    return block.rows[0].box[1] > above.rows[-1].box[1]


def _closed(run: list[Gathered]) -> list[Gathered]:
    if not run:
        return []
    is_list = len(run) > 1 or any(BULLET.match(item.rows[0].text) for item in run)
    rows: tuple[Row, ...] = tuple(row for item in run for row in item.rows)
    return [Gathered(rows, "list")] if is_list else run


def item_text(text: str) -> str:
    """With a bullet of any shape as `- `."""
    return BULLET.sub("- ", text, count=1)
