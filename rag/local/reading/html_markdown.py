"""A tree of HTML -> markdown: headings, lists, tables, quotations and code, and plain words.

Emphasis and links are left out, so that words stay as a person would quote them.
"""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement  # type: ignore[import-untyped]  # has no hints

from rag.local.reading.tables import cell as one_line
from rag.local.reading.tables import table

HEADINGS = {f"h{level}": level for level in range(1, 7)}
INLINE = {
    *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em"),
    *("font", "i", "ins", "kbd", "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small"),
    *("span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "img", "br"),
}
SPACES = re.compile(r"[ \t\r\n\f]+")
DOUBLE_SPACES = re.compile(r" {2,}")
AROUND_BREAK = re.compile(r" *\n *")
DIGITS = "0123456789+-−()"
RAISED = str.maketrans(DIGITS, "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾")
WIDEST_SPAN = 100
"""Columns or rows; more is an attack or a mistake."""
LONGEST_NUMBER = 9  # digits of an attribute


def markdown(root: HtmlElement) -> str:
    return "\n\n".join(_blocks(root))


class _Writer:
    """The blocks so far, and the words of the one that is being written."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.words: list[str] = []

    def say(self, text: str | None) -> None:
        if text:
            self.words.append(SPACES.sub(" ", text))

    def end_paragraph(self) -> None:
        text = AROUND_BREAK.sub("\n", DOUBLE_SPACES.sub(" ", "".join(self.words))).strip()
        self.words = []
        self.add(text)

    def add(self, block: str) -> None:
        if block:
            self.blocks.append(block)


def _blocks(element: HtmlElement) -> list[str]:
    writer = _Writer()
    _walk(element, writer)
    writer.end_paragraph()
    return writer.blocks


def _walk(element: HtmlElement, writer: _Writer) -> None:
    writer.say(element.text)
    for child in element:
        _write(child, writer)
        writer.say(child.tail)


def _write(element: HtmlElement, writer: _Writer) -> None:
    if element.tag in INLINE:
        _write_inline(element, writer)
        return
    writer.end_paragraph()
    block = _special(element)
    if block is None:
        _walk(element, writer)
        writer.end_paragraph()
    else:
        writer.add(block)


def _write_inline(element: HtmlElement, writer: _Writer) -> None:
    if element.tag == "br":
        writer.words.append("\n")
    elif element.tag == "img":
        writer.say(element.get("alt"))
    elif element.tag == "sup":
        writer.say(raised(element.text_content()))
    elif element.tag in ("del", "s", "strike"):
        writer.say("~~")
        _walk(element, writer)
        writer.say("~~")
    else:
        _walk(element, writer)


def raised(text: str) -> str:
    """10<sup>2</sup> is 10², never 102; the th of 5th is no exponent."""
    raised = text.strip()
    if not raised or raised[0] not in DIGITS:
        return text
    return raised.translate(RAISED) if set(raised) <= set(DIGITS) else f"^{raised}"


def _special(element: HtmlElement) -> str | None:
    """The whole block, or None where an element is no more than what is in it."""
    if element.tag in HEADINGS:
        text = " ".join(" ".join(_blocks(element)).split())
        return "#" * HEADINGS[element.tag] + " " + text if text else ""
    if element.tag in ("ul", "ol", "menu"):
        return "\n".join(_items(element))
    if element.tag == "pre":
        return _code(element)
    if element.tag == "blockquote":
        return _prefixed("> ", "> ", "\n\n".join(_blocks(element)))
    if element.tag == "table":
        return _table(element)
    return None


def _code(element: HtmlElement) -> str:
    code = element.text_content().strip("\n")
    longest = max(map(len, re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{code}\n{fence}" if code.strip() else ""


def _items(element: HtmlElement) -> Iterator[str]:
    number = _number(element.get("start", "1"), otherwise=1)
    for item in element:
        mark = f"{number}. " if element.tag == "ol" else "- "
        if text := "\n".join(_blocks(item)):
            yield _prefixed(mark, " " * len(mark), text)
            number += 1


def _prefixed(first: str, others: str, text: str) -> str:
    head, *tail = text.split("\n")
    return "\n".join([first + head, *((others + line).rstrip() for line in tail)]) if text else ""


def _table(element: HtmlElement) -> str | None:
    """None for a table that only lays out a page."""
    inner = list(element.iterdescendants("table"))
    has_head = next(element.iterdescendants("th"), None) is not None
    if element.get("role") in ("presentation", "none") or (inner and not has_head):
        return None
    for other in inner:
        _flatten(other)
    cells = _cells(list(element.iter("tr")))
    width = max(map(len, cells), default=0)
    if width < 2:
        return None
    caption = element.find("caption")
    above = "\n\n".join(_blocks(caption)) if caption is not None else ""
    return f"{above}\n\n" * bool(above) + table(cells)


def _cells(rows: list[HtmlElement]) -> list[list[str]]:
    """The text of each cell, with empty ones where a cell spans several columns or rows."""
    reaching: dict[int, int] = {}
    """Columns taken from above, and for how many rows still."""
    texts: list[list[str]] = []
    for row in rows:
        line: list[str] = []
        taken, reaching = reaching, {c: n - 1 for c, n in reaching.items() if n > 1}
        for cell in row.iterchildren("td", "th"):
            while len(line) in taken:
                line.append("")
            wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
            if high > 1:
                reaching |= dict.fromkeys(range(len(line), len(line) + wide), high - 1)
            line += [_cell_text(cell), *[""] * (wide - 1)]
        if any(line):
            texts.append(line)
    return texts


def _span(cell: HtmlElement, name: str) -> int:
    return min(_number(cell.get(name, "1"), otherwise=WIDEST_SPAN) or 1, WIDEST_SPAN)


def _number(value: str, *, otherwise: int) -> int:
    """
    Args:
        otherwise: where it is longer than any number that somebody meant.
    """
    if not value.isdecimal():
        return 1
    return int(value) if len(value) <= LONGEST_NUMBER else otherwise


def _cell_text(cell: HtmlElement) -> str:
    return one_line(" ".join(_blocks(cell)))


def _flatten(inner: HtmlElement) -> None:
    """A table within a cell becomes its words, for markdown has no cell for it."""
    rows = (" ".join(" ".join(row.itertext()).split()) for row in inner.iter("tr"))
    text, tail = "; ".join(filter(None, rows)), inner.tail
    inner.clear()
    inner.tag, inner.text, inner.tail = "span", text, tail
