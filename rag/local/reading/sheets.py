"""Cells of a sheet -> the tables on it, each with the range of cells it stands in."""

from collections.abc import Iterable, Iterator, Sequence

from rag.errors import DocumentTooLarge
from rag.local.reading.readout import Piece
from rag.local.reading.tables import cell, table

MOST_CHARACTERS = 64_000_000
"""Of a sheet: a million rows of a line each."""
QUOTED = frozenset(" !'\"-+*/()[]{}&,;:.")


def sheet_pieces(name: str, rows: Iterable[tuple[int, Sequence[str]]]) -> Iterator[Piece]:
    """One block for each run of rows without a blank one between: a table, or text where there is
    but one column. A lone cell right above a table is its caption.

    Args:
        rows: number from 1, and cells from column A; rows left out count as blank.

    Raises:
        DocumentTooLarge: a small file says the same again and again.
    """
    region: list[tuple[int, Sequence[str]]] = []
    characters = 0
    for number, cells in rows:
        if not any(cells):
            continue
        characters += sum(map(len, cells))
        if characters > MOST_CHARACTERS:
            raise DocumentTooLarge(
                f"a sheet has more than {MOST_CHARACTERS // 1_000_000} million characters"
            )
        if region and number != region[-1][0] + 1:
            yield from _region(name, region)
            region = []
        region.append((number, cells))
    if region:
        yield from _region(name, region)


def _region(name: str, rows: list[tuple[int, Sequence[str]]]) -> Iterator[Piece]:
    first, after = _used(rows)
    while len(rows) > 1 and after - first > 1 and sum(map(bool, rows[0][1])) == 1:
        (number, cells), rows = rows[0], rows[1:]
        column = next(at for at, text in enumerate(cells) if text)
        yield Piece("caption", cells[column], place=_range(name, number, column, number, column))
        first, after = _used(rows)
    where = _range(name, rows[0][0], first, rows[-1][0], after - 1)
    if after - first == 1:
        yield Piece("text", "\n".join(cells[first] for _, cells in rows), place=where)
    else:
        lines = [[cell(text) for text in cells[first:after]] for _, cells in rows]
        yield Piece("table", table(lines), place=where)


def _used(rows: list[tuple[int, Sequence[str]]]) -> tuple[int, int]:
    """First column with anything in it, and the one after the last."""
    first = min(next(at for at, text in enumerate(cells) if text) for _, cells in rows)
    after = max(next(at for at in range(len(cells), 0, -1) if cells[at - 1]) for _, cells in rows)
    return first, after


def _range(name: str, top: int, left: int, bottom: int, right: int) -> str:
    start, end = f"{column_name(left)}{top}", f"{column_name(right)}{bottom}"
    return place(name, start if start == end else f"{start}:{end}")


def place(sheet: str, cells: str) -> str:
    """As a spreadsheet writes it: `Sales!A1:F40`, `'First half'!B2`."""
    quoted = "'" + sheet.replace("'", "''") + "'" if QUOTED & set(sheet) else sheet
    return f"{quoted}!{cells}"


def column_name(at: int) -> str:
    """A for 0, Z for 25, AA for 26."""
    name = ""
    at += 1
    while at:
        at, digit = divmod(at - 1, 26)
        name = chr(ord("A") + digit) + name
    return name
