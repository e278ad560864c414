"""Tables drawn with characters in reStructuredText -> markdown."""

import re
from itertools import pairwise

from rag.local.reading.tables import cell, table

BORDER = re.compile(r"[+=\- ]+$")
COLUMN = re.compile(r"=+")


def grid_table(lines: list[str]) -> list[str]:
    """`+---+---+` with `|` between cells; a cell that spans columns stands in its first."""
    edges = sorted(
        {at for line in lines if line[:1] == "+" for at, c in enumerate(line) if c == "+"}
    )
    rows: list[list[str]] = []
    current = [""] * max(0, len(edges) - 1)
    for line in lines[1:]:
        if line.startswith("+") and BORDER.match(line):
            rows.append(current)
            current = [""] * len(current)
            continue
        for column, (start, end) in enumerate(_spans(line, edges)):
            current[column] = f"{current[column]} {line[start:end]}"
    return _lines([*rows, current])


def _spans(line: str, edges: list[int]) -> list[tuple[int, int]]:
    """Between borders: one that is missing joins its column to the one before."""
    spans: list[tuple[int, int]] = []
    for start, end in pairwise(edges):
        if spans and start < len(line) and line[start] not in "|+":
            last = next(at for at in range(len(spans) - 1, -1, -1) if spans[at][1] > spans[at][0])
            spans[last] = spans[last][0], end
            spans.append((end, end))
        else:
            spans.append((start + 1, end))
    return spans


def simple_table(lines: list[str]) -> list[str]:
    """`===  ===` above and below; a row without its first cell goes on with the one above."""
    starts = [match.start() for match in COLUMN.finditer(lines[0])]
    ends = [*starts[1:], None]
    rows: list[list[str]] = []
    for line in lines[1:]:
        if not line.strip() or not line.strip("=- "):
            continue
        cells = [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        if rows and not cells[0] and len(rows) > 1:
            rows[-1] = [f"{above} {below}" for above, below in zip(rows[-1], cells, strict=True)]
        else:
            rows.append(cells)
    return _lines(rows)


def _lines(rows: list[list[str]]) -> list[str]:
    return table([[cell(text) for text in row] for row in rows]).split("\n")
