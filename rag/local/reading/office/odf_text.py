"""Text of OpenDocument files -> blocks: headings, lists, tables, notes and frames."""

from collections.abc import Iterator
from itertools import islice

from lxml import etree  # type: ignore[import-untyped]  # has no hints

from rag.local.reading.html_markdown import raised
from rag.local.reading.office.odf import DRAW, HREF, OFFICE, SVG, TABLE, TEXT, OpenDocument
from rag.local.reading.readout import Piece, Readout, heading, written
from rag.local.reading.tables import cell, table

LEFT_OUT = frozenset(
    (
        *(f"{TEXT}{name}" for name in ("tracked-changes", "hidden-text", "hidden-paragraph")),
        *(f"{TEXT}{name}" for name in ("note-citation", "sequence-decls", "ruby-text")),
        *(f"{OFFICE}{name}" for name in ("annotation", "annotation-end", "forms", "binary-data")),
    )
)
MARKS = {f"{TEXT}tab": " ", f"{TEXT}line-break": "\n"}
WIDEST = 1_024  # columns of a sheet, and of LibreOffice by default
MOST_SPACES = 100


def read_odf_text(document: OpenDocument) -> Readout:
    text = OdfText(document)
    pieces = list(text.pieces(document.body))
    return written(pieces, text.title or document.title)


class OdfText:
    """What is known of a document while its paragraphs go by."""

    def __init__(self, document: OpenDocument) -> None:
        self.title: str | None = None
        self._document = document

    def pieces(
        self, parent: etree._Element, depth: int = 0, list_style: str = ""
    ) -> Iterator[Piece]:
        for element in parent:
            tag = element.tag
            if tag in LEFT_OUT or self._is_hidden(element):
                continue
            if tag == f"{TEXT}h":
                level = element.get(f"{TEXT}outline-level", "1")
                yield heading(self.line(element), int(level) if level.isdecimal() else 1)
            elif tag == f"{TEXT}p":
                yield from self._paragraph(element)
            elif tag == f"{TEXT}list":
                yield from self._list(element, depth, list_style)
            elif tag == f"{TABLE}table":
                yield from self._table(element)
            elif tag == f"{DRAW}image":
                yield from self._picture(element)
            else:
                yield from self.pieces(element, depth, list_style)

    def line(self, element: etree._Element) -> str:
        words: list[str] = []
        self._say(element, words)
        return "".join(words).strip()

    def _paragraph(self, element: etree._Element) -> Iterator[Piece]:
        text = self.line(element)
        if element.get(f"{TEXT}style-name") in self._document.headings:
            self.title = self.title or " ".join(text.split())
            yield heading(text, 1)
        else:
            yield Piece("text", text)
        yield from self._hanging(element)

    def _hanging(self, element: etree._Element) -> Iterator[Piece]:
        """Notes and frames that stand in a paragraph."""
        for each in element.iterchildren():
            if each.tag in (f"{TEXT}note", f"{DRAW}frame", f"{DRAW}custom-shape"):
                yield from self.pieces(each)
            elif each.tag not in LEFT_OUT:
                yield from self._hanging(each)

    def _picture(self, element: etree._Element) -> Iterator[Piece]:
        """Images of one frame are the same in several formats: the first that can be read."""
        if next(element.itersiblings(element.tag, preceding=True), None) is not None:
            return
        images = (element, *element.itersiblings(element.tag))
        names = (image.get(HREF, "").removeprefix("./") for image in images)
        yield from islice(filter(None, map(self._document.read_picture, names)), 1)

    def _list(self, element: etree._Element, depth: int, inherited: str) -> Iterator[Piece]:
        style = element.get(f"{TEXT}style-name", inherited)
        is_numbered = (style, str(depth + 1)) in self._document.numbered
        for number, item in enumerate(element.iterchildren(f"{TEXT}list-item"), start=1):
            mark = f"{number}. " if is_numbered else "- "
            for piece in self.pieces(item, depth + 1, style):
                if piece.kind == "text" and piece.text:
                    yield Piece("list", "  " * depth + mark + " ".join(piece.text.split()))
                    mark = " " * len(mark)
                else:
                    yield piece

    def _table(self, element: etree._Element) -> Iterator[Piece]:
        rows = [
            [cell(self.cell_text(each)) for each in cells_of(row)]
            for row in element.iter(f"{TABLE}table-row")
        ]
        if max(map(len, rows), default=0) > 1:
            yield Piece("table", table(rows))
        else:
            for row in element.iter(f"{TABLE}table-row"):
                for each in cells_of(row):
                    yield from self.pieces(each)

    def cell_text(self, element: etree._Element) -> str:
        """Without the mark of a list, which every cell of some tables is."""
        pieces = list(self.pieces(element))
        if [piece.kind for piece in pieces] == ["list"]:
            return pieces[0].text.removeprefix("- ")
        return "\n".join(filter(None, (piece.text for piece in pieces)))

    def _say(self, element: etree._Element, words: list[str]) -> None:
        words.append(" ".join((element.text or "").splitlines()))
        for child in element:
            tag = child.tag
            if tag in MARKS:
                words.append(MARKS[tag])
            elif tag == f"{TEXT}s":
                count = child.get(f"{TEXT}c", "1")
                words.append(" " * min(int(count) if count.isdecimal() else 1, MOST_SPACES))
            elif tag == f"{DRAW}frame":
                words.append(f" {child.findtext(f'{SVG}title') or ''} ".rstrip())
            elif child.get(f"{TEXT}style-name") in self._document.raised:
                words.append(raised(self.line(child)))
            elif self._is_said(child):
                self._say(child, words)
            words.append(" ".join((child.tail or "").splitlines()))

    def _is_said(self, element: etree._Element) -> bool:
        apart = (f"{TEXT}note", f"{DRAW}custom-shape")
        return element.tag not in (*LEFT_OUT, *apart) and not self._is_hidden(element)

    def _is_hidden(self, element: etree._Element) -> bool:
        named = (element.get(f"{each}style-name") for each in (TEXT, TABLE, DRAW))
        return any(name in self._document.hidden for name in named if name)


def cells_of(row: etree._Element) -> Iterator[etree._Element]:
    """Each as often as it is repeated; one that another reaches over is empty."""
    count = 0
    for each in row.iterchildren(f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
        repeated = each.get(f"{TABLE}number-columns-repeated", "1")
        for _ in range(min(int(repeated) if repeated.isdecimal() else 1, WIDEST - count)):
            count += 1
            yield each
