"""Rich Text (RTF) -> blocks: headings by style or outline level, lists, tables, and words."""

import re
from collections.abc import Iterator

from rag.local.reading.markup.rtf_state import SPECIAL, Group, Paragraph
from rag.local.reading.readout import Piece, Readout, written
from rag.local.reading.tables import cell, table
from rag.local.reading.task import Task

TOKEN = re.compile(
    r"\\(?:([a-zA-Z]{1,32})(-?\d{1,10})? ?|'([0-9a-fA-F]{2})|([^a-zA-Z]))|([{}])|([^\\{}\r\n]+)"
)
"""A control word and its number, a byte as hex, a control symbol, a brace, or text."""
DESTINATIONS = frozenset(
    (
        *("fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "footer"),
        *("headerl", "headerr", "headerf", "footerl", "footerr", "footerf", "themedata"),
        *("datastore", "fldinst", "listtable", "listoverridetable", "rsidtbl", "generator"),
        *("xmlnstbl", "mmathPr", "annotation", "atnid", "atnauthor", "bkmkstart", "bkmkend"),
        *("filetbl", "revtbl", "private", "nonshppict", "template", "xe", "tc", "userprops"),
    )
)
"""Groups whose words are not the document's."""
HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
STYLE = re.compile(r"\{\\s(\d+)(?:\\[a-z]+-?\d*)* ?([^{};\\]+);")
TITLE = re.compile(r"\{\\title ([^{}\\]*)\}")
STYLES_WITHIN = 256 * 1024  # characters; the table of styles stands at the beginning


def read_rtf(content: bytes, task: Task) -> Readout:
    return rtf_readout(content)


def rtf_readout(content: bytes) -> Readout:
    raw = content.decode("latin-1")
    start = raw[:STYLES_WITHIN]
    styles = {
        number: int(level[1])
        for number, name in STYLE.findall(start)
        if (level := HEADING.search(name)) is not None
    }
    title = TITLE.search(start)
    pieces = _Reading(styles).pieces(raw)
    return written(pieces, title[1].strip() or None if title else None)


class _Reading:
    """A pass over the tokens. Groups nest in a list, not in calls, so depth costs nothing."""

    def __init__(self, headings: dict[str, int]) -> None:
        self._headings = headings
        self._group = Group()
        self._outer: list[Group] = []
        self._paragraph = Paragraph()
        self._bytes = bytearray()
        """Text not decoded yet: a character may have several of these."""
        self._skipped = 0
        """Characters still to be skipped: what stands for one that older programs do not know."""
        self._cells: list[str] = []
        self._rows: list[list[str]] = []

    def pieces(self, raw: str) -> Iterator[Piece]:
        at = 0
        while (token := TOKEN.search(raw, at)) is not None:
            at = token.end()
            word, number, byte, symbol, brace, text = token.groups()
            if text is not None:
                self._text(text.encode("latin-1"))
            elif byte is not None:
                self._text(bytes.fromhex(byte))
            elif brace is not None:
                self._brace(brace)
            elif symbol == "*":
                self._group.is_unseen |= raw.startswith("{", token.start() - 1)
            elif symbol is not None:
                self._symbol(symbol)
            elif word == "bin":
                at += max(0, int(number or 0))
            elif word in ("par", "sect", "page", "row"):
                yield from self._end(word)
            else:
                self._word(word, number)
        yield from self._end("row" if self._paragraph.in_table else "par")
        yield from self._end_table()

    def _text(self, text: bytes) -> None:
        skipped = min(self._skipped, len(text))
        self._skipped -= skipped
        if not self._group.is_unseen:
            self._bytes += text[skipped:]

    def _say(self, text: str) -> None:
        self._flush()
        if not self._group.is_unseen:
            self._paragraph.words.append(text)

    def _flush(self) -> None:
        if self._bytes:
            text = bytes(self._bytes).decode(self._group.encoding, "replace")
            self._bytes.clear()
            self._paragraph.words.append(text)

    def _brace(self, brace: str) -> None:
        self._flush()
        if brace == "{":
            self._outer.append(self._group)
            self._group = self._group.inner()
        elif self._outer:
            if self._group.is_label:
                self._paragraph.label = self._paragraph.text
                self._paragraph.words = []
            self._group = self._outer.pop()
        self._skipped = 0

    def _symbol(self, symbol: str) -> None:
        if symbol in "\\{}":
            self._text(symbol.encode())
        elif symbol in "~_":
            self._say(" " if symbol == "~" else "-")
        elif symbol in "\r\n":
            self._say("\n")

    def _word(self, word: str, number: str | None) -> None:
        value = int(number) if number else None
        if word == "u" and value is not None:
            self._say(chr(value % 0x10000))
            self._skipped = self._group.fallback
        elif word in SPECIAL:
            self._say(SPECIAL[word])
        elif word in DESTINATIONS:
            self._group.is_unseen = True
        elif word in ("listtext", "pntext"):
            self._flush()
            self._group.is_label = True
        elif word in ("cell", "nestcell"):
            self._flush()
            self._cells.append(cell(self._paragraph.text))
            self._paragraph = Paragraph(in_table=True)
        elif word in ("ansicpg", "f", "fcharset", "uc", "v", "deleted", "plain"):
            self._flush()
            self._group.set(word, value)
        elif self._group.is_unseen:
            return
        elif word in ("pard", "intbl", "outlinelevel", "s", "ilvl"):
            self._paragraph.set(word, value, self._headings)

    def _end(self, word: str) -> Iterator[Piece]:
        """Of a paragraph, or of a table's row."""
        self._flush()
        if word == "row":
            unfinished = cell(self._paragraph.text)
            self._rows.append([*self._cells, unfinished] if unfinished else self._cells)
            self._cells = []
            self._paragraph = Paragraph(in_table=True)
        elif self._paragraph.in_table:
            self._paragraph.words.append("\n")
        else:
            yield from self._end_table()
            yield self._paragraph.piece()
            self._paragraph = self._paragraph.next()

    def _end_table(self) -> Iterator[Piece]:
        if self._rows and max(map(len, self._rows)) > 1:
            yield Piece("table", table(self._rows))
        else:
            yield from (Piece("text", text) for row in self._rows for text in row)
        self._rows = []
