"""What stands in the code as it is written in the question: literals, expressions, frames.

An index of trigrams says which files may have it; those are looked through, code before documents
and data, for as long as there is time. What is left then is told.
"""

import math
import posixpath
import time
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from rag.ranking.code.fusing import Place
from rag.ranking.code.question import CodeQuestion
from rag.storage.code.store import View
from rag.storage.library import Library
from rag.syntax.languages import DATA
from rag.syntax.outline import Outline
from rag.trees import CodeFile
from rag.verbatim.needles import Needle

AT_ONCE = 50  # files whose texts are read together
ENOUGH = 2_000
"""Chunks; what stands in more of them is not looked for any further."""


class Held(Struct, frozen=True):
    """Where something stands."""

    places: dict[Place, tuple[int, ...]]
    """Its lines, by the chunks that they are in."""
    unread: int = 0
    """Files that may have it too, and were not looked through."""

    @property
    def rarity(self) -> float:
        """What it tells to have it: 1 where one chunk has it, a half where ten do."""
        return 1 / (1 + math.log10(max(1, len(self.places))))


def held(
    needle: Needle,
    view: View,
    only: Collection[int] | None,
    seconds: float,
    *,
    library: Library,
) -> Held:
    """
    Args:
        only: files that may be found; all where None.
    """
    ends = time.monotonic() + seconds
    candidates = library.code.may_hold(view, needle.demands, only)
    files = sorted((view.files[id] for id in candidates), key=_code_first)
    places: dict[Place, tuple[int, ...]] = {}
    for start in range(0, len(files), AT_ONCE):
        some = files[start : start + AT_ONCE]
        try:
            lines = _lines(needle, some, ends, library)
        except TimeoutError:
            return Held(places, len(files) - start)
        outlines = library.code.outlines(each for each in some if lines[each.content])
        for file in some:
            if lines[file.content]:
                places |= _by_chunk(file, lines[file.content], outlines[file.content])
        if len(places) >= ENOUGH:
            return Held(places, max(0, len(files) - start - AT_ONCE))
    return Held(places)


def frames(
    question: CodeQuestion, view: View, only: Collection[int] | None
) -> Iterator[tuple[CodeFile, int]]:
    """Files with the lines that the question names of them."""
    named = [(path, line) for path, line in question.places if line]
    names = {posixpath.basename(path) for path, _ in named}
    for file in view.files.values() if names else ():
        if posixpath.basename(file.path) in names and (only is None or file.id in only):
            yield from ((file, line) for path, line in named if _is_named(file.path, path))


def _is_named(path: str, said: str) -> bool:
    return path == said or path.endswith(f"/{said}") or said.endswith(f"/{path}")


def _lines(
    needle: Needle, files: Sequence[CodeFile], ends: float, library: Library
) -> Mapping[int, list[int]]:
    """By content, which copies share.

    Raises:
        TimeoutError: there was no time for all of them.
    """

    def is_over() -> bool:
        return time.monotonic() > ends

    if is_over():
        raise TimeoutError
    texts = library.code.texts(files)
    return {content: needle.lines(text, is_over) for content, text in texts.items()}


def _by_chunk(
    file: CodeFile, lines: Sequence[int], outline: Outline
) -> dict[Place, tuple[int, ...]]:
    last = [chunk.end_line for chunk in outline.chunks]
    placed: dict[Place, tuple[int, ...]] = {}
    for line in lines:
        place = (file.id, min(bisect_left(last, line), len(last) - 1))
        placed[place] = (*placed.get(place, ()), line)
    return placed


def _code_first(file: CodeFile) -> tuple[bool, bool, str]:
    return file.language in DATA, file.generated, file.path
