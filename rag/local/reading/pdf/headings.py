"""Which blocks are headings, and of which level: larger or bolder than the text they head."""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import structs

from rag.local.reading.pdf.blocks import Gathered
from rag.local.reading.pdf.fragments import Style

LARGER = 1.12
"""Times the body's size: below that, sizes differ by accident."""
LONGEST = 160
"""Characters; headings longer than that are statements in large print."""
MOST_ROWS = 4
DEEPEST = 6


def with_headings(pages: Sequence[Sequence[Gathered]]) -> list[list[Gathered]]:
    """The same blocks, headings as `title`. Levels are ranks of the styles that headings have in
    this document, larger first, bold before regular."""
    body = _body([block for page in pages for block in page])
    styles = {_ranked(b.style) for page in pages for b in page if _is_heading(b, body)}
    ranks = {style: i for i, style in enumerate(sorted(styles, reverse=True), start=1)}

    def titled(block: Gathered) -> Gathered:
        if not _is_heading(block, body):
            return block
        level = min(ranks[_ranked(block.style)], DEEPEST)
        return structs.replace(block, kind="title", level=level)

    return [[titled(block) for block in page] for page in pages]


def _ranked(style: Style) -> tuple[int, bool]:
    """Sizes within half a point are one."""
    return round(style.size), style.is_bold


def _body(blocks: Iterable[Gathered]) -> Style:
    """The style of most characters."""
    characters: Counter[Style] = Counter()
    for block in blocks:
        for row in block.rows:
            characters[row.style] += len(row.text)
    return characters.most_common(1)[0][0] if characters else Style(0, False)


def _is_heading(block: Gathered, body: Style) -> bool:
    if block.kind != "text" or len(block.rows) > MOST_ROWS:
        return False
    text = block.text
    if len(text) > LONGEST or not _has_word(text) or text.endswith((",", ";")):
        return False
    style = block.style
    if style.size >= LARGER * body.size:
        return True
    is_bolder = style.is_bold and not body.is_bold and style.size >= body.size / LARGER
    return is_bolder and not text.endswith(".") and all(r.style.is_bold for r in block.rows)


def _has_word(text: str) -> bool:
    return any(sum(c.isalpha() for c in word) >= 3 for word in text.split()) or (
        sum(c.isalpha() for c in text) >= 2 and not text.isascii()
    )
