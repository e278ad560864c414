"""Where to cut a section: the cheapest way, over all ways there are.

A chunk costs the square of the share of it that stays empty, plus what the cut behind it costs,
plus what crossing a page costs. The least sum is found by dynamic programming, as a paragraph is
broken into lines (Knuth and Plass, Software: Practice and Experience, 1981), so that chunks come
out even, and no cut is made in a good place only to force a bad one later.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, groupby, pairwise
from math import inf

from rag.chunking.budgets import Measured

KEPT_WHOLE = ("table", "list", "code")
INSIDE_WHAT_FITS = 1.0
"""Of a cut inside a table, list or code fence that a chunk could hold whole: as dear as a chunk
that holds nothing."""
ACROSS_PAGES = 0.05
FEW_WORDS = 16  # tokens; a chunk does not reach over a page break for fewer
FOR_A_FEW_WORDS = 1.0


def cheapest_cuts(measured: Sequence[Measured], room: int) -> list[tuple[int, int]]:
    """Half-open runs of atoms, in order, that together are all of them.

    A run has at most `room` tokens, unless it is a single atom that has more.
    """
    sums = [0, *accumulate(each.tokens + each.gap for each in measured)]
    cut_costs = _cut_costs(measured, room)
    pages = _Pages(measured, sums)
    least = [0.0]
    begins = [0]
    for end in range(1, len(measured) + 1):
        best, begin = inf, end - 1
        for start in range(end - 1, -1, -1):
            size = sums[end] - measured[end - 1].gap - sums[start]
            if size > room and start < end - 1:
                break
            size += measured[start].repeated
            if size > room and start < end - 1:
                continue
            empty = max(0.0, 1 - size / room)
            cost = least[start] + empty * empty + pages.cost(start, end)
            if cost < best:
                best, begin = cost, start
        least.append(best + cut_costs[end - 1])
        begins.append(begin)
    return _runs(begins)


def _runs(begins: Sequence[int]) -> list[tuple[int, int]]:
    runs = []
    end = len(begins) - 1
    while end > 0:
        runs.append((begins[end], end))
        end = begins[end]
    return runs[::-1]


def _cut_costs(measured: Sequence[Measured], room: int) -> list[float]:
    """Of a cut behind each atom."""
    in_block: Counter[int] = Counter()
    for each in measured:
        in_block[each.atom.block] += each.tokens
    costs = [each.atom.cut_cost for each in measured]
    for i, (each, following) in enumerate(pairwise(measured)):
        block = each.atom.block
        is_inside = following.atom.block == block
        if is_inside and each.atom.kind in KEPT_WHOLE and in_block[block] <= room:
            costs[i] += INSIDE_WHAT_FITS
    return costs


class _Pages:
    """What it costs a run to reach over a page break."""

    def __init__(self, measured: Sequence[Measured], sums: Sequence[int]) -> None:
        self._sums = sums
        self._begins: list[int] = []
        self._ends: list[int] = []
        for _, page in groupby(measured, key=lambda each: each.atom.page):
            begin, n = len(self._begins), len(list(page))
            self._begins += [begin] * n
            self._ends += [begin + n] * n

    def cost(self, start: int, end: int) -> float:
        """A few words of a page, while the rest of it is in another chunk, are not worth it."""
        if self._ends[start] >= end:
            return 0.0
        on_first = self._sums[self._ends[start]] - self._sums[start]
        on_last = self._sums[end] - self._sums[self._begins[end - 1]]
        first_is_cut = self._begins[start] < start
        last_is_cut = self._ends[end - 1] > end
        for_few = (first_is_cut and on_first < FEW_WORDS) or (last_is_cut and on_last < FEW_WORDS)
        return FOR_A_FEW_WORDS if for_few else ACROSS_PAGES
