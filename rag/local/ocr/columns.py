"""Reading order: boxes of text on an upright page -> printed lines, column after column.

A gutter is a white strip with several lines of running text on both sides. A part of the page is
cut along its best gutter, except where lines lie across it (a title over two columns), and each
piece is cut again. What has no gutter is read row by row; so are tables, because short cells are
not running text.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Boxes: TypeAlias = npt.NDArray[np.float64]
"""(n, 4): x0, y0, x1, y1 in pixels, origin top left."""

Row: TypeAlias = tuple[int, ...]
"""Indices of the boxes of one printed line, left to right."""

Part: TypeAlias = tuple[int, ...]
"""Indices of boxes, in order of height on the page."""

RUNNING_TEXT = 6.0
"""Width over height of a column's lines, at the least: about 12 letters. Lines of prose are longer
even in narrow columns, numbers in a table shorter."""

BESIDE_GUTTER = 2
"""Boxes which a gutter must have on each side."""

BESIDE_NARROW = 4
"""The same for a gutter less wide than a line is high: the spaces of two or three lines set wide
may happen to stand one below the other."""

OVERHANG = 0.6
"""Line heights by which a box may reach into a gutter: boxes are loose around their text."""

FLOATS = 4
"""At least so many lines beside a gutter for one that may interrupt it."""

APART = 1.2
"""Line heights of white between the text and a running header or footer."""

DROP_CAP = 1.7
"""Line heights from which a box no wider than high is an initial over several lines."""


def strands(boxes: Boxes) -> list[list[Row]]:
    """Stretches of lines, each read from top to bottom, in reading order."""
    if not len(boxes):
        return []
    levels = _levels(boxes)
    page = tuple(int(i) for i in np.argsort(levels, kind="stable"))
    head, body, foot = _without_margins(boxes, _rows(boxes, levels, page))
    columns = _cut(boxes, tuple(i for i in page if i in body))
    return [_rows(boxes, levels, part) for part in (head, *columns, foot) if part]


def _levels(boxes: Boxes) -> npt.NDArray[np.float64]:
    """The height on the page at which a box is read: its middle, or near its top for a drop cap."""
    height = boxes[:, 3] - boxes[:, 1]
    width = boxes[:, 2] - boxes[:, 0]
    line = float(np.median(height))
    initial = (height > DROP_CAP * line) & (width < height)
    return np.where(initial, boxes[:, 1] + line / 2, (boxes[:, 1] + boxes[:, 3]) / 2)


def _rows(boxes: Boxes, levels: npt.NDArray[np.float64], part: Part) -> list[Row]:
    """Boxes side by side: each level lies within half a line of its row's first."""
    rows: list[list[int]] = []
    for i in part:
        reach = (boxes[i, 3] - boxes[i, 1]) / 2
        if rows and levels[i] - levels[rows[-1][0]] < min(
            reach, (boxes[rows[-1][0], 3] - boxes[rows[-1][0], 1]) / 2
        ):
            rows[-1].append(i)
        else:
            rows.append([i])
    return [tuple(sorted(row, key=lambda i: float(boxes[i, 0]))) for row in rows]


def _without_margins(boxes: Boxes, rows: Sequence[Row]) -> tuple[Part, frozenset[int], Part]:
    """A first and a last row which stand apart from the rest are no part of any column."""
    line = float(np.median(boxes[:, 3] - boxes[:, 1]))
    top = [min(float(boxes[i, 1]) for i in row) for row in rows]
    bottom = [max(float(boxes[i, 3]) for i in row) for row in rows]
    first, last = 0, len(rows)
    if last - first > 2 and min(top[1:]) - bottom[0] > APART * line:
        first = 1
    if last - first > 2 and top[-1] - max(bottom[:-1]) > APART * line:
        last -= 1
    head = tuple(i for row in rows[:first] for i in row)
    foot = tuple(i for row in rows[last:] for i in row)
    return head, frozenset(i for row in rows[first:last] for i in row), foot


class _Cuts(Struct, frozen=True):
    """What one gutter makes of a part: smaller parts in reading order."""

    parts: tuple[Part, ...] = ()
    beside: int = 0
    """Boxes beside the gutter, on the poorer side of each band."""


