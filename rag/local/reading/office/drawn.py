"""Text in drawings of Office files (DrawingML): paragraphs, lists and tables."""

from collections.abc import Iterator

from lxml import etree  # type: ignore[import-untyped]  # has no hints

from rag.local.reading.html_markdown import raised
from rag.local.reading.office.equations import M, latex
from rag.local.reading.readout import Piece
from rag.local.reading.tables import cell, table

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
TINY = 200  # hundredths of a point


def words(element: etree._Element) -> str:
    """Paragraphs below it, each on a line."""
    return "\n".join(filter(None, map(_line, element.iter(f"{A}p"))))


def paragraphs(shape: etree._Element, *, as_list: bool) -> Iterator[Piece]:
    """
    Args:
        as_list: whether several paragraphs are bullets unless they say otherwise.
    """
    found = [(p, text) for p in shape.iter(f"{A}p") if (text := _line(p))]
    count = 0
    for paragraph, text in found:
        properties = paragraph.find(f"{A}pPr")
        is_numbered = properties is not None and properties.find(f"{A}buAutoNum") is not None
        count = count + 1 if is_numbered else 0
        if is_numbered or _is_bullet(properties, as_list and len(found) > 1):
            level = "0" if properties is None else properties.get("lvl", "0")
            indentation = "  " * min(int(level), 8) if level.isdecimal() else ""
            mark = f"{count}." if is_numbered else "-"
            yield Piece("list", f"{indentation}{mark} {' '.join(text.split())}")
        else:
            yield Piece("text", text)


def _is_bullet(properties: etree._Element | None, otherwise: bool) -> bool:
    if properties is None:
        return otherwise
    if properties.find(f"{A}buNone") is not None:
        return False
    marks = (f"{A}buChar", f"{A}buBlip")
    return otherwise or any(properties.find(mark) is not None for mark in marks)


def table_of(element: etree._Element) -> str:
    rows = element.iterchildren(f"{A}tr")
    return table([[cell(_cell(each)) for each in row.iterchildren(f"{A}tc")] for row in rows])


def _cell(element: etree._Element) -> str:
    goes_on = "1" in (element.get("hMerge"), element.get("vMerge"))
    return "" if goes_on else words(element)


def _line(paragraph: etree._Element) -> str:
    said = []
    for element in paragraph.iter(f"{A}r", f"{A}fld", f"{A}br", f"{M}oMath"):
        if element.tag == f"{A}br":
            said.append("\n")
        elif element.tag == f"{M}oMath":
            said.append(f"${latex(element)}$")
        elif not _is_tiny(element):
            said.append(_dressed(element))
    return "".join(said).replace("\v", "\n").strip()


def _is_tiny(run: etree._Element) -> bool:
    properties = run.find(f"{A}rPr")
    size = "" if properties is None else properties.get("sz", "")
    return size.isdecimal() and int(size) <= TINY


def _dressed(run: etree._Element) -> str:
    text: str = run.findtext(f"{A}t") or ""
    properties = run.find(f"{A}rPr")
    if properties is None or not text.strip():
        return text
    if properties.get("baseline", "0").lstrip("0").isdecimal():
        text = raised(text)
    return f"~~{text}~~" if properties.get("strike", "noStrike") != "noStrike" else text
