"""Words within grids, and rows whose fragments stand in line -> tables."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct, structs

from rag.domain import Box
from rag.local.reading.layout import union
from rag.local.reading.pdf.fragments import Fragment, Style
from rag.local.reading.pdf.grids import Grid
from rag.local.reading.pdf.rows import Row, row_of
from rag.local.reading.pdf.words import Word

FILLED = 0.3
"""Of a grid's cells that have text, at least: a chart's grid has hardly any."""
FEWEST = 4
"""Filled cells of any table."""
TORN = 0.1
"""Of neighboring words in a grid that a rule parts, at most: more, and the grid is a drawing that
lies across text."""
LONG_CELL = 60
"""Words from which a cell is a paragraph."""
PROSE = 0.8
"""Of a grid's words that stand in such cells: then it is the page's layout, not a table."""
EVEN = 0.6
"""Of a row's cells that have as many lines as each other: then those lines are rows themselves."""
ALIGNED_ROWS = 2
"""From which rows in line may be a table without rules."""
SURE_CELLS = 8
"""Filled cells of such a table, at least: two rows of four, or four of two."""
ALIGNED_FILL = 0.6
"""Of the cells of such a table that have text, at least; under a full header row `SPARSE_FILL`."""
SPARSE_FILL = 0.4
CELL_WORDS = 5
"""Mean words of a cell in such a table, at most: more are columns of prose."""
ROW_GAP = 2.0
"""Of a row's height: rows of such a table stand closer."""
SIGNS = frozenset("$€£¥₹")
PLAIN = Style(0, False)
EMPTY = Fragment("", (0, 0, 0, 0), PLAIN)


class Table(Struct, frozen=True):
    """Rows with as many fragments each as there are columns; a fragment without text is an empty
    cell."""

    rows: tuple[Row, ...]
    box: Box
    first: int
    """Index in the text layer at which it begins."""
    words: frozenset[int] = frozenset()
    """Where in the text layer its words begin, if they were taken out of it."""


def ruled(words: Sequence[Word], grid: Grid) -> Table | None:
    """Those of a page's words that stand in a grid, if it is a table's; else None."""
    cells: dict[tuple[int, int], list[Word]] = defaultdict(list)
    left, top, right, bottom = grid.box
    places = [
        grid.cell(x, y)
        if left < (x := (box[0] + box[2]) / 2) < right
        and top < (y := (box[1] + box[3]) / 2) < bottom
        else None
        for box in (word.box for word in words)
    ]
    for word, place in zip(words, places, strict=True):
        if place is not None:
            cells[place].append(word)
    used_rows = sorted({row for row, _ in cells})
    used_columns = sorted({column for _, column in cells})
    if (
        len(used_rows) < 2
        or len(used_columns) < 2
        or len(cells) < FEWEST
        or len(cells) < FILLED * len(used_rows) * len(used_columns)
        or _torn(words, places) > TORN * sum(map(len, cells.values()))
        or _is_prose([len(cell) for cell in cells.values()])
    ):
        return None
    header, *body = ([cells.get((r, c), []) for c in used_columns] for r in used_rows)
    rows = [[_cell(cell) for cell in header], *(part for line in body for part in _split(line))]
    rows = with_signs(rows)
    taken = frozenset(word.first for cell in cells.values() for word in cell)
    return _table(rows, min(taken), taken)


def with_signs(rows: Sequence[Sequence[Fragment]]) -> list[list[Fragment]]:
    """The cells of a table, each sign of a currency in one cell with its amount: bookkeepers set
    them apart, and only in the first row and the last."""
    signs = [
        at
        for at in range(len(rows[0]) - 1)
        if any(row[at].text in SIGNS and row[at + 1].text for row in rows)
        and all(row[at].text in SIGNS or not (row[at].text and row[at + 1].text) for row in rows)
    ]
    merged = []
    for row in rows:
        cells = list(row)
        for at in reversed(signs):
            both = [cell for cell in cells[at : at + 2] if cell.text]
            cells[at : at + 2] = [_one(both)]
        merged.append(cells)
    return merged


