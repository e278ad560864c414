"""A cell's value as Excel shows it: strings, dates, shares, numbers."""

import re
from datetime import datetime, timedelta

from lxml import etree  # type: ignore[import-untyped]  # has no hints
from msgspec import Struct

S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
"""Built-in formats of dates and times, ECMA-376 part 1, 18.8.30; in East Asia there are more."""
SHARES = {9: 0, 10: 2}
"""Built-in formats of shares, and their decimals."""
NOT_CODE = re.compile(r"\"[^\"]*\"|\\.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|_.|\*.", re.IGNORECASE)
"""Of a format: quoted text, escaped characters, colors and locales, spaces of some width."""
DATE_CODE = re.compile(r"[ymdhs]", re.IGNORECASE)
DECIMALS = re.compile(r"\.(0+)")
EPOCH, EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)
LAST_DAY = 2_958_465  # 31 December 9999
LETTERS = re.compile(r"[A-Z]{1,3}")


class Shown(Struct, frozen=True):
    kind: str
    """As in the file: `s` for a shared string, `n` for a number ..."""
    value: str
    style: str


class Values:
    def __init__(
        self, strings: list[str], styles: etree._Element | None, *, counts_from_1904: bool
    ) -> None:
        self._strings = strings
        self._formats = [] if styles is None else _formats(styles)
        self._epoch = EPOCH_1904 if counts_from_1904 else EPOCH

    def shown(self, cell: Shown) -> str:
        if cell.kind == "s":
            at = int(cell.value) if cell.value.isdecimal() else -1
            return self._strings[at] if 0 <= at < len(self._strings) else ""
        if cell.kind == "b":
            return "TRUE" if cell.value == "1" else "FALSE"
        if cell.kind != "n":
            return cell.value
        at = int(cell.style) if cell.style.isdecimal() else 0
        return self._number(cell.value, self._formats[at] if at < len(self._formats) else "")

    def _number(self, value: str, format: str) -> str:
        """Dates as ISO 8601, shares with their sign, other numbers in full but for the noise of
        binary fractions: what is cut off for show is no loss to a screen, but to a reader."""
        if not format and value.isdecimal():
            return value
        try:
            number = float(value)
        except ValueError:
            return value
        if format == "date":
            return self._date(number)
        if format.endswith("%"):
            return f"{number * 100:.{format[:-1]}f}%"
        return f"{number:.15g}" if abs(number) < 1e15 else value

    def _date(self, number: float) -> str:
        if not 0 <= number <= LAST_DAY:
            return f"{number:.15g}"
        moment = self._epoch + timedelta(seconds=round(number * 86_400))
        if number < 1:
            return moment.time().isoformat()
        return moment.date().isoformat() if number == int(number) else moment.isoformat(" ")


def _formats(styles: etree._Element) -> list[str]:
    """For each style of cells: `date`, `2%` for a share with two decimals, or nothing."""
    own = {
        each.get("numFmtId", ""): _meaning(each.get("formatCode", ""))
        for each in styles.iterfind(f"{S}numFmts/{S}numFmt")
    }
    ids = [each.get("numFmtId", "0") for each in styles.iterfind(f"{S}cellXfs/{S}xf")]
    return [own[id] if id in own else _built_in(id) for id in ids]


def _built_in(id: str) -> str:
    number = int(id) if id.isdecimal() else 0
    if number in DATES:
        return "date"
    return f"{SHARES[number]}%" if number in SHARES else ""


def _meaning(format: str) -> str:
    code = NOT_CODE.sub("", format.split(";")[0])
    if "%" in code:
        decimals = DECIMALS.search(code)
        return f"{len(decimals[1]) if decimals else 0}%"
    is_date = DATE_CODE.search(code) and "general" not in code.casefold() and "0" not in code
    return "date" if is_date or re.search(r"s\.0", code) else ""


def column_of(reference: str, otherwise: int) -> int:
    """0 for A1, 26 for AA7; the next column where a cell does not say."""
    letters = LETTERS.match(reference)
    if letters is None:
        return otherwise
    at = 0
    for letter in letters[0]:
        at = at * 26 + ord(letter) - ord("A") + 1
    return at - 1
