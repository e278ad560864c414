"""Rows of cells -> a table in markdown."""

from collections.abc import Iterable, Sequence


def table(rows: Iterable[Sequence[str]]) -> str:
    """The first row with a word in it is the header; rows without any are left out. Empty where
    there is none."""
    kept = [row for row in rows if any(row)]
    width = max(map(len, kept), default=0)
    lines = [_line([*row, *[""] * (width - len(row))]) for row in kept]
    if lines:
        lines.insert(1, "|" + " --- |" * width)
    return "\n".join(lines)


def cell(text: str) -> str:
    """On one line, with its own pipes escaped."""
    return " ".join(text.split()).replace("|", "\\|")


def _line(row: Sequence[str]) -> str:
    return "| " + " | ".join(row) + " |"
