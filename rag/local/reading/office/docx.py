"""A Word document -> its blocks: headings, numbered paragraphs, tables, notes and text boxes."""

from collections.abc import Callable, Iterator
from functools import partial

from lxml import etree  # type: ignore[import-untyped]  # has no hints

from rag.errors import InvalidDocument
from rag.local.reading.office.docx_lists import BULLET, Lists
from rag.local.reading.office.docx_runs import Notes, Words
from rag.local.reading.office.docx_styles import (
    PLAIN,
    VALUE,
    Style,
    W,
    heading_of,
    numbering_of,
    read_styles,
)
from rag.local.reading.office.graphics import Graphics
from rag.local.reading.office.ooxml import RELATION_ID, Package, is_on
from rag.local.reading.pictures import Pictures
from rag.local.reading.readout import Piece, Readout, heading, pieces_of, written
from rag.local.reading.tables import cell, table
from rag.local.reading.task import Task

HOLDERS = frozenset(
    f"{W}{name}" for name in ("sdt", "sdtContent", "ins", "moveTo", "smartTag", "customXml")
)
"""Elements that are no more than what is in them. What was deleted stands in others."""
WIDEST_SPAN = 100  # columns; more is an attack or a mistake
INDENTATION = "  "


def read_docx(package: Package, task: Task) -> Readout:
    """
    Raises:
        InvalidDocument: a part is missing or damaged.
    """
    main = package.main()
    styles = package.related(main, "styles")
    numbering = package.related(main, "numbering")
    body = _Body(
        read_styles(package.tree(styles[0])) if styles else {},
        Lists(package.tree(numbering[0]) if numbering else None),
        _notes(package, main),
        Graphics(package, main, Pictures(package, task)),
        partial(_taken_in, package, main, task),
    )
    pieces = [p for part in package.tree(main).iterchildren(f"{W}body") for p in body.pieces(part)]
    return written(pieces, body.title or package.title)


def _notes(package: Package, main: str) -> Notes:
    """Footnotes and endnotes by kind and id."""
    return {
        (kind, note.get(f"{W}id", "")): note
        for kind in ("footnote", "endnote")
        for part in package.related(main, f"{kind}s")
        for note in package.tree(part).iterchildren(f"{W}{kind}")
    }


def _taken_in(package: Package, main: str, task: Task, id: str) -> Iterator[Piece]:
    """Another file that stands for a part of this one until Word saves it anew.

    Raises:
        InvalidDocument: it cannot be read, and what it says is missing.
    """
    relation = package.relations(main).get(id)
    if relation is None or relation.target not in package:
        raise InvalidDocument("a file that this document takes in is missing; it is damaged")
    content = package.stream(relation.target).read()
    part = task.read_part(relation.target, content, "a file that this document takes in")
    if part.readout is None:
        raise InvalidDocument(f"{part.reason} ({part.name})")
    yield from pieces_of(part.readout)


class _Body:
    """What is known of a document while its paragraphs go by."""

    def __init__(
        self,
        styles: dict[str, Style],
        lists: Lists,
        notes: Notes,
        graphics: Graphics,
        taken_in: Callable[[str], Iterator[Piece]],
    ) -> None:
        self.title: str | None = None
        self._styles = styles
        self._lists = lists
        self._notes = notes
        self._graphics = graphics
        self._taken_in = taken_in

    def pieces(self, parent: etree._Element, *, in_table: bool = False) -> Iterator[Piece]:
        for element in parent:
            if element.tag == f"{W}p":
                yield from self._paragraph(element, in_table=in_table)
            elif element.tag == f"{W}tbl":
                yield from self._table(element)
            elif element.tag == f"{W}altChunk":
                yield from self._taken_in(element.get(RELATION_ID, ""))
            elif element.tag in HOLDERS:
                yield from self.pieces(element, in_table=in_table)

    def _paragraph(self, element: etree._Element, *, in_table: bool) -> Iterator[Piece]:
        properties = element.find(f"{W}pPr")
        style = self._style(properties)
        words = Words(self._styles, is_hidden=style.is_hidden, drops_white=not in_table)
        words.walk(element)
        if text := words.text:
            yield self._piece(text, properties, style)
        for picture in words.pictures:
            yield from self._graphics.pieces(picture)
        for box in words.boxes:
            yield from self.pieces(box, in_table=True)
        for kind, id in words.notes:
            if (note := self._notes.pop((kind, id), None)) is not None:  # said once
                yield from self.pieces(note)

    def _style(self, properties: etree._Element | None) -> Style:
        named = None if properties is None else properties.find(f"{W}pStyle")
        id = "" if named is None else named.get(VALUE, "")
        return self._styles.get(id, PLAIN)

    def _piece(self, text: str, properties: etree._Element | None, style: Style) -> Piece:
        numbering = numbering_of(properties, style.numbering)
        label = self._lists.label(numbering) if numbering else ""
        if level := heading_of(properties, style.heading):
            if style.name == "title" and self.title is None:
                self.title = " ".join(text.split())
            return heading(f"{label} {text}" if label != BULLET else text, level)
        if numbering and label:
            indentation = INDENTATION * numbering.level
            return Piece("list", f"{indentation}{label} {' '.join(text.split())}")
        if style.name == "caption":
            return Piece("caption", text)
        return Piece("text", text)

    def _table(self, element: etree._Element) -> Iterator[Piece]:
        rows = [self._row(row) for row in _rows(element)]
        if max(map(len, rows), default=0) > 1:
            yield Piece("table", table(rows))
            return
        for row in _rows(element):  # a frame around text, not a table
            for each in _cells(row):
                yield from self.pieces(each, in_table=True)

    def _row(self, row: etree._Element) -> list[str]:
        line: list[str] = []
        before = row.find(f"{W}trPr/{W}gridBefore")
        line += [""] * _span(before)
        for each in _cells(row):
            merged = each.find(f"{W}tcPr/{W}vMerge")
            goes_on = merged is not None and merged.get(VALUE, "continue") == "continue"
            line.append("" if goes_on else self._cell(each))
            line += [""] * (_span(each.find(f"{W}tcPr/{W}gridSpan")) - 1)
        return line

    def _cell(self, element: etree._Element) -> str:
        """Its words; a table in it becomes its own, for markdown has no cell for one."""
        return cell(" ".join(piece.text for piece in self._flat(element)))

    def _flat(self, element: etree._Element) -> Iterator[Piece]:
        for child in element:
            if child.tag == f"{W}tbl":
                for row in _rows(child):
                    yield Piece("text", "; ".join(filter(None, self._row(row))))
            elif child.tag == f"{W}p":
                yield from self._paragraph(child, in_table=True)
            elif child.tag in HOLDERS:
                yield from self._flat(child)


def _rows(element: etree._Element) -> Iterator[etree._Element]:
    for child in element:
        if child.tag == f"{W}tr":
            if not _is_gone(child):
                yield child
        elif child.tag in HOLDERS:
            yield from _rows(child)


def _is_gone(row: etree._Element) -> bool:
    properties = row.find(f"{W}trPr")
    return properties is not None and (
        properties.find(f"{W}del") is not None or is_on(properties.find(f"{W}hidden"), VALUE)
    )


def _cells(row: etree._Element) -> Iterator[etree._Element]:
    for child in row:
        if child.tag == f"{W}tc":
            yield child
        elif child.tag in HOLDERS:
            yield from _cells(child)


def _span(element: etree._Element | None) -> int:
    value = "0" if element is None else element.get(VALUE, "0")
    return min(int(value), WIDEST_SPAN) if value.isdecimal() else 0
