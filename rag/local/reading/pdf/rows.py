"""Fragments that stand side by side -> rows."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from rag.domain import Box
from rag.local.reading.layout import union
from rag.local.reading.pdf.bidi import RIGHT_TO_LEFT
from rag.local.reading.pdf.fragments import Fragment, Style

LEVEL = 0.5
"""Of the lower one's height: fragments that overlap by as much stand on one line."""


class Row(Struct, frozen=True):
    """One printed line of a page or of a column, in one or more fragments as they are read."""

    fragments: tuple[Fragment, ...]
    box: Box
    text: str
    height: float
    """Of its highest fragment."""
    style: Style
    """Its longest fragment's, and bold only if all of it is."""

    @property
    def first(self) -> int:
        """Index in the text layer at which it begins."""
        return self.fragments[0].first


def row_of(fragments: Sequence[Fragment]) -> Row:
    if len(fragments) == 1:
        [only] = fragments
        return Row((only,), only.box, only.text, only.height, only.style)
    longest = max(fragments, key=lambda fragment: len(fragment.text))
    return Row(
        fragments=tuple(fragments),
        box=union(fragment.box for fragment in fragments if fragment.text),
        text=" ".join(fragment.text for fragment in fragments),
        height=max(fragment.height for fragment in fragments),
        style=Style(longest.style.size, all(f.style.is_bold for f in fragments)),
    )


def rows(fragments: Iterable[Fragment], column: Callable[[Fragment], int]) -> list[Row]:
    """Runs of consecutive fragments on one line and in one column."""
    runs: list[list[Fragment]] = []
    for fragment in fragments:
        if runs and _beside(runs[-1][-1], fragment) and column(runs[-1][-1]) == column(fragment):
            runs[-1].append(fragment)
        else:
            runs.append([fragment])
    return [row_of(run) for run in runs]


def _beside(left: Fragment, right: Fragment) -> bool:
    """Whether `right` is read next, on the same line."""
    overlap = min(left.box[3], right.box[3]) - max(left.box[1], right.box[1])
    if overlap <= LEVEL * min(left.height, right.height):
        return False
    if RIGHT_TO_LEFT.search(left.text):
        left, right = right, left
    return right.box[0] > left.box[2] - LEVEL * left.height
