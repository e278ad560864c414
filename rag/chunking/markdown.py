"""Markdown -> blocks, in one pass over its lines.

Less than CommonMark, on purpose: nested blocks stay inside their list or quotation, and inline
markup is text. What matters here is where something worth embedding whole begins and ends.
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from rag.domain import Block, BlockKind

LONG_LIST = 2_000
"""Characters above which a list is split between its outermost items: the most that a chunk of
400 tokens can hold."""

HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]|$)")
UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
ITEM = re.compile(r"( {0,3})(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)")
BREAK = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")
DELIMITERS = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
INDENTED = re.compile(r" {4}| {0,3}\t")
COMMENT, COMMENT_END = "<!--", "-->"
FRONT_MATTER = "---"


def blocks(text: str) -> tuple[Block, ...]:
    """The blocks of a markdown text in order.

    A span covers a block's own marks (`## `, fences, `- `) and neither the indentation before
    prose nor blank lines around it. Comments and thematic breaks belong to no block; front matter
    is `code`; a quotation is `text`. Time is linear in the length of `text`.
    """
    lines = _Lines(text)
    return tuple(block for block in _blocks(lines) if block.end > block.start)


class _Lines:
    """A text by its lines: `lines[i]` is the i-th without its line feed."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self.starts = [0]
        for line in self._lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.last_comment_end = text.rfind(COMMENT_END)
        """Where the last comment can end at the latest: an opening mark after it is text."""

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, at: int) -> str:
        return self._lines[at]

    def is_blank(self, at: int) -> bool:
        return not self._lines[at] or self._lines[at].isspace()

    def skip_blanks(self, at: int) -> int:
        while at < len(self) and self.is_blank(at):
            at += 1
        return at

    def block(self, kind: BlockKind, first: int, after: int, level: int = 0) -> Block:
        """Of the lines from `first` until before `after`, without white space around them; code
        keeps its indentation."""
        while after > first and self.is_blank(after - 1):
            after -= 1
        line, last = self._lines[first], self._lines[after - 1]
        indentation = 0 if kind == "code" else len(line) - len(line.lstrip())
        end = self.starts[after - 1] + len(last.rstrip())
        return Block(kind, self.starts[first] + indentation, end, level)


def _blocks(lines: _Lines) -> Iterator[Block]:
    at = _after_front_matter(lines)
    if at:
        yield lines.block("code", 0, at)
    while (at := lines.skip_blanks(at)) < len(lines):
        kind, end = _next(lines, at)
        yield from _made(lines, kind, at, end)
        at = end


def _next(lines: _Lines, at: int) -> tuple[BlockKind | None, int]:
    """What begins at a line, and the line after it; no kind for what is no block."""
    for kind, after in _KINDS:
        if (end := after(lines, at)) > at:
            return kind, end
    return "text", _after_paragraph(lines, at)


def _made(lines: _Lines, kind: BlockKind | None, first: int, after: int) -> Iterator[Block]:
    if kind is None:
        return
    if kind == "list":
        yield from _list_parts(lines, first, after)
    elif kind == "title":
        yield lines.block("title", first, after, _atx_level(lines[first]))
    elif kind == "text" and (level := _underline_level(lines, first, after)):
        yield lines.block("title", first, after, level)
    else:
        yield lines.block(kind, first, after)


def _after_front_matter(lines: _Lines) -> int:
    if lines[0].rstrip() != FRONT_MATTER:
        return 0
    ends = (i for i in range(1, len(lines)) if lines[i].rstrip() in (FRONT_MATTER, "..."))
    return next(ends, -1) + 1


def _after_fence(lines: _Lines, at: int) -> int:
    """To the closing fence, or to the end of the text when none closes it."""
    opening = FENCE.match(lines[at])
    if opening is None:
        return at
    fence = opening[1]
    for i in range(at + 1, len(lines)):
        line = lines[i].strip()
        if line.startswith(fence) and not line.strip(fence[0]):
            return i + 1
    return len(lines)


def _after_comment(lines: _Lines, at: int) -> int:
    """Past the line on which a comment ends, or before it where text goes on behind the mark."""
    start = lines.starts[at]
    if not lines[at].lstrip().startswith(COMMENT) or start > lines.last_comment_end:
        return at
    for i in range(at, len(lines)):
        _, found, rest = lines[i].partition(COMMENT_END)
        if found:
            return i if rest.strip() else i + 1
    return at


