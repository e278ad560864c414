"""Words within grids, and rows whose fragments stand in line -> tables."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from rag.domain import Box
from rag.local.reading.layout import union
from rag.local.reading.pdf.fragments import Fragment, Style
from rag.local.reading.pdf.grids import Grid
from rag.local.reading.pdf.rows import Row
from rag.local.reading.pdf.words import Word

FILLED = 0.3
"""Of a grid's cells that have text, at least: a chart's grid has hardly any."""
ALIGNED_ROWS = 3
"""From which rows in line are a table without rules; fewer may be accidents."""
ALIGNED_FILL = 0.6
"""Of the cells of such a table that have text, at least."""
CELL_WORDS = 6
"""Mean words of a cell in such a table, at most: more are columns of prose."""
ROW_GAP = 2.0
"""Of a row's height: rows of such a table stand closer."""
PLAIN = Style(0, False)


class Table(Struct, frozen=True):
    """Rows with as many fragments each as there are columns; a fragment without text is an empty
    cell."""

    rows: tuple[Row, ...]
    box: Box
    first: int
    """Index in the text layer at which it begins."""


def ruled(words: Sequence[Word], grid: Grid) -> Table | None:
    """The words within a grid, if it is a table's; else None."""
    cells: dict[tuple[int, int], list[Word]] = defaultdict(list)
    for word in words:
        x0, y0, x1, y1 = word.box
        if (place := grid.cell((x0 + x1) / 2, (y0 + y1) / 2)) is not None:
            cells[place].append(word)
    used_rows = sorted({row for row, _ in cells})
    used_columns = sorted({column for _, column in cells})
    if len(used_rows) < 2 or len(used_columns) < 2:
        return None
    if len(cells) < FILLED * len(used_rows) * len(used_columns):
        return None
    rows = [[_cell(cells.get((r, c), [])) for c in used_columns] for r in used_rows]
    first = min(word.first for cell in cells.values() for word in cell)
    return _table(rows, first)


def _cell(words: Sequence[Word]) -> Fragment:
    if not words:
        return Fragment("", (0, 0, 0, 0), PLAIN)
    text = " ".join(word.text for word in words)
    return Fragment(text, union(word.box for word in words), PLAIN)


def _table(rows: Sequence[Sequence[Fragment]], first: int) -> Table:
    made = [Row(tuple(cells), union(cell.box for cell in cells if cell.text)) for cells in rows]
    return Table(tuple(made), union(row.box for row in made), first)


def aligned(rows: Sequence[Row]) -> Table | None:
    """Consecutive rows of a page as a table, if their fragments stand in columns beyond doubt."""
    spans = _columns(rows)
    cells = [[_between(row, span) for span in spans] for row in rows]
    filled = [sum(bool(cell.text) for cell in row) for row in cells]
    words = sum(len(f.text.split()) for row in rows for f in row.fragments)
    if (
        len(rows) < ALIGNED_ROWS
        or len(spans) < 2
        or min(filled) < 2
        or sum(filled) < ALIGNED_FILL * len(rows) * len(spans)
        or words > CELL_WORDS * sum(filled)
    ):
        return None
    return _table(cells, rows[0].fragments[0].first)


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
        return Fragment("", (0, 0, 0, 0), PLAIN)
    text = " ".join(f.text for f in inside)
    return Fragment(text, union(f.box for f in inside), inside[0].style)


def row_text(row: Row) -> str:
    """As markdown; a pipe within a cell would end it."""
    return "| " + " | ".join(f.text.replace("|", "\\|") for f in row.fragments) + " |"
