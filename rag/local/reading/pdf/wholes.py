"""Rows that belong to a table but were drawn, or set, apart from it: its header, columns of numbers
that were drawn after the others, and sums below a rule."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf

from msgspec import structs

from rag.domain import Box
from rag.local.reading.layout import union
from rag.local.reading.pdf.fragments import Fragment
from rag.local.reading.pdf.rows import LEVEL, Row, row_of
from rag.local.reading.pdf.tables import EMPTY, Table

HEADER_GAP = 1.5
"""Of a line's height: a header stands closer to its table, or to its next row."""
HEADER_ROWS = 4
"""At most."""
CENTERED = 0.1
"""Of the width of the columns that a heading spans, by which it may miss their middle."""
FULL = 0.75
"""Of as many cells as the fullest row has: then a row says where columns are."""
HEADER_WORDS = 6
"""Of one heading, at most."""
NUMBERS = 0.6
"""Of cells drawn apart that are numbers, at least: columns of words are two texts."""
BESIDE_ROWS = 2
"""Of a table that was drawn in parts, at least."""


def with_columns(rows: Sequence[Row]) -> list[Row]:
    """Rows of numbers that stand beside rows drawn before them, joined to those."""
    found: list[Row] = []
    last: list[Row] = []
    for run in _runs(rows):
        beside = _beside(last, run)
        if len(beside) < BESIDE_ROWS or not _are_numbers(run[: len(beside)]):
            found += last
            last = run
            continue
        for at, row in zip(beside, run[: len(beside)], strict=True):
            last[at] = row_of((*last[at].fragments, *row.fragments))
        last += run[len(beside) :]
    return found + last


def _runs(rows: Sequence[Row]) -> list[list[Row]]:
    """Each from top to bottom."""
    runs = [list(rows[:1])] if rows else []
    for above, below in pairwise(rows):
        if below.box[1] < above.box[1] - LEVEL * above.height:
            runs.append([])
        runs[-1].append(below)
    return runs


def _beside(last: Sequence[Row], run: Sequence[Row]) -> list[int]:
    """For the first rows of a run, which of the last run's rows each goes on, as long as it goes
    on one."""
    places: list[int] = []
    for row in run:
        start = places[-1] + 1 if places else 0
        level = (i for i in range(start, len(last)) if _is_right_of(last[i], row))
        if (place := next(level, None)) is None:
            break
        places.append(place)
    return places


def _is_right_of(left: Row, right: Row) -> bool:
    overlap = min(left.box[3], right.box[3]) - max(left.box[1], right.box[1])
    return overlap > LEVEL * min(left.height, right.height) and right.box[0] >= left.box[2]


def _are_numbers(rows: Sequence[Row]) -> bool:
    cells = [fragment.text for row in rows for fragment in row.fragments]
    numbers = sum(not any(map(str.isalpha, text)) for text in cells)
    return numbers >= NUMBERS * len(cells)


def whole(items: Sequence[Row | Table]) -> list[Row | Table]:
    """Each table with what is its own: a table of numbers beside it, rows right above whose parts
    stand above its columns, and rows of numbers right below."""
    found: list[Row | Table] = []
    for item in items:
        last = found[-1] if found else None
        if isinstance(item, Table):
            if isinstance(last, Table) and (wider := _side_by_side(last, item)):
                found.pop()
                item = wider
            count, item = _headed(item, found[-HEADER_ROWS:])
            found = found[: len(found) - count]
        elif isinstance(last, Table) and (longer := _longer(last, item)):
            found.pop()
            item = longer
        found.append(item)
    return found


def _side_by_side(left: Table, right: Table) -> Table | None:
    """Two tables as one, if their rows are level and the right one has but numbers."""
    if len(left.rows) != len(right.rows) or not _are_numbers(right.rows):
        return None
    pairs = list(zip(left.rows, right.rows, strict=True))
    if not all(_is_right_of(*pair) for pair in pairs):
        return None
    rows = tuple(row_of((*one.fragments, *other.fragments)) for one, other in pairs)
    return _table(rows, min(left.first, right.first), left.words | right.words)


def _longer(table: Table, row: Row) -> Table | None:
    cells = _placed(row, _columns(table))
    is_near = 0 <= row.box[1] - table.box[3] < HEADER_GAP * row.height
    if cells is None or not is_near or sum(bool(cell.text) for cell in cells) < len(cells) / 2:
        return None
    numbers = [cell for cell in cells if any(map(str.isdigit, cell.text))]
    if len(numbers) < len(cells) / 2:
        return None
    return _table((*table.rows, row_of(cells)), table.first, table.words)


