"""The numbers that Word puts before paragraphs, which stand nowhere in the file."""

import re

from lxml import etree  # type: ignore[import-untyped]  # has no hints
from msgspec import Struct

from rag.local.reading.office.docx_styles import VALUE, Numbering, W

PLACE = re.compile(r"%([1-9])")
ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l")),
    *((40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
BULLET = "-"
LARGEST = 3999  # beyond it there are no Roman numerals, and no letters anybody would read


class Level(Struct, frozen=True):
    format: str = "bullet"
    text: str = ""
    start: int = 1


class Lists:
    """Counts as the paragraphs of a document go by."""

    def __init__(self, root: etree._Element | None) -> None:
        self._levels: dict[str, dict[int, Level]] = {}
        self._abstract: dict[str, str] = {}
        self._counts: dict[str, dict[int, int]] = {}
        if root is not None:
            self._learn(root)

    def label(self, at: Numbering) -> str:
        """What stands before the next paragraph there: `-`, `1.`, `2.1`, `(a)`, or nothing."""
        abstract = self._abstract.get(at.list)
        if abstract is None:
            return BULLET
        levels = self._levels[abstract]
        level = levels.get(at.level, Level())
        counts = self._counts.setdefault(abstract, {})
        for deeper in [each for each in counts if each > at.level]:
            del counts[deeper]
        counts[at.level] = counts.get(at.level, level.start - 1) + 1
        if level.format == "bullet":
            return BULLET
        if level.format == "none":
            return ""
        return PLACE.sub(lambda place: _number(int(place[1]) - 1, levels, counts), level.text)

    def _learn(self, root: etree._Element) -> None:
        for abstract in root.iterchildren(f"{W}abstractNum"):
            levels = dict(map(_level, abstract.iterchildren(f"{W}lvl")))
            self._levels[abstract.get(f"{W}abstractNumId", "")] = levels
        for number in root.iterchildren(f"{W}num"):
            points_to = number.find(f"{W}abstractNumId")
            abstract = "" if points_to is None else points_to.get(VALUE, "")
            if abstract in self._levels:
                self._abstract[number.get(f"{W}numId", "")] = abstract


def _level(element: etree._Element) -> tuple[int, Level]:
    at = element.get(f"{W}ilvl", "0")
    start = _value(element, "start", "1")
    level = Level(
        _value(element, "numFmt", "decimal"),
        _value(element, "lvlText", ""),
        int(start) if start.isdecimal() else 1,
    )
    return int(at) if at.isdecimal() else 0, level


def _value(element: etree._Element, name: str, otherwise: str) -> str:
    found = element.find(f"{W}{name}")
    value: str = otherwise if found is None else found.get(VALUE, otherwise)
    return value


def _number(level: int, levels: dict[int, Level], counts: dict[int, int]) -> str:
    described = levels.get(level, Level())
    count = counts.get(level, described.start)
    if described.format.endswith("Roman") and 0 < count <= LARGEST:
        roman = _roman(count)
        return roman.upper() if described.format.startswith("upper") else roman
    if described.format.endswith("Letter") and 0 < count <= LARGEST:
        letters = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)
        return letters.upper() if described.format.startswith("upper") else letters
    return str(count)


def _roman(count: int) -> str:
    digits = []
    for value, letters in ROMAN:
        times, count = divmod(count, value)
        digits.append(letters * times)
    return "".join(digits)
