"""Rules -> grids: where level and upright rules cross and enclose cells."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct

from rag.domain import Box
from rag.local.reading.pdf.rulings import Rule

SNAP = 3.0
"""Points within which rules are one, or meet: both edges of a thick rule, corners drawn short."""
MOST_RULES = 1_500
"""Of a page; beyond that it is a drawing."""
MOST_COLUMNS = 60


class Grid(Struct, frozen=True):
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    upright: tuple[tuple[Rule, ...], ...]
    """For each of `xs`, the rules drawn there."""
    level: tuple[tuple[Rule, ...], ...]

    @property
    def box(self) -> Box:
        return self.xs[0], self.ys[0], self.xs[-1], self.ys[-1]

    def cell(self, x: float, y: float) -> tuple[int, int] | None:
        """Row and column of the cell around a point: of cells that no rule parts, the first."""
        if not (self.xs[0] < x < self.xs[-1] and self.ys[0] < y < self.ys[-1]):
            return None
        row, column = bisect_right(self.ys, y) - 1, bisect_right(self.xs, x) - 1
        while column and not _parts(self.upright[column], y):
            column -= 1
        while row and not _parts(self.level[row], x):
            row -= 1
        return row, column


def _parts(rules: Iterable[Rule], across: float) -> bool:
    return any(rule.start <= across <= rule.end for rule in rules)


def grids(rules: Sequence[Rule]) -> list[Grid]:
    """Of at least two rows and two columns."""
    level = merged([rule for rule in rules if rule.is_level])
    upright = merged([rule for rule in rules if not rule.is_level])
    if len(level) + len(upright) > MOST_RULES:
        return []
    return [grid for group in _connected(level, upright) if (grid := _grid(group))]


def merged(rules: Sequence[Rule]) -> list[Rule]:
    """Rules that lie on one line and touch as one."""
    found: list[Rule] = []
    lines: list[list[Rule]] = []
    for rule in sorted(rules, key=lambda r: r.at):
        if lines and rule.at - lines[-1][0].at <= SNAP:
            lines[-1].append(rule)
        else:
            lines.append([rule])
    for line in lines:
        at = sum(rule.at for rule in line) / len(line)
        run: Rule | None = None
        for rule in sorted(line, key=lambda r: r.start):
            if run and rule.start <= run.end + SNAP:
                run = Rule(run.is_level, at, run.start, max(run.end, rule.end))
            else:
                found += [run] if run else []
                run = Rule(rule.is_level, at, rule.start, rule.end)
        found += [run] if run else []
    return found


def _connected(level: Sequence[Rule], upright: Sequence[Rule]) -> list[list[Rule]]:
    """Groups of rules that meet, directly or by way of others."""
    every = [*level, *upright]
    group = list(range(len(every)))

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    for i, flat in enumerate(level):
        for j, tall in enumerate(upright, start=len(level)):
            if (
                flat.start - SNAP <= tall.at <= flat.end + SNAP
                and tall.start - SNAP <= flat.at <= tall.end + SNAP
            ):
                group[root(i)] = root(j)
    groups = defaultdict(list)
    for i, rule in enumerate(every):
        groups[root(i)].append(rule)
    return [rules for rules in groups.values() if len(rules) >= 3]


def _grid(rules: Sequence[Rule]) -> Grid | None:
    """Outer sides that are not drawn are where the rules across them end."""
    level = tuple(rule for rule in rules if rule.is_level)
    upright = tuple(rule for rule in rules if not rule.is_level)
    if len(level) < 2 or not upright:
        return None
    sides = [*(r.start for r in level), *(r.end for r in level)]
    ends = [*(r.start for r in upright), *(r.end for r in upright)]
    xs = _places([*(r.at for r in upright), min(sides), max(sides)])
    ys = _places([*(r.at for r in level), min(ends), max(ends)])
    if not 3 <= len(xs) <= MOST_COLUMNS or len(ys) < 3:
        return None
    return Grid(xs, ys, _drawn_at(xs, upright), _drawn_at(ys, level))


def _drawn_at(places: Sequence[float], rules: Sequence[Rule]) -> tuple[tuple[Rule, ...], ...]:
    return tuple(tuple(r for r in rules if abs(r.at - place) <= SNAP) for place in places)


def _places(values: Iterable[float]) -> tuple[float, ...]:
    places: list[float] = []
    for value in sorted(values):
        if not places or value - places[-1] > SNAP:
            places.append(value)
    return tuple(places)
