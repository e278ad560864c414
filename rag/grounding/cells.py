"""Span of a sheet's table -> the cells it stands in, as a spreadsheet names them."""

import re

_RANGE = re.compile(
    r"(?P<sheet>.*!)(?P<left>[A-Z]{1,3})(?P<top>\d{1,7})"
    r"(?::(?P<right>[A-Z]{1,3})(?P<bottom>\d{1,7}))?"
)
_RULE = re.compile(r"\|(?: --- \|)+")
"""The line below a table's header, which is no row of the sheet."""

_BORDER = re.compile(r"(?<!\\)\|")


def cells_under(place: str, text: str, start: int, end: int) -> str:
    """The part of `place` under `text[start:end]`: rows, and columns where it is within one row.
    The whole place where its rows cannot be told from the lines of the text.

    >>> cells_under("Sales!A1:B3", "| a | b |\\n| --- | --- |\\n| 1 | 2 |\\n| 3 | 4 |", 25, 30)
    'Sales!A2'

    Args:
        text: of the block that stands there, from its first row on.
    """
    found = _RANGE.fullmatch(place)
    lines = [m for m in re.finditer(r"[^\n]+", text) if not _RULE.fullmatch(m[0])]
    if found is None or found["bottom"] is None:
        return place
    top, left, right = int(found["top"]), _number(found["left"]), _number(found["right"])
    touched = [n for n, line in enumerate(lines) if line.start() < end and start < line.end()]
    if len(lines) != int(found["bottom"]) - top + 1 or not touched:
        return place
    first, last = touched[0], touched[-1]
    if first == last and lines[first][0].startswith("|"):
        begin = lines[first].start()
        columns = _columns(lines[first][0], start - begin, end - begin)
        left, right = left + columns[0], min(right, left + columns[1])
    corner, opposite = f"{_name(left)}{top + first}", f"{_name(right)}{top + last}"
    return found["sheet"] + (corner if corner == opposite else f"{corner}:{opposite}")


def _columns(row: str, start: int, end: int) -> tuple[int, int]:
    """First and last cell, from 0, with a word between `start` and `end`; all where none has."""
    borders = [border.end() for border in _BORDER.finditer(row)]
    cells = list(zip(borders, [*borders[1:], len(row)], strict=True))
    inside = [
        n
        for n, (a, b) in enumerate(cells)
        if any(map(str.isalnum, row[max(a, start) : max(min(b, end), 0)]))
    ]
    return (inside[0], inside[-1]) if inside else (0, max(0, len(cells) - 2))


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _name(number: int) -> str:
    name = ""
    while number:
        number, digit = divmod(number - 1, 26)
        name = chr(ord("A") + digit) + name
    return name