def _headed(table: Table, above: Sequence[Row | Table]) -> tuple[int, Table]:
    """How many of the items above it are its header, and the table with them."""
    columns = _columns(table)
    headings: list[list[Fragment]] = []
    is_header = False
    count, top = 0, table.box[1]
    for item in reversed(above):
        rows = _heading_rows(item)
        some = [_placed(row, columns) for row in rows]
        cells = [each for each in some if each is not None and _is_heading(each)]
        if not rows or len(cells) < len(rows) or not _is_right_above(rows[-1], top):
            break
        headings = cells + headings
        is_header |= any(len(row.fragments) > 1 for row in rows)
        count, top = count + 1, rows[0].box[1]
    if not is_header:
        return 0, table
    headings = [*(_at_first(cells, columns) for cells in headings[:-1]), headings[-1]]
    first = min(table.first, *(f.first for cells in headings for f in cells if f.text))
    return count, _table((*map(row_of, headings), *table.rows), first, table.words)


def _at_first(cells: Sequence[Fragment], columns: Sequence[Box | None]) -> list[Fragment]:
    """Each heading over the first of the columns that it stands over the middle of, as a cell that
    spans them would."""
    filled = [at for at, cell in enumerate(cells) if cell.text]
    middles = [_middle(cells[at].box) for at in filled]
    moved = [EMPTY] * len(cells)
    for at, middle in zip(filled, middles, strict=True):
        reach = min((abs(middle - other) / 2 for other in middles if other != middle), default=inf)
        within = [
            i
            for i, column in enumerate(columns)
            if i and column and abs(_middle(column) - middle) <= reach
        ]
        first = _spanned(within, middle, columns) if at in within else at
        moved[at if moved[first].text else first] = cells[at]
    return moved


def _spanned(within: Sequence[int], middle: float, columns: Sequence[Box | None]) -> int:
    """The first of the most columns that have this middle."""
    for count in range(len(within), 1, -1):
        for start in range(len(within) - count + 1):
            box = union(box for i in within[start : start + count] if (box := columns[i]))
            if abs(_middle(box) - middle) < CENTERED * (box[2] - box[0]):
                return within[start]
    return min(within, key=lambda i: abs(_middle(columns[i] or EMPTY.box) - middle))


def _middle(box: Box) -> float:
    return (box[0] + box[2]) / 2


def _heading_rows(item: Row | Table) -> list[Row]:
    """A row, or those of a small table of words, which then are the heads of another."""
    if isinstance(item, Row):
        return [item]
    if len(item.rows) > HEADER_ROWS or item.words:
        return []
    rows = [[f for f in row.fragments if f.text] for row in item.rows]
    return [row_of(row) for row in rows]


def _table(rows: Sequence[Row], first: int, words: frozenset[int]) -> Table:
    return Table(tuple(rows), union(row.box for row in rows), first, words)


def _is_right_above(row: Row, top: float) -> bool:
    return -0.5 * row.height < top - row.box[3] < HEADER_GAP * row.height


def _is_heading(cells: Sequence[Fragment]) -> bool:
    """Whether it may head columns; a lone one heads others than the first."""
    filled = sum(bool(cell.text) for cell in cells)
    is_short = all(cell.text.count(" ") < HEADER_WORDS for cell in cells)
    return is_short and (filled > 1 or (not cells[0].text and len(cells) > 2))


def _columns(table: Table) -> list[Box | None]:
    """Around the cells of each; None where there is no text in it. Rows with few cells are left
    out of account, for theirs may lie across columns."""
    filled = [sum(bool(cell.text) for cell in row.fragments) for row in table.rows]
    enough = FULL * max(filled)
    full = [row for row, count in zip(table.rows, filled, strict=True) if count >= enough]
    by_column = zip(*(row.fragments for row in full), strict=True)
    boxes = ([cell.box for cell in column if cell.text] for column in by_column)
    return [union(some) if some else None for some in boxes]


def _placed(row: Row, columns: Sequence[Box | None]) -> list[Fragment] | None:
    """The row's parts as cells of the columns; None where two would share one."""
    cells = [EMPTY] * len(columns)
    for fragment in row.fragments:
        for part in _parts(fragment, columns) if len(row.fragments) > 1 else (fragment,):
            over = [_overlap(part.box, column) for column in columns]
            best = max(range(len(over)), key=over.__getitem__)
            if over[best] < part.box[0] - part.box[2] or cells[best].text:
                return None
            cells[best] = part
    return cells


def _parts(fragment: Fragment, columns: Sequence[Box | None]) -> Sequence[Fragment]:
    """Headings of neighboring columns may stand as close as words: one for each."""
    words = fragment.text.split()
    over = sum(_overlap(fragment.box, column) > 0 for column in columns)
    if len(words) < 2 or over != len(words) or any(map(str.isdigit, fragment.text)):
        return (fragment,)
    left, top, right, bottom = fragment.box
    step = (right - left) / len(fragment.text)
    found, at = [], 0
    for word in words:
        box = (left + step * at, top, left + step * (at + len(word)), bottom)
        found.append(structs.replace(fragment, text=word, box=box))
        at += len(word) + 1
    return found


def _overlap(one: Box, other: Box | None) -> float:
    """Of two stretches of a line; below 0, how far they are apart."""
    return min(one[2], other[2]) - max(one[0], other[0]) if other else float("-inf")
