"""A page's fragments and tables -> rows in reading order."""

from bisect import insort
from collections.abc import Sequence

from rag.local.reading.pdf.columns import Columns, by_place, columns, goes_back, runs_across
from rag.local.reading.pdf.fragments import Fragment
from rag.local.reading.pdf.rows import Row, rows
from rag.local.reading.pdf.tables import ALIGNED_ROWS, Table, aligned, may_be_aligned
from rag.local.reading.pdf.wholes import whole, with_columns


def in_order(
    fragments: Sequence[Fragment], tables: Sequence[Table], width: float
) -> list[Row | Table]:
    """The order of the page's content, which is the author's, unless it plainly is not for
    reading: then from top to bottom, column by column."""
    found = columns(fragments, width)
    by_content = rows(fragments, lambda f: found.of(f.box))
    boxes = [row.box for row in by_content]
    if not runs_across(fragments, found) and not goes_back(boxes):
        return whole(with_aligned(_by_content(with_columns(by_content), tables)))
    placed = rows(by_place(fragments, found), lambda f: found.of(f.box))
    return whole(with_aligned(_by_place(placed, tables, found)))


def _by_content(read: Sequence[Row], tables: Sequence[Table]) -> list[Row | Table]:
    ordered: list[Row | Table] = list(read)
    for table in tables:
        insort(ordered, table, key=_first)
    return ordered


def _first(item: Row | Table) -> int:
    return item.first


def _by_place(read: Sequence[Row], tables: Sequence[Table], found: Columns) -> list[Row | Table]:
    """Each table before the first row of its column that is below its top."""
    ordered: list[Row | Table] = list(read)
    for table in tables:
        column = found.of(table.box)
        below = (
            i
            for i, row in enumerate(ordered)
            if row.box[1] >= table.box[1] and (column < 0 or found.of(row.box) == column)
        )
        ordered.insert(next(below, len(ordered)), table)
    return ordered


def with_aligned(items: Sequence[Row | Table]) -> list[Row | Table]:
    """Rows that stand in columns as tables."""
    result: list[Row | Table] = []
    run: list[Row] = []
    for item in items:
        if isinstance(item, Row) and (
            may_be_aligned(run[-1], item) if run else len(item.fragments) > 1
        ):
            run.append(item)
            continue
        result += _settled(run)
        run = [item] if isinstance(item, Row) and len(item.fragments) > 1 else []
        result += [] if run else [item]
    return result + _settled(run)


def _settled(run: Sequence[Row]) -> list[Row | Table]:
    table = aligned(run) if len(run) >= ALIGNED_ROWS else None
    return [table] if table else list(run)
