"""Dates, however written: `March 3, 2021`, `3. März 2021`, `2021-03-03`, `2021年3月3日`."""

import re
from typing import TypeAlias

from msgspec import Struct

Day: TypeAlias = tuple[int | None, int, int | None]
"""Year, month, day of the month; None where not said."""

_NAMES = (
    "January|Jan Januar janvier enero janeiro gennaio",
    "February|Feb Februar février febrero fevereiro febbraio",
    "March|Mar März mars marzo março",
    "April|Apr avril abril aprile",
    "May Mai mai mayo maio maggio",
    "June|Jun Juni juin junio junho giugno",
    "July|Jul Juli juillet julio julho luglio",
    "August|Aug août agosto",
    "September|Sept|Sep septembre septiembre setembro settembre",
    "October|Oct Oktober|Okt octobre octubre outubro ottobre",
    "November|Nov novembre noviembre novembro",
    "December|Dec Dezember|Dez décembre diciembre dezembro dicembre",
)
MONTHS: dict[str, int] = {
    spelling: number
    for number, names in enumerate(_NAMES, start=1)
    for name in re.split(r"[ |]", names)
    for spelling in (name, name.upper())
}
"""As they are written: a lower-case `march` or `may` is no month, a lower-case `mars` is."""

_MONTH = "(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\b"
_OF = r"(?:of |de |del )?"
_DATE = re.compile(
    rf"(?<![\w.])(?<!(?<!\w)-)(?:"
    rf"(?P<y1>\d{{4}})-(?P<m1>\d\d)(?:-(?P<d1>\d\d))?(?![-\w])"
    rf"|(?P<y2>\d{{4}})/(?P<m2>\d\d)/(?P<d2>\d\d)(?!\w)"
    rf"|(?P<y3>\d{{4}}) ?年 ?(?P<m3>\d\d?) ?月(?: ?(?P<d3>\d\d?) ?日)?"
    rf"|(?P<d4>\d\d?)(?:st|nd|rd|th|er|º|\.)? {_OF}(?P<m4>{_MONTH})\.?"
    rf"(?:,? {_OF}(?P<y4>\d{{4}})\b)?"
    rf"|(?P<m5>{_MONTH})\.? (?P<d5>\d\d?)(?:st|nd|rd|th)?\b(?![\d%])(?:,? (?P<y5>\d{{4}})\b)?"
    rf"|(?P<m6>{_MONTH})\.?,? {_OF}(?P<y6>\d{{4}})\b"
    rf"|(?P<a>\d\d?)(?P<mark>[./])(?P<b>\d\d?)(?P=mark)(?P<y7>\d{{4}})(?!\w|\.\d)"
    rf")"
)


class Date(Struct, frozen=True):
    """A span of a text and the days it may mean: 03/04/2021 has two readings."""

    start: int
    end: int
    text: str
    readings: tuple[Day, ...]


def dates(text: str) -> tuple[Date, ...]:
    """All dates of a normal text that name a month. A year alone is a number."""
    found = (
        Date(match.start(), match.end(), match.group(), tuple(filter(_exists, _readings(match))))
        for match in _DATE.finditer(text)
    )
    return tuple(date for date in found if date.readings)


def _readings(match: re.Match[str]) -> tuple[Day, ...]:
    if match["mark"]:
        first, second, year = int(match["a"]), int(match["b"]), int(match["y7"])
        day_first, month_first = (year, second, first), (year, first, second)
        return (day_first,) if match["mark"] == "." else (day_first, month_first)
    [form] = [form for form in "123456" if match[f"m{form}"]]
    said = match.groupdict()
    month, year_said, day_said = said[f"m{form}"], said[f"y{form}"], said.get(f"d{form}")
    return (
        (
            int(year_said) if year_said else None,
            MONTHS[month] if month in MONTHS else int(month),
            int(day_said) if day_said else None,
        ),
    )


def _exists(date: Day) -> bool:
    _, month, day = date
    return 1 <= month <= 12 and (day is None or 1 <= day <= 31)


def agree(said: Day, shown: Day) -> bool:
    """Whether `shown` has everything that was said: a month and year stand in a full date."""
    return all(ours is None or ours == theirs for ours, theirs in zip(said, shown, strict=True))