def _one(cells: Sequence[Fragment]) -> Fragment:
    if not cells:
        return EMPTY
    text = " ".join(cell.text for cell in cells)
    return structs.replace(cells[-1], text=text, box=union(cell.box for cell in cells))


def _is_prose(words: Sequence[int]) -> bool:
    """Whether cells of so many words are columns and paragraphs that somebody framed."""
    return sum(n for n in words if n > LONG_CELL) > PROSE * sum(words)


def _torn(words: Sequence[Word], places: Sequence[tuple[int, int] | None]) -> int:
    """How many words go on on their line but in another cell."""
    return sum(
        here != there and not word.opens_line and word.box[0] - last.box[2] < _space(word)
        for (last, here), (word, there) in pairwise(zip(words, places, strict=True))
    )


def _space(word: Word) -> float:
    """The widest that a space in prose is likely to be."""
    return (word.box[3] - word.box[1]) / 2


def _split(cells: Sequence[Sequence[Word]]) -> list[list[Fragment]]:
    """One row of a grid, or the rows that stand in it without a rule between."""
    lines = [_lines(cell) for cell in cells]
    filled = [len(cell) for cell in lines if cell]
    most = max(filled)
    even = sum(count == most for count in filled)
    if most < 2 or even < 2 or even < EVEN * len(filled):
        return [[_cell(cell) for cell in cells]]
    return [[_cell(cell[i]) if i < len(cell) else EMPTY for cell in lines] for i in range(most)]


def _lines(cell: Sequence[Word]) -> list[list[Word]]:
    lines: list[list[Word]] = []
    for word in cell:
        if lines and word.box[1] < lines[-1][0].box[3] - _space(word):
            lines[-1].append(word)
        else:
            lines.append([word])
    return lines


def _cell(words: Sequence[Word]) -> Fragment:
    if not words:
        return EMPTY
    text = " ".join(word.text for word in words)
    return Fragment(text, union(word.box for word in words), PLAIN)


def _table(
    rows: Sequence[Sequence[Fragment]], first: int, words: frozenset[int] = frozenset()
) -> Table:
    made = [row_of(cells) for cells in rows]
    return Table(tuple(made), union(row.box for row in made), first, words)


def aligned(rows: Sequence[Row]) -> Table | None:
    """Consecutive rows of a page as a table, if their fragments stand in columns beyond doubt."""
    spans = _columns(rows)
    cells = [[_between(row, span) for span in spans] for row in rows]
    filled = [sum(bool(cell.text) for cell in row) for row in cells]
    words = sum(len(f.text.split()) for row in rows for f in row.fragments)
    needed = SPARSE_FILL if filled[0] == len(spans) > 2 else ALIGNED_FILL
    if (
        min(filled) < 2
        or sum(filled) < max(SURE_CELLS, needed * len(rows) * len(spans))
        or words > CELL_WORDS * sum(filled)
    ):
        return None
    return _table(with_signs(cells), rows[0].first)


def may_be_aligned(above: Row, below: Row) -> bool:
    gap = below.box[1] - above.box[3]
    return len(below.fragments) > 1 and -0.5 * below.height < gap < ROW_GAP * below.height


def _columns(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Stretches of the line that are covered in some row, and clear between them in all."""
    spans: list[tuple[float, float]] = []
    for x0, _, x1, _ in sorted(f.box for row in rows for f in row.fragments):
        if spans and x0 <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], x1))
        else:
            spans.append((x0, x1))
    return spans


def _between(row: Row, span: tuple[float, float]) -> Fragment:
    inside = [f for f in row.fragments if span[0] <= f.box[0] <= span[1]]
    if not inside:
        return EMPTY
    text = " ".join(f.text for f in inside)
    return Fragment(text, union(f.box for f in inside), inside[0].style)


def row_text(row: Row) -> str:
    """As markdown; a pipe within a cell would end it."""
    return "| " + " | ".join(f.text.replace("|", "\\|") for f in row.fragments) + " |"
