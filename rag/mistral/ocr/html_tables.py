"""HTML tables -> markdown tables: the provider may answer in either, whatever it is asked for."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import zip_longest

_OPENING = re.compile(r"<table\b", re.IGNORECASE)
_CLOSING = re.compile(r"</table\s*>", re.IGNORECASE)

_MOST_SPANNED = 100
"""Columns of one cell; a number beyond is a mistake, or made to do harm."""

_MOST_DIGITS = 4
"""Of such a number."""

_BREAKS = frozenset({"br", "p", "div", "li"})
"""Elements that keep words apart."""


def with_markdown_tables(text: str) -> str:
    """The text with each of its HTML tables written in markdown. A table that is not closed, or
    has no cells, is left as it is."""
    return "".join(_converted(text))


def _converted(text: str) -> Iterator[str]:
    at = 0
    while opening := _OPENING.search(text, at):
        closing = _CLOSING.search(text, opening.end())
        if closing is None:
            break
        html = text[opening.start() : closing.end()]
        yield text[at : opening.start()]
        yield _markdown(html) or html
        at = closing.end()
    yield text[at:]


def _markdown(html: str) -> str:
    table = _Table()
    table.feed(html)
    table.close()
    width = max((len(row) for row in table.rows), default=0)
    if not width:
        return ""
    header, *body = [_row(row, width) for row in table.rows]
    return "\n".join([header, "|" + " --- |" * width, *body])


def _row(cells: list[str], width: int) -> str:
    filled = (cell for cell, _ in zip_longest(cells, range(width), fillvalue=""))
    return "| " + " | ".join(str(cell) for cell in filled) + " |"


class _Table(HTMLParser):
    """Rows of cells. A cell that spans columns is followed by empty ones."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._words: list[str] | None = None
        """Of the cell that is open."""
        self._spanned = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self._end_cell()
            self.rows.append([])
        elif tag in ("td", "th"):
            self._end_cell()
            if not self.rows:
                self.rows.append([])
            self._words = []
            self._spanned = _span(dict(attrs).get("colspan"))
        elif tag in _BREAKS and self._words is not None:
            self._words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._words is not None:
            self._words.append(data)

    def close(self) -> None:
        super().close()
        self._end_cell()
        self.rows = [row for row in self.rows if any(row)]

    def _end_cell(self) -> None:
        if self._words is None:
            return
        text = " ".join("".join(self._words).split()).replace("|", "\\|")
        self.rows[-1] += [text] + [""] * (self._spanned - 1)
        self._words = None


def _span(asked: str | None) -> int:
    is_number = asked is not None and asked.isdecimal() and len(asked) <= _MOST_DIGITS
    return min(max(1, int(asked or 1)), _MOST_SPANNED) if is_number else 1
