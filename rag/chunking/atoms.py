"""Atoms: the smallest spans that a good cut leaves whole.

A sentence of prose, an item of a list, a row of a table, a line of code. Each knows how much a cut
right behind it would hurt.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from rag.chunking.parts import equal_parts
from rag.chunking.sections import Section
from rag.domain import Block, BlockKind
from rag.sentences import sentence_starts

# What a cut costs, on a scale where an empty chunk costs 1 (`rag.chunking.cuts`).
BETWEEN_BLOCKS = 0.0
BEFORE_WHAT_A_COLON_ANNOUNCES = 0.2
AT_BLANK_LINE = 0.05
BETWEEN_ATOMS = 0.1
BETWEEN_LINES_OF_CODE = 0.3
INSIDE_ATOM = 0.5
BEHIND_HEADING = 10.0

ITEMS = re.compile(r"^[ \t]*(?:[-+*•]|\d{1,9}[.)])[ \t]", re.MULTILINE)
FENCE = re.compile(r"[ \t]*(?:`{3,}|~{3,})")
HEADER_ROWS = 3  # the delimiter row is looked for in so many lines, one being usual


class Atom(Struct, frozen=True):
    """A span of the document's text without the white space around it."""

    start: int
    end: int
    kind: BlockKind
    block: int
    """Position of its block in the section."""
    page: int | None
    cut_cost: float
    """Of a cut right behind it."""
    context: tuple[int, int] | None = None
    """Span to be repeated when a chunk begins here: the header of its table, the opening line of
    its code fence."""


def atoms_of(text: str, section: Section) -> list[Atom]:
    """The section's atoms in order; they hold everything in its blocks but white space."""
    return [
        atom
        for position, block in enumerate(section.blocks)
        for atom in _atoms_of_block(text, block, position)
    ]


def finer(text: str, atom: Atom, parts: int) -> list[Atom]:
    """An atom too large for a chunk, as its sentences, else as at least `parts` runs of words."""
    starts = [atom.start]
    if atom.kind != "code" and atom.kind != "table":
        starts = sentence_starts(text, atom.start, atom.end)
    cost = BETWEEN_ATOMS
    if len(starts) == 1:
        starts, cost = equal_parts(text, atom.start, atom.end, parts), INSIDE_ATOM
    return list(_cut_at(text, starts, atom, cost))


def _atoms_of_block(text: str, block: Block, position: int) -> Iterator[Atom]:
    whole = Atom(
        block.start,
        block.end,
        block.kind,
        position,
        block.page,
        _cost_behind(text, block),
        _context(text, block),
    )
    if block.kind == "title":
        starts = [block.start]
    elif block.kind in ("table", "code"):
        starts = _line_starts(text, block.start, block.end)
    elif block.kind == "list":
        starts = [item.start() for item in ITEMS.finditer(text, block.start, block.end)]
    else:
        starts = sentence_starts(text, block.start, block.end)
    cost = BETWEEN_LINES_OF_CODE if block.kind == "code" else BETWEEN_ATOMS
    yield from _cut_at(text, starts, whole, cost)


def _cut_at(text: str, starts: list[int], whole: Atom, cost: float) -> Iterator[Atom]:
    """`whole` in pieces; only the last keeps what a cut behind `whole` costs."""
    starts = sorted({whole.start, *starts})
    spans = [
        (start, end)
        for start, end in zip(starts, [*starts[1:], whole.end], strict=True)
        if text[start:end].strip()
    ]
    for position, (start, end) in enumerate(spans, start=1):
        piece = text[start:end]
        cut_cost = AT_BLANK_LINE if _ends_blank(piece) else cost
        yield Atom(
            start + (0 if whole.kind == "code" else len(piece) - len(piece.lstrip())),
            start + len(piece.rstrip()),
            whole.kind,
            whole.block,
            whole.page,
            whole.cut_cost if position == len(spans) else cut_cost,
            whole.context if whole.context and start >= whole.context[1] else None,
        )


def _ends_blank(piece: str) -> bool:
    return piece[len(piece.rstrip()) :].count("\n") > 1


def _cost_behind(text: str, block: Block) -> float:
    if block.kind == "title":
        return BEHIND_HEADING
    announces = block.kind == "text" and text[block.start : block.end].rstrip().endswith(
        (":", "：")
    )
    return BEFORE_WHAT_A_COLON_ANNOUNCES if announces else BETWEEN_BLOCKS


def _context(text: str, block: Block) -> tuple[int, int] | None:
    """A table's rows above its row of dashes, else its first; a fence's opening line."""
    if block.kind == "table":
        return _header(text, block)
    if block.kind == "code" and FENCE.match(text, block.start, block.end):
        return block.start, _line_end(text, block.start, block.end)
    return None


def _header(text: str, block: Block) -> tuple[int, int]:
    first_end = end = _line_end(text, block.start, block.end)
    for _ in range(HEADER_ROWS):
        next_end = _line_end(text, min(end + 1, block.end), block.end)
        if _is_delimiter_row(text[end + 1 : next_end]):
            return block.start, end
        end = next_end
    return block.start, first_end


def _is_delimiter_row(line: str) -> bool:
    return "-" in line and not line.strip("|:- \t")


def _line_starts(text: str, start: int, end: int) -> list[int]:
    """Of lines that are not blank: blank ones belong to the line above."""
    starts = []
    while start < end:
        line_end = _line_end(text, start, end)
        if text[start:line_end].strip():
            starts.append(start)
        start = line_end + 1
    return starts


def _line_end(text: str, start: int, end: int) -> int:
    found = text.find("\n", start, end)
    return end if found < 0 else found
