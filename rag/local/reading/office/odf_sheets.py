"""An OpenDocument spreadsheet -> its sheets."""

from collections.abc import Iterator

from lxml import etree  # type: ignore[import-untyped]  # has no hints

from rag.local.reading.office.odf import OFFICE, TABLE, OpenDocument
from rag.local.reading.office.odf_text import OdfText, cells_of
from rag.local.reading.readout import LEFT_OUT, Leaf, Readout, bound, heading
from rag.local.reading.sheets import sheet_pieces

MOST_REPEATED = 1_000
"""Times that a row with words in it is repeated; more is an attack. Blank ones run to a million."""


def read_odf_sheets(document: OpenDocument) -> Readout:
    sheets = document.body.iterchildren(f"{TABLE}table")
    return bound([_leaf(sheet, document) for sheet in sheets], document.title)


def _leaf(sheet: etree._Element, document: OpenDocument) -> Leaf:
    name = sheet.get(f"{TABLE}name", "")
    if sheet.get(f"{TABLE}style-name") in document.hidden:
        return Leaf(name, (), "a hidden sheet is left out", LEFT_OUT)
    text = OdfText(document)
    rows = _Rows(sheet, text)
    drawn = (p for shapes in sheet.iterchildren(f"{TABLE}shapes") for p in text.pieces(shapes))
    pieces = (heading(name, 2), *sheet_pieces(name, rows.shown()), *drawn)
    hidden = f"; {rows.hidden} hidden rows or columns are left out" if rows.hidden else ""
    return Leaf(name, pieces, f"a sheet's own cells{hidden}")


class _Rows:
    """The rows of a sheet that are seen."""

    def __init__(self, sheet: etree._Element, text: OdfText) -> None:
        self.hidden = 0
        self._sheet = sheet
        self._text = text
        self._hidden_columns = frozenset(self._columns())

    def shown(self) -> Iterator[tuple[int, list[str]]]:
        number = 1
        for row in self._sheet.iter(f"{TABLE}table-row"):
            times = _repeated(row, "rows")
            cells = list(self._cells(row))
            if _is_hidden(row):
                self.hidden += times if any(cells) else 0
            elif any(cells):
                for at in range(min(times, MOST_REPEATED)):
                    yield number + at, cells
            number += times

    def _cells(self, row: etree._Element) -> Iterator[str]:
        last, text = None, ""
        for at, element in enumerate(cells_of(row)):
            if element is not last:
                last, text = element, self._cell(element)
            yield "" if at in self._hidden_columns else text

    def _cell(self, element: etree._Element) -> str:
        """As shown, but for dates, which are shown in a hundred ways."""
        if element.tag != f"{TABLE}table-cell" or not len(element):
            return ""
        date: str | None = element.get(f"{OFFICE}date-value")
        return date.replace("T", " ") if date else self._text.cell_text(element)

    def _columns(self) -> Iterator[int]:
        at = 0
        for column in self._sheet.iter(f"{TABLE}table-column"):
            times = _repeated(column, "columns")
            if _is_hidden(column):
                yield from range(at, at + min(times, MOST_REPEATED))
                self.hidden += min(times, MOST_REPEATED)
            at += times


def _repeated(element: etree._Element, what: str) -> int:
    times = element.get(f"{TABLE}number-{what}-repeated", "1")
    return int(times) if times.isdecimal() else 1


def _is_hidden(element: etree._Element) -> bool:
    return element.get(f"{TABLE}visibility") in ("collapse", "filter")
