"""Where to cut a section: the cheapest way, over all ways there are.

A chunk costs the square of the share of it that stays empty, plus what the cut behind it costs,
plus what crossing a page costs. The least sum is found by dynamic programming, as a paragraph is
broken into lines (Knuth and Plass, Software: Practice and Experience, 1981), so that chunks come
out even, and no cut is made in a good place only to force a bad one later.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from rag.chunking.atoms import Atom

KEPT_WHOLE = ("table", "list", "code")
INSIDE_WHAT_FITS = 1.0
"""Of a cut inside a table, list or code fence that a chunk could hold whole: as dear as a chunk
that holds nothing."""
ACROSS_PAGES = 0.05
FEW_WORDS = 16  # tokens; a chunk does not reach over a page break for fewer
FOR_A_FEW_WORDS = 1.0


def cheapest_cuts(
    atoms: Sequence[Atom], tokens: Sequence[int], repeated: Sequence[int], room: int
) -> list[tuple[int, int]]:
    """Half-open runs of atoms, in order, that together are all of them.

    Args:
        tokens: of each atom.
        repeated: tokens that a run has on top when it begins at that atom.
        room: tokens that a run may have; a single atom may have more.
    """
    sums = [0, *accumulate(tokens)]
    cut_costs = _cut_costs(atoms, tokens, room)
    pages = _Pages(atoms, sums)
    least = [0.0] * (len(atoms) + 1)
    begins = [0] * (len(atoms) + 1)
    for end in range(1, len(atoms) + 1):
        least[end] = float("inf")
        for start in range(end - 1, -1, -1):
            if sums[end] - sums[start] > room and start < end - 1:
                break
            size = sums[end] - sums[start] + repeated[start]
            if size > room and start < end - 1:
                continue
            empty = max(0.0, 1 - size / room)
            cost = least[start] + empty * empty + pages.cost(start, end)
            if cost < least[end]:
                least[end], begins[end] = cost, start
        least[end] += cut_costs[end - 1]
    return _runs(begins)


def _runs(begins: Sequence[int]) -> list[tuple[int, int]]:
    runs = []
    end = len(begins) - 1
    while end > 0:
        runs.append((begins[end], end))
        end = begins[end]
    return runs[::-1]


def _cut_costs(atoms: Sequence[Atom], tokens: Sequence[int], room: int) -> list[float]:
    in_block = [0] * (atoms[-1].block + 1) if atoms else []
    for atom, count in zip(atoms, tokens, strict=True):
        in_block[atom.block] += count
    costs = [atom.cut_cost for atom in atoms]
    for i, (atom, following) in enumerate(pairwise(atoms)):
        fits = atom.kind in KEPT_WHOLE and in_block[atom.block] <= room
        if fits and following.block == atom.block:
            costs[i] += INSIDE_WHAT_FITS
    return costs


class _Pages:
    """What it costs a run to reach over a page break."""

    def __init__(self, atoms: Sequence[Atom], sums: Sequence[int]) -> None:
        self._sums = sums
        self._pages = [atom.page for atom in atoms]
        self._begins = list(range(len(atoms)))
        self._ends = list(range(1, len(atoms) + 1))
        for i in range(1, len(atoms)):
            if self._pages[i] == self._pages[i - 1]:
                self._begins[i] = self._begins[i - 1]
        for i in range(len(atoms) - 2, -1, -1):
            if self._pages[i] == self._pages[i + 1]:
                self._ends[i] = self._ends[i + 1]

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