def _after_heading(lines: _Lines, at: int) -> int:
    return at + 1 if HEADING.match(lines[at]) else at


def _atx_level(line: str) -> int:
    match = HEADING.match(line)
    return len(match[1]) if match else 0


def _underline_level(lines: _Lines, first: int, after: int) -> int:
    """1 or 2 for a paragraph that ends in an underline, else 0."""
    if after - first < 2 or lines.is_blank(after - 1):
        return 0
    match = UNDERLINE.match(lines[after - 1])
    return 0 if match is None else 1 if match[1][0] == "=" else 2


def _after_break(lines: _Lines, at: int) -> int:
    return at + 1 if BREAK.match(lines[at]) else at


def _after_table(lines: _Lines, at: int) -> int:
    """A header row, a row of dashes, and rows as long as they have pipes."""
    if at + 1 >= len(lines) or "|" not in lines[at] or not _is_delimiter_row(lines[at + 1]):
        return at
    end = at + 2
    while end < len(lines) and "|" in lines[end]:
        end += 1
    return end


def _is_delimiter_row(line: str) -> bool:
    return not line.strip("|:- \t") and DELIMITERS.match(line) is not None


def _after_list(lines: _Lines, at: int) -> int:
    """Items, what is indented below them, and lazily continued lines."""
    if not ITEM.match(lines[at]):
        return at
    end = at + 1
    while end < len(lines):
        if lines.is_blank(end):
            following = lines.skip_blanks(end)
            if following == len(lines) or not _continues_list(lines[following]):
                return end
            end = following
        elif not _continues_list(lines[end]) and _interrupts(lines, end):
            return end
        end += 1
    return end


def _continues_list(line: str) -> bool:
    return line.startswith(("  ", "\t")) or (
        ITEM.match(line) is not None and BREAK.match(line) is None
    )


def _list_parts(lines: _Lines, first: int, after: int) -> Iterator[Block]:
    """The list whole, or in parts of whole items near `LONG_LIST` characters each."""
    cuts = [first]
    for i in range(first + 1, after):
        length = lines.starts[i + 1] - lines.starts[cuts[-1]]
        if length > LONG_LIST and (item := ITEM.match(lines[i])) and len(item[1]) < 2:
            cuts.append(i)
    for start, end in pairwise((*cuts, after)):
        yield lines.block("list", start, end)


def _after_quotation(lines: _Lines, at: int) -> int:
    if not lines[at].lstrip().startswith(">"):
        return at
    end = at + 1
    while end < len(lines) and not lines.is_blank(end):
        if not lines[end].lstrip().startswith(">") and _interrupts(lines, end):
            break
        end += 1
    return end


def _after_indented_code(lines: _Lines, at: int) -> int:
    end = at
    while end < len(lines) and INDENTED.match(lines[end]):
        end = lines.skip_blanks(end + 1)
    return end


def _after_paragraph(lines: _Lines, at: int) -> int:
    end = at + 1
    while end < len(lines) and not lines.is_blank(end):
        if UNDERLINE.match(lines[end]):
            return end + 1
        if _interrupts(lines, end):
            return end
        end += 1
    return end


def _interrupts(lines: _Lines, at: int) -> bool:
    """Whether a block other than a paragraph begins here, right below a line of prose."""
    mark = lines[at].lstrip()[:1]
    if mark not in _INTERRUPTING and not mark.isdigit() and "|" not in lines[at]:
        return False
    return any(after(lines, at) > at for after in _INTERRUPTERS)


_INTERRUPTING = frozenset("#`~<-+*_>|")
_INTERRUPTERS: tuple[Callable[[_Lines, int], int], ...] = (
    lambda lines, at: at + 1 if FENCE.match(lines[at]) else at,
    _after_comment,
    _after_heading,
    _after_break,
    _after_table,
    lambda lines, at: at + 1 if ITEM.match(lines[at]) else at,
    lambda lines, at: at + 1 if lines[at].lstrip().startswith(">") else at,
)
_KINDS: tuple[tuple[BlockKind | None, Callable[[_Lines, int], int]], ...] = (
    ("code", _after_fence),
    (None, _after_comment),
    ("title", _after_heading),
    ("table", _after_table),
    (None, _after_break),
    ("list", _after_list),
    ("text", _after_quotation),
    ("code", _after_indented_code),
)
