"""A chart -> its title, and the numbers it draws as a table."""

from collections.abc import Iterator

from lxml import etree  # type: ignore[import-untyped]  # has no hints

from rag.local.reading.office.drawn import words
from rag.local.reading.readout import Piece
from rag.local.reading.tables import cell, table

C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
CHART = f"{C}chart"
"""What stands for one in a drawing."""
MOST_POINTS = 1_000
"""Of a series; more are a curve that nobody reads as numbers."""


def chart_pieces(root: etree._Element) -> Iterator[Piece]:
    title = root.find(f"{C}chart/{C}title")
    if title is not None and (text := " ".join(words(title).split())):
        yield Piece("caption", text)
    series = list(root.iter(f"{C}ser"))
    names = [cell(next(iter(_points(each, "tx").values()), "")) for each in series]
    values = [_points(each, "val") or _points(each, "yVal") for each in series]
    labels: dict[int, str] = {}
    for each in series:
        labels = labels or _points(each, "cat") or _points(each, "xVal")
    places = sorted({place for each in (labels, *values) for place in each})
    rows = [[cell(labels.get(at, "")), *(each.get(at, "") for each in values)] for at in places]
    if rows:
        yield Piece("table", table([["", *names], *rows]))


def _points(series: etree._Element, part: str) -> dict[int, str]:
    """Cached values by their position."""
    found = series.find(f"{C}{part}")
    if found is None:
        return {}
    points: dict[int, str] = {}
    for point in found.iter(f"{C}pt"):
        at = point.get("idx", "")
        if at.isdecimal() and len(points) < MOST_POINTS:
            points[int(at)] = point.findtext(f"{C}v") or ""
    return points
