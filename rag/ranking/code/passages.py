"""How much of a file is shown for a hit: the whole definition that it is in, within a budget.

A definition that is too long is shown by its head, as it begins, and by what was found in it. What
is shown is always whole lines of the file, with their numbers.
"""

from collections.abc import Sequence

from msgspec import Struct

from rag.syntax.outline import CodeChunk, Definition, Outline

TOKEN = 3
"""Characters of a token, rather few: code has 3.6."""

Lines = tuple[int, int]
"""First and last, from 1."""


class Passage(Struct, frozen=True):
    shown: tuple[Lines, ...]
    """Runs of lines, in their order; none where the budget is used up."""
    text: str
    """Of these lines."""
    is_complete: bool
    """Whether all of the definition is shown, and all of what was found."""

    @property
    def tokens(self) -> int:
        return tokens_of(self.text)


def tokens_of(text: str) -> int:
    """About as many as a model takes it for, rather more than fewer."""
    return -(-len(text) // TOKEN)


def passage(
    outline: Outline, part: int, lines: Sequence[str], found: Sequence[int], budget: int
) -> Passage:
    """
    Args:
        part: the chunk that was found.
        lines: of the file.
        found: numbers of the lines that matter most in it; none where all do.
        budget: tokens that may be taken.
    """
    chunk = outline.chunks[part]
    whole = _around(chunk, outline.definitions)
    head = (whole[0], min(whole[0], chunk.start_line))
    ways: list[list[Lines]] = [
        [whole],
        [head, (chunk.start_line, chunk.end_line)],
        [(chunk.start_line, chunk.end_line)],
    ]
    for way in ways:
        if tokens_of(_text(way, lines)) <= budget:
            shown = _joined(way)
            return Passage(shown, _text(shown, lines), shown == (whole,))
    shown = _joined(_fitting(chunk, lines, found, budget))
    return Passage(shown, _text(shown, lines), is_complete=False)


def definition_lines(outline: Outline, part: int) -> Lines:
    """Of what a chunk is, or is a part of."""
    return _around(outline.chunks[part], outline.definitions)


def _around(chunk: CodeChunk, definitions: Sequence[Definition]) -> Lines:
    """The chunk, and all of the definition that it is named for."""
    own = [
        each
        for each in definitions
        if each.path == chunk.symbol
        and each.start_line <= chunk.end_line
        and each.end_line >= chunk.start_line
    ]
    first = min([chunk.start_line, *(each.start_line for each in own)])
    return first, max([chunk.end_line, *(each.end_line for each in own)])


def _fitting(
    chunk: CodeChunk, lines: Sequence[str], found: Sequence[int], budget: int
) -> list[Lines]:
    """The lines found and those after each, or the chunk's first ones, as far as they fit."""
    order = list(dict.fromkeys([*found, *range(chunk.start_line, chunk.end_line + 1)]))
    kept: list[int] = []
    left = budget * TOKEN
    for number in order:
        left -= len(lines[number - 1]) + 1
        if left < 0:
            break
        kept.append(number)
    return [(number, number) for number in sorted(kept)]


def _joined(runs: Sequence[Lines]) -> tuple[Lines, ...]:
    """Those that touch become one."""
    joined: list[Lines] = []
    for first, last in sorted(runs):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)


def _text(runs: Sequence[Lines], lines: Sequence[str]) -> str:
    return "".join(line + "\n" for first, last in _joined(runs) for line in lines[first - 1 : last])
