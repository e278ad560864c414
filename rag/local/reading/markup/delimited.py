"""Values set apart by commas, semicolons or tabs -> a table."""

import csv
from collections.abc import Iterator

from rag.errors import InvalidDocument
from rag.local.reading.plaintext import decode
from rag.local.reading.readout import Piece, Readout, written
from rag.local.reading.tables import cell, table
from rag.local.reading.task import Task

DELIMITERS = ",;\t|"
SAMPLE = 50  # lines; enough to tell a delimiter from a comma in a sentence
LARGEST_FIELD = 1024 * 1024  # characters; the library's own limit is an eighth of this

csv.field_size_limit(LARGEST_FIELD)


def read_delimited(content: bytes, task: Task) -> Readout:
    """
    Raises:
        InvalidDocument: quotation marks in it never end.
    """
    text = decode(content)
    return written(_pieces(text))


def _pieces(text: str) -> Iterator[Piece]:
    lines = text.splitlines()
    delimiter = _delimiter(lines[:SAMPLE])
    try:
        rows = [[cell(value) for value in row] for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error as error:
        raise InvalidDocument("quotation marks in this table never end") from error
    if max(map(len, rows), default=0) > 1:
        yield Piece("table", table(rows))
    else:
        yield Piece("text", text.strip())


def _delimiter(lines: list[str]) -> str:
    """The one that cuts most lines into equally many parts, and into more than one."""

    def evenness(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        usual = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
        return (widths.count(usual) if usual > 1 else 0), usual

    try:
        return max(DELIMITERS, key=evenness)
    except csv.Error:
        return DELIMITERS[0]
