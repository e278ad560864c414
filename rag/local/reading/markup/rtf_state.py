"""What is in force at a place in an RTF file: for its group, and for its paragraph."""

import codecs

from rag.local.reading.readout import Piece, heading

SPECIAL = {
    **{"tab": " ", "line": "\n", "emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’"},
    **{"ldblquote": "“", "rdblquote": "”", "bullet": "•", "emspace": " ", "enspace": " "},
}
CHARSETS = {
    **{128: "cp932", 129: "cp949", 134: "gbk", 136: "big5", 161: "cp1253", 162: "cp1254"},
    **{163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874"},
    **{238: "cp1250", 0: "cp1252", 77: "mac_roman"},
}
"""Of fonts, by the number that Windows gives them."""
BULLETS = frozenset("•·-–o§\uf0b7▪■◦")


class Group:
    """Between two braces; what is set within ends with it."""

    def __init__(self, fonts: dict[int, str] | None = None, encoding: str = "cp1252") -> None:
        self.is_unseen = False
        self.is_label = False
        self.fallback = 1
        """Characters that stand behind one in Unicode, for programs that do not know it."""
        self._fonts: dict[int, str] = {} if fonts is None else fonts
        """Encodings by font, known to all groups."""
        self._font: int | None = None
        self._page = encoding

    def inner(self) -> "Group":
        group = Group(self._fonts, self._page)
        group.is_unseen, group.fallback, group._font = self.is_unseen, self.fallback, self._font
        return group

    @property
    def encoding(self) -> str:
        return self._page if self._font is None else self._fonts.get(self._font, self._page)

    def set(self, word: str, value: int | None) -> None:
        if word == "ansicpg":
            self._page = _known(f"cp{value}", self._page)
        elif word == "f":
            self._font = value
        elif word == "fcharset" and self._font is not None and value in CHARSETS and value:
            self._fonts[self._font] = CHARSETS[value]
        elif word == "uc":
            self.fallback = max(0, value or 0)
        elif word in ("v", "deleted"):
            self.is_unseen = value != 0
        elif word == "plain":
            self._font = None


def _known(encoding: str, otherwise: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return otherwise


class Paragraph:
    def __init__(self, *, in_table: bool = False, level: int = 0, depth: int = 0) -> None:
        self.words: list[str] = []
        self.label = ""
        self.in_table = in_table
        self._level = level
        self._depth = depth

    @property
    def text(self) -> str:
        """Characters beyond the first 65,536 come in two halves."""
        text = "".join(self.words).strip()
        if text.isascii():
            return text
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def next(self) -> "Paragraph":
        """What is in force stays so until it is reset."""
        return Paragraph(level=self._level, depth=self._depth)

    def set(self, word: str, value: int | None, headings: dict[str, int]) -> None:
        if word == "pard":
            self.in_table, self._level, self._depth = False, 0, 0
        elif word == "intbl":
            self.in_table = True
        elif word == "outlinelevel":
            self._level = 0 if value is None or not 0 <= value < 9 else value + 1
        elif word == "s":
            self._level = headings.get(str(value), self._level)
        elif word == "ilvl":
            self._depth = min(max(value or 0, 0), 8)

    def piece(self) -> Piece:
        text = self.text
        label = "-" if self.label in BULLETS else self.label
        if self._level:
            return heading(f"{self.label} {text}" if text else "", self._level)
        if self.label and text:
            return Piece("list", "  " * self._depth + f"{label} {' '.join(text.split())}")
        return Piece("text", text)
