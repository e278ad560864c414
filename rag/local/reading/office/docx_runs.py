"""A paragraph of a Word document -> its words, without those that nobody sees."""

from typing import TypeAlias

from lxml import etree  # type: ignore[import-untyped]  # has no hints

from rag.local.reading.html_markdown import raised
from rag.local.reading.office.docx_styles import PLAIN, VALUE, Style, W
from rag.local.reading.office.equations import M, latex
from rag.local.reading.office.ooxml import is_on

MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
TINY = 4  # half points; nobody reads 2 pt, and print goes down to 4
MARKS = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": " "}
HOLDERS = frozenset(
    (
        *(f"{W}{name}" for name in ("hyperlink", "ins", "moveTo", "smartTag", "fldSimple", "sdt")),
        *(f"{W}{name}" for name in ("sdtContent", "customXml", "dir", "bdo", "ruby", "rubyBase")),
    )
)
DRAWN = frozenset((f"{W}drawing", f"{W}pict", f"{W}object"))
PRIVATE = 0xF000  # symbol fonts put their characters there

Notes: TypeAlias = dict[tuple[str, str], etree._Element]


class Words:
    """What a paragraph says, and what hangs on it."""

    def __init__(self, styles: dict[str, Style], *, is_hidden: bool, drops_white: bool) -> None:
        self.boxes: list[etree._Element] = []
        """Contents of text boxes."""
        self.pictures: list[etree._Element] = []
        self.notes: list[tuple[str, str]] = []
        """Kind and id of the notes that are referred to."""
        self._words: list[str] = []
        self._styles = styles
        self._is_hidden = is_hidden
        self._drops_white = drops_white

    @property
    def text(self) -> str:
        return "".join(self._words).strip()

    def walk(self, element: etree._Element) -> None:
        for child in element:
            tag = child.tag
            if tag == f"{W}r":
                self._run(child)
            elif tag in HOLDERS:
                self.walk(child)
            elif tag in (f"{M}oMath", f"{M}oMathPara"):
                self._words.append(f"${latex(child)}$")
            elif tag == f"{MC}AlternateContent":
                self._drawn(child)

    def _run(self, run: etree._Element) -> None:
        properties = run.find(f"{W}rPr")
        if self._is_unseen(properties):
            return
        before = len(self._words)
        for child in run:
            self._say(child)
        if properties is not None and len(self._words) > before:
            said = "".join(self._words[before:])
            self._words[before:] = [_dressed(said, properties)]

    def _say(self, element: etree._Element) -> None:
        tag = element.tag
        if tag == f"{W}t":
            self._words.append(element.text or "")
        elif tag in DRAWN or tag == f"{MC}AlternateContent":
            self._drawn(element)
        elif tag == f"{W}sym":
            self._words.append(_symbol(element))
        elif tag in (f"{W}footnoteReference", f"{W}endnoteReference"):
            kind = tag[len(W) :].removesuffix("Reference")
            self.notes.append((kind, element.get(f"{W}id", "")))
        elif tag == f"{W}ruby":
            self.walk(element)
        elif isinstance(tag, str) and tag.startswith(W):
            self._words.append(MARKS.get(tag[len(W) :], ""))

    def _drawn(self, element: etree._Element) -> None:
        """A picture's description, and the text boxes in a drawing. Of two alternatives the
        first: the second says the same to older programs."""
        if element.tag == f"{MC}AlternateContent":
            element = next(element.iterchildren(f"{MC}Choice", f"{MC}Fallback"), None)
        for child in () if element is None else element:
            if child.tag == f"{W}txbxContent":
                self.boxes.append(child)
            elif child.tag != DRAWING:
                self._drawn(child)
            elif child.get("hidden") not in ("1", "true"):
                self._words.append(f" {child.get('descr', '')} ")
                self.pictures.append(element)

    def _is_unseen(self, properties: etree._Element | None) -> bool:
        if properties is None:
            return self._is_hidden
        hidden = properties.find(f"{W}vanish")
        if hidden is not None:
            return is_on(hidden, VALUE)
        style = properties.find(f"{W}rStyle")
        if style is not None and self._styles.get(style.get(VALUE, ""), PLAIN).is_hidden:
            return True
        return self._is_hidden or _is_tiny(properties) or self._is_white(properties)

    def _is_white(self, properties: etree._Element) -> bool:
        """White on white; in tables and boxes it usually stands on a color."""
        color = properties.find(f"{W}color")
        return (
            self._drops_white
            and color is not None
            and color.get(VALUE, "").upper() == "FFFFFF"
            and properties.find(f"{W}shd") is None
            and properties.find(f"{W}highlight") is None
        )


def _is_tiny(properties: etree._Element) -> bool:
    size = properties.find(f"{W}sz")
    value = "" if size is None else size.get(VALUE, "")
    return value.isdecimal() and int(value) <= TINY


def _dressed(text: str, properties: etree._Element) -> str:
    """10² stays 10², and what is struck out is marked so."""
    aligned = properties.find(f"{W}vertAlign")
    if aligned is not None and aligned.get(VALUE) == "superscript" and text.strip():
        text = raised(text)
    struck = is_on(properties.find(f"{W}strike"), VALUE) or is_on(
        properties.find(f"{W}dstrike"), VALUE
    )
    return f"~~{text}~~" if struck and text.strip() else text


def _symbol(element: etree._Element) -> str:
    try:
        code = int(element.get(f"{W}char", ""), 16)
    except ValueError:
        return ""
    return chr(code) if 31 < code < PRIVATE else ""
