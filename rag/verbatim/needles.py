"""What is looked for as it stands, and the lines of a text that have it.

An expression is matched by an automaton (Rust's regex, which tantivy cuts text with), so the time
it takes grows with the text and never explodes; what that cannot do, look-around and references to
groups, is refused. Lines are matched each for itself.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Protocol

import tantivy

from rag.errors import InvalidRequest
from rag.verbatim.demands import Demands, read
from rag.verbatim.folding import folded

LONGEST = 300  # characters of an expression
MOST_STATES = 2_000
"""Of an expression: 2,000 characters of text take it 0.5 s then, and next to nothing usually."""

LINE = 2_000  # characters of a line that an expression is matched with
BLOCK = 8_000  # characters that it is matched with in one go, between two looks at the clock

IsOver = Callable[[], bool]
"""Whether there is no more time."""


class Needle(Protocol):
    @property
    def demands(self) -> Demands: ...

    def lines(self, text: str, is_over: IsOver) -> list[int]:
        """Numbers, from 1, of the lines that it begins in.

        Raises:
            TimeoutError: it is over before all of the text was looked through.
        """


class Literal:
    """A piece of text, of one line or more. Its case matters where it has a capital."""

    def __init__(self, text: str) -> None:
        """
        Raises:
            InvalidRequest: it is empty.
        """
        if not text.strip():
            raise InvalidRequest("there is nothing to look for but white space")
        self._is_exact = text != folded(text)
        self._text = text.replace("\r\n", "\n")
        self.demands: Demands = (frozenset({self._text}),)

    def lines(self, text: str, is_over: IsOver) -> list[int]:
        whole = _unix(text) if self._is_exact else folded(_unix(text))
        places = list(_places(self._text, whole))
        if not places:
            return []
        ends = list(accumulate(len(line) + 1 for line in whole.split("\n")))
        return list(dict.fromkeys(bisect_right(ends, place) + 1 for place in places))


class Expression:
    """A regular expression. Its case matters where it has a capital, or says so (`(?-i)`)."""

    def __init__(self, text: str) -> None:
        """
        Raises:
            InvalidRequest: it is none, or one that could take long.
        """
        if len(text) > LONGEST:
            raise InvalidRequest(f"a regular expression has {LONGEST} characters at most")
        _compiled(text)
        known = read(text)
        if known.states > MOST_STATES:
            raise InvalidRequest("the counted repetitions in this expression come to too many")
        bare = re.sub(r"\\.", "", text)
        case = "" if bare != folded(bare) else "(?i)"
        self.demands = known.demands
        self._pieces = [set(map(folded, pieces)) for pieces in known.demands]
        self._at_once = BLOCK if known.stays_in_line else 1  # or it would run on into other lines
        self._matcher = _compiled(f"{case}(?m)^.*(?:{text}).*$\\n?")
        self._first = _compiled(f"{case}{text}"), _compiled(f"{case}^.*?(?:{text})")

    def lines(self, text: str, is_over: IsOver) -> list[int]:
        lines = _unix(text).split("\n")
        found: list[int] = []
        for block in _blocks(self._candidates(text, lines), self._at_once):
            if is_over():
                raise TimeoutError
            # an empty line would be an empty match, which ends the matching
            joined = "\n".join(line for _, line in block if line)
            having = {match.removesuffix("\n") for match in self._matcher.analyze(joined)}
            found += [number for number, line in block if line in having]
        return found

    def span(self, line: str) -> tuple[int, int]:
        """Where its first match is in a line that has one; the whole line where that is empty."""
        shown = line[:LINE].removesuffix("\r")
        first, up_to = ("".join(each.analyze(shown)[:1]) for each in self._first)
        if not (first and up_to.endswith(first)):
            return 0, len(shown)
        return len(up_to) - len(first), len(up_to)

    def _candidates(self, text: str, lines: Sequence[str]) -> Iterable[tuple[int, str]]:
        """Lines that have the pieces which all matches have, cut to what is matched."""
        if frozenset() in self.demands:
            return ((number, line[:LINE]) for number, line in enumerate(lines, start=1))
        low = folded(_unix(text))
        numbers = {number for way in self._pieces for number in _having(way, low)}
        return ((number, lines[number - 1][:LINE]) for number in sorted(numbers))


def _having(pieces: Collection[str], text: str) -> Iterator[int]:
    """Numbers of the lines that have all the pieces."""
    rarest = max(pieces, key=len)
    number, counted, at = 1, 0, text.find(rarest)
    while at >= 0:
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        end = len(text) if end < 0 else end
        number += text.count("\n", counted, start)
        counted = start
        line = text[start:end]
        if all(piece in line for piece in pieces):
            yield number
        at = text.find(rarest, end)


def _blocks(lines: Iterable[tuple[int, str]], size: int) -> Iterator[list[tuple[int, str]]]:
    """As many at a time as have so many characters together."""
    block: list[tuple[int, str]] = []
    length = 0
    for number, line in lines:
        block.append((number, line))
        length += len(line) + 1
        if length >= size:
            yield block
            block, length = [], 0
    if block:
        yield block


def _compiled(expression: str) -> tantivy.TextAnalyzer:
    try:
        tokenizer = tantivy.Tokenizer.regex(expression)
        return tantivy.TextAnalyzerBuilder(tokenizer).build()
    except ValueError as error:
        raise InvalidRequest(
            "this is no regular expression that can be searched for: brackets must be closed,"
            " and there is neither look-around nor a reference to a group"
        ) from error


def _places(wanted: str, text: str) -> Iterator[int]:
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + 1)


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")
