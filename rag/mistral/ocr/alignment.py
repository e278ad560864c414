"""Where the blocks of a page stand in its text.

The provider gives a page twice: as one markdown text, and as blocks with boxes whose content is
nearly, not exactly, a part of that text (a title without its `#`, other white space, other table
rules). A block is found by its letters and digits alone, and only as whole lines: that is strict
enough for a number never to be found inside another, and loose enough for markup to differ.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct

Range: TypeAlias = tuple[int, int]
"""Half-open."""


class _Bones(Struct, frozen=True):
    """The letters and digits of a text, and which of its lines they belong to."""

    letters: str
    starts: list[int]
    """Where lines that have letters start, counted in letters."""
    line_starts: dict[int, int]
    """The same -> where the line starts in the text."""
    line_ends: dict[int, int]
    """Where it ends, counted in letters -> where it ends in the text, white space apart."""


def align(contents: Sequence[str], text: str) -> list[Range | None]:
    """The range of each content in `text`, made of whole lines; None where it was not found.

    Ranges are in order and do not overlap. A content that stands at one place only is an anchor;
    one that occurs several times ("Total") is looked for between the anchors around it, so that
    it cannot be taken for its like elsewhere on the page.

    >>> align(["Results", "It rose."], "# Results\\n\\nIt  **rose**.")
    [(0, 9), (11, 24)]
    """
    bones = _bones(text)
    sought = [_letters(content) for content in contents]
    found: list[Range | None] = [None] * len(contents)
    for number, anchor in _anchors(sought, bones):
        found[number] = anchor
    cursor = 0
    for number, letters in enumerate(sought):
        place = found[number]
        if place is None:
            limit = next((later[0] for later in found[number:] if later), len(bones.letters))
            place = next(_occurrences(letters, bones, cursor, limit), None)
            found[number] = place
        cursor = place[1] if place else cursor
    return [(bones.line_starts[p[0]], bones.line_ends[p[1]]) if p else None for p in found]


def _bones(text: str) -> _Bones:
    letters: list[str] = []
    starts, ends = {}, {}
    count = offset = 0
    for line in text.split("\n"):
        if own := _letters(line):
            starts[count] = offset
            count += len(own)
            ends[count] = offset + len(line.rstrip())
            letters.append(own)
        offset += len(line) + 1
    return _Bones("".join(letters), list(starts), starts, ends)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _occurrences(letters: str, bones: _Bones, start: int, end: int) -> Iterator[Range]:
    """Ranges of the bones' letters where `letters` stand as whole lines."""
    if not letters:
        return
    first = bisect_left(bones.starts, start)
    last = bisect_right(bones.starts, end - len(letters))
    for at in bones.starts[first:last]:
        after = at + len(letters)
        if after in bones.line_ends and bones.letters.startswith(letters, at):
            yield at, after


def _anchors(sought: Sequence[str], bones: _Bones) -> list[tuple[int, Range]]:
    """Contents that occur once, by their number: as many of them as stand in order."""
    unique = []
    for number, letters in enumerate(sought):
        places = _occurrences(letters, bones, 0, len(bones.letters))
        first = next(places, None)
        if first is not None and next(places, None) is None:
            unique.append((number, first))
    anchors: list[tuple[int, Range]] = []
    for number, place in _longest_rising(unique):
        if not anchors or place[0] >= anchors[-1][1][1]:
            anchors.append((number, place))
    return anchors


def _longest_rising(places: Sequence[tuple[int, Range]]) -> list[tuple[int, Range]]:
    """The longest selection whose ranges start ever later (patience sorting)."""
    tails: list[int] = []
    heads: list[int] = []
    """`heads[i]` is which of `places` ends the best selection of length i + 1."""
    before: list[int | None] = []
    for i, (_, (start, _)) in enumerate(places):
        length = bisect_left(tails, start)
        tails[length : length + 1] = [start]
        heads[length : length + 1] = [i]
        before.append(heads[length - 1] if length else None)
    chain: list[tuple[int, Range]] = []
    at = heads[-1] if heads else None
    while at is not None:
        chain.append(places[at])
        at = before[at]
    return chain[::-1]