def _cut(boxes: Boxes, part: Part) -> list[Part]:
    best = max(
        (_along(boxes, part, x) for x in _left_edges(boxes, part)),
        key=lambda cuts: cuts.beside,
        default=_Cuts(),
    )
    if not best.beside:
        return [part]
    return [smaller for piece in best.parts for smaller in _cut(boxes, piece)]


def _left_edges(boxes: Boxes, part: Part) -> Iterable[float]:
    """Where a column may begin: a left edge which another box has too, give or take the slack."""
    if len(part) < 2 * BESIDE_GUTTER:
        return []
    edges = np.sort(boxes[list(part), 0])
    shared = np.diff(edges) < _slack(boxes, part)
    return [float(x) for x in np.unique(np.round(edges[:-1][shared]))]


def _slack(boxes: Boxes, part: Part) -> float:
    here = boxes[list(part)]
    return OVERHANG * float(np.median(here[:, 3] - here[:, 1]))


def _along(boxes: Boxes, part: Part, x: float) -> _Cuts:
    """Cut at the gutter that ends at `x`. Bands without text on both sides, and the lines between
    bands, stay whole."""
    slack = _slack(boxes, part)
    left = frozenset(i for i in part if boxes[i, 2] <= x + slack)
    right = frozenset(i for i in part if i not in left and boxes[i, 0] >= x - slack)
    floats = _floats(boxes, part, left, right)
    parts: list[Part] = []
    beside = 0
    whole: Part = ()
    for band in _bands(part, across=frozenset(part) - left - right - floats):
        sides = [tuple(i for i in band if i in side) for side in (left, right)]
        if _are_columns(boxes, *sides):
            beside += min(len(side) for side in sides)
            floating = tuple(i for i in band if i in floats)
            parts += [p for p in (whole, *sides, floating) if p]
            whole = ()
        else:
            whole += band
    return _Cuts((*parts, whole) if whole else tuple(parts), beside)


def _floats(
    boxes: Boxes, part: Part, left: frozenset[int], right: frozenset[int]
) -> frozenset[int]:
    """Captions and the like: boxes in the gutter, with lines running past them on both sides."""
    sides = [boxes[sorted(side)] for side in (left, right)]
    passed = frozenset(
        i
        for i in part
        if i not in left and i not in right and all(_passes(side, boxes[i]) for side in sides)
    )
    return passed if len(passed) * FLOATS <= min(len(left), len(right)) else frozenset()


def _passes(column: Boxes, box: npt.NDArray[np.float64]) -> bool:
    """Whether lines of the column stand beside at least a third of the box's height."""
    common = np.minimum(column[:, 3], box[3]) - np.maximum(column[:, 1], box[1])
    return bool(np.maximum(common, 0).sum() * 3 > box[3] - box[1])


def _bands(part: Part, *, across: frozenset[int]) -> list[Part]:
    """Runs of boxes that all lie across the gutter, or none of which does."""
    bands: list[list[int]] = []
    for i in part:
        if bands and (bands[-1][-1] in across) == (i in across):
            bands[-1].append(i)
        else:
            bands.append([i])
    return [tuple(band) for band in bands]


def _are_columns(boxes: Boxes, left: Part, right: Part) -> bool:
    """Whether both sides are running text, with enough of it for the white between them."""
    fewest = min(len(left), len(right))
    if fewest < BESIDE_GUTTER:
        return False
    white = boxes[list(right), 0].min() - boxes[list(left), 2].max()
    narrow = white < np.median(boxes[list(left + right), 3] - boxes[list(left + right), 1])
    return fewest >= (BESIDE_NARROW if narrow else BESIDE_GUTTER) and all(
        _is_running(boxes[list(side)]) for side in (left, right)
    )


def _is_running(column: Boxes) -> bool:
    """Whether at least half of the text, by length, stands in boxes as long as running text."""
    width, height = column[:, 2] - column[:, 0], column[:, 3] - column[:, 1]
    long = width / np.maximum(height, 1) >= RUNNING_TEXT
    return bool(width[long].sum() * 2 >= width.sum())
