"""Where a page has columns of prose, and whether its content follows them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from rag.domain import Box
from rag.local.reading.pdf.fragments import Fragment

PROSE_WORDS = 4
"""Words from which a fragment is a line of prose rather than a cell or a label."""
PROSE_LINES = 6
"""Lines of prose on each side of a gutter: fewer are a list of things side by side."""
CROSSED = 0.25
"""Of the lines on the thinner side, may cross a gutter: titles, figures, tables across columns."""
GUTTER = 0.5
"""Of a line's height, at least."""
STEP = 2.0
"""Points between places where a gutter is looked for; gutters are 10 and more wide."""
ALTERNATING = 0.3
"""Of the fragments, from which a content order that changes sides runs across the columns."""
BACKWARD = 0.1
"""Of the rows: a content order that goes back up more often is not for reading."""


class Columns(Struct, frozen=True):
    """The middles of a page's gutters, from left to right."""

    gutters: tuple[float, ...]

    def of(self, box: Box) -> int:
        """Number of a column from 0; -1 for what stands across a gutter."""
        x0, _, x1, _ = box
        if any(x0 < gutter < x1 for gutter in self.gutters):
            return -1
        return sum(gutter <= x0 for gutter in self.gutters)


def columns(fragments: Sequence[Fragment], width: float) -> Columns:
    prose = [f.box for f in fragments if f.text.count(" ") >= PROSE_WORDS - 1]
    if len(prose) < 2 * PROSE_LINES:
        return Columns(())
    height = sorted(f.height for f in fragments)[len(fragments) // 2]
    places = _hardly_crossed(prose, width)
    clear = [x for x in places if _is_gutter(x, prose, GUTTER * height)]
    return Columns(tuple(sum(run) / len(run) for run in _runs(clear)))


def _hardly_crossed(prose: Sequence[Box], width: float) -> Iterator[float]:
    """Places with enough lines on either side and few across."""
    starts, ends = sorted(box[0] for box in prose), sorted(box[2] for box in prose)
    for x in _steps(width):
        left, right = bisect_right(ends, x), len(starts) - bisect_left(starts, x)
        thinner = min(left, right)
        if thinner >= PROSE_LINES and len(prose) - left - right <= CROSSED * thinner:
            yield x


def _steps(width: float) -> list[float]:
    return [STEP * i for i in range(1, int(width / STEP))]


def _runs(places: list[float]) -> list[list[float]]:
    runs: list[list[float]] = []
    for x in places:
        if runs and x - runs[-1][-1] < 1.5 * STEP:
            runs[-1].append(x)
        else:
            runs.append([x])
    return runs


def _is_gutter(x: float, prose: list[Box], margin: float) -> bool:
    left = [box for box in prose if box[2] <= x]
    right = [box for box in prose if box[0] >= x]
    return _beside(left, right, PROSE_LINES) and _is_clear(x, left, right, margin)


def _is_clear(x: float, left: list[Box], right: list[Box], margin: float) -> bool:
    return min(b[0] for b in right) - max(b[2] for b in left) >= margin or not any(
        box[2] > x - margin / 2 for box in left
    )


def _beside(left: list[Box], right: list[Box], lines: int) -> bool:
    """Whether the two share a stretch of the page at least `lines` high."""
    top = max(min(b[1] for b in left), min(b[1] for b in right))
    bottom = min(max(b[3] for b in left), max(b[3] for b in right))
    inside = sum(1 for b in left if b[1] >= top - 1 and b[3] <= bottom + 1)
    return inside >= lines


def runs_across(fragments: Sequence[Fragment], found: Columns) -> bool:
    """Whether the content goes from column to column within lines."""
    sides = [side for f in fragments if (side := found.of(f.box)) >= 0]
    changes = sum(one != other for one, other in pairwise(sides))
    return changes > ALTERNATING * len(sides)


def goes_back(boxes: Sequence[Box]) -> bool:
    """Whether an order of boxes often climbs within a column, as none does that is read."""
    climbs = sum(
        below[3] <= above[1] + 1 and below[0] < above[2] and above[0] < below[2]
        for above, below in pairwise(boxes)
    )
    return climbs > max(1, BACKWARD * len(boxes))


def by_place(fragments: Sequence[Fragment], found: Columns) -> list[Fragment]:
    """From top to bottom, column by column between what stands across them."""
    from_top = sorted(fragments, key=lambda f: (_middle(f.box), f.box[0]))
    across = [f.box for f in from_top if found.of(f.box) < 0]

    def place(fragment: Fragment) -> tuple[int, int]:
        band = sum(_middle(box) < _middle(fragment.box) for box in across)
        column = found.of(fragment.box)
        return (2 * band + 1, column) if column >= 0 else (2 * band, 0)

    return _by_rows(sorted(from_top, key=place), found)


def _by_rows(fragments: list[Fragment], found: Columns) -> list[Fragment]:
    """Neighbors on one line of a column from left to right."""
    ordered: list[Fragment] = []
    line: list[Fragment] = []
    for fragment in fragments:
        level = (
            line
            and _middle(fragment.box) < line[0].box[3]
            and _middle(fragment.box) > line[0].box[1]
        )
        if not level or found.of(fragment.box) != found.of(line[0].box):
            ordered += sorted(line, key=lambda f: f.box[0])
            line = []
        line.append(fragment)
    return ordered + sorted(line, key=lambda f: f.box[0])


def _middle(box: Box) -> float:
    return (box[1] + box[3]) / 2
