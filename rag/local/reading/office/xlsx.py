"""An Excel workbook -> its sheets, read row by row as they stream out of the file."""

from collections.abc import Iterator

from lxml import etree  # type: ignore[import-untyped]  # has no hints

from rag.local.reading.office.drawn import words
from rag.local.reading.office.graphics import Graphics
from rag.local.reading.office.ooxml import RELATION_ID, Package
from rag.local.reading.office.xlsx_values import Shown, Values, column_of
from rag.local.reading.pictures import Pictures
from rag.local.reading.readout import LEFT_OUT, Leaf, Piece, Readout, bound, heading
from rag.local.reading.sheets import column_name, place, sheet_pieces
from rag.local.reading.task import Task
from rag.local.reading.xmltree import xml_elements

S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
CELL, VALUE, INLINE = f"{S}c", f"{S}v", f"{S}is"
TEXT, PRONUNCIATION = f"{S}t", f"{S}rPh"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
LAST_COLUMN = 16_384  # of Excel
ON = ("1", "true")


def read_xlsx(package: Package, task: Task) -> Readout:
    """
    Raises:
        InvalidDocument: a part is missing or damaged.
    """
    main = package.main()
    root = package.tree(main)
    relations = package.relations(main)
    strings = package.related(main, "sharedStrings")
    styles = package.related(main, "styles")
    properties = root.find(f"{S}workbookPr")
    values = Values(
        _shared_strings(package, strings[0]) if strings else [],
        package.tree(styles[0]) if styles else None,
        counts_from_1904=properties is not None and properties.get("date1904") in ON,
    )
    pictures = Pictures(package, task)
    leaves = [
        _leaf(package, sheet, relations[sheet.get(RELATION_ID)].target, values, pictures)
        for sheet in root.iterfind(f"{S}sheets/{S}sheet")
        if sheet.get(RELATION_ID) in relations
    ]
    return bound(leaves, package.title)


def _leaf(
    package: Package, sheet: etree._Element, part: str, values: Values, pictures: Pictures
) -> Leaf:
    name = sheet.get("name", "")
    if sheet.get("state", "visible") != "visible":
        return Leaf(name, (), "a hidden sheet is left out", LEFT_OUT)
    if "/chartsheets/" in part or part not in package:
        return Leaf(name, (), "there are no cells in it", LEFT_OUT)
    rows = _Rows(package, part, values)
    pieces = (
        heading(name, 2),
        *sheet_pieces(name, rows.shown()),
        *_drawn(package, part, name, pictures),
        *_comments(package, part, name),
    )
    hidden = f"; {rows.hidden} hidden rows or columns are left out" if rows.hidden else ""
    return Leaf(name, pieces, f"a sheet's own cells{hidden}")


def _drawn(package: Package, part: str, sheet: str, pictures: Pictures) -> Iterator[Piece]:
    """Charts, pictures, and what is written in shapes, each at the cell where it is anchored."""
    for drawing in package.related(part, "drawing"):
        graphics = Graphics(package, drawing, pictures)
        for anchor in package.tree(drawing):
            for shape in anchor.iter(f"{DRAWING}txBody"):
                yield Piece("text", words(shape))
            yield from graphics.pieces(anchor, _anchored(anchor, sheet))


def _anchored(anchor: etree._Element, sheet: str) -> str | None:
    """The cell at its upper left, as Excel writes it."""
    column = anchor.findtext(f"{DRAWING}from/{DRAWING}col", "")
    row = anchor.findtext(f"{DRAWING}from/{DRAWING}row", "")
    if not (column.isdecimal() and row.isdecimal()):
        return None
    return place(sheet, f"{column_name(int(column))}{int(row) + 1}")


def _comments(package: Package, part: str, sheet: str) -> Iterator[Piece]:
    for comments in package.related(part, "comments"):
        for comment in package.tree(comments).iter(f"{S}comment"):
            cell = comment.get("ref", "")
            yield Piece("text", text_of(comment), place=place(sheet, cell) if cell else None)


def _shared_strings(package: Package, part: str) -> list[str]:
    """Without their pronunciation, which Japanese files carry beside the words."""
    with package.stream(part) as stream:
        return [text_of(item) for item in xml_elements(stream, f"{S}si")]


def text_of(item: etree._Element) -> str:
    return "".join(
        text.text or "" for text in item.iter(TEXT) if text.getparent().tag != PRONUNCIATION
    )


class _Rows:
    """The rows of a sheet that are seen."""

    def __init__(self, package: Package, part: str, values: Values) -> None:
        self.hidden = 0
        self._package = package
        self._part = part
        self._values = values
        self._hidden_columns: set[int] = set()

    def shown(self) -> Iterator[tuple[int, list[str]]]:
        number = 0
        with self._package.stream(self._part) as stream:
            for element in xml_elements(stream, f"{S}col", f"{S}row"):
                if element.tag == f"{S}col":
                    self._column(element)
                    continue
                named = element.get("r", "")
                number = int(named) if named.isdecimal() else number + 1
                if element.get("hidden") in ON:
                    self.hidden += 1
                else:
                    yield number, self._cells(element)

    def _column(self, element: etree._Element) -> None:
        if element.get("hidden") in ON:
            first, last = element.get("min", "0"), element.get("max", "0")
            if first.isdecimal() and last.isdecimal():
                columns = range(int(first) - 1, min(int(last), LAST_COLUMN))
                self._hidden_columns.update(columns)
                self.hidden += len(columns) if int(last) < LAST_COLUMN else 0

    def _cells(self, row: etree._Element) -> list[str]:
        line: list[str] = []
        for element in row.iterchildren(CELL):
            at = column_of(element.get("r", ""), len(line))
            text = self._text(element)
            if text and at < LAST_COLUMN and at not in self._hidden_columns:
                line += [""] * (at + 1 - len(line))
                line[at] = text
        return line

    def _text(self, element: etree._Element) -> str:
        for child in element:
            if child.tag == VALUE:
                kind, style = element.get("t", "n"), element.get("s", "")
                return self._values.shown(Shown(kind, child.text or "", style))
            if child.tag == INLINE:
                return text_of(child)
        return ""
