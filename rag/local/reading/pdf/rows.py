"""Fragments that stand side by side -> rows."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from rag.domain import Box
from rag.local.reading.layout import union
from rag.local.reading.pdf.fragments import Fragment, Style
from rag.local.reading.pdf.words import RIGHT_TO_LEFT

LEVEL = 0.5
"""Of the lower one's height: fragments that overlap by as much stand on one line."""


class Row(Struct, frozen=True):
    """One printed line of a page or of a column, in one or more fragments as they are read."""

    fragments: tuple[Fragment, ...]
    box: Box

    @property
    def text(self) -> str:
        return " ".join(fragment.text for fragment in self.fragments)

    @property
    def first(self) -> int:
        """Index in the text layer at which it begins."""
        return self.fragments[0].first

    @property
    def height(self) -> float:
        return max(fragment.height for fragment in self.fragments)

    @property
    def style(self) -> Style:
        """Its longest fragment's, and bold only if all of it is."""
        longest = max(self.fragments, key=lambda fragment: len(fragment.text))
        return Style(longest.style.size, all(f.style.is_bold for f in self.fragments))

    @property
    def is_hyphenated(self) -> bool:
        return self.fragments[-1].is_hyphenated


def rows(fragments: Iterable[Fragment], column: Callable[[Fragment], int]) -> list[Row]:
    """Runs of consecutive fragments on one line and in one column."""
    runs: list[list[Fragment]] = []
    for fragment in fragments:
        if runs and _beside(runs[-1][-1], fragment) and column(runs[-1][-1]) == column(fragment):
            runs[-1].append(fragment)
        else:
            runs.append([fragment])
    return [Row(tuple(run), union(fragment.box for fragment in run)) for run in runs]


def _beside(left: Fragment, right: Fragment) -> bool:
    """Whether `right` is read next, on the same line."""
    overlap = min(left.box[3], right.box[3]) - max(left.box[1], right.box[1])
    if overlap <= LEVEL * min(left.height, right.height):
        return False
    if RIGHT_TO_LEFT.search(left.text):
        left, right = right, left
    return right.box[0] > left.box[2] - LEVEL * left.height
