"""What is looked for in a text: words as they stand, or a regular expression in each line."""

import re
from collections.abc import Iterator
from typing import Protocol

from rag.errors import InvalidRequest
from rag.verbatim.needles import LONGEST, Expression, IsOver


class Matcher(Protocol):
    def spans(self, text: str, at: int, is_over: IsOver) -> Iterator[tuple[int, int]]:
        """Where it stands, in order, from a place on.

        Raises:
            TimeoutError: it is over before all of the text was looked through.
        """
        ...


class Words:
    """Text as it stands, but for its white space: a line may end between any two words."""

    def __init__(self, text: str, *, is_caseless: bool) -> None:
        """
        Raises:
            InvalidRequest: there is nothing in it, or too much.
        """
        words = text.split()
        if not words or len(text) > LONGEST:
            raise InvalidRequest(f"give 1 to {LONGEST} characters to look for, and not only spaces")
        # a hundred spaces at most, so that a text of spaces alone takes no time
        spaced = r"\s{1,100}".join(map(re.escape, words))
        self._compiled = re.compile(spaced, re.IGNORECASE if is_caseless else 0)

    def spans(self, text: str, at: int, is_over: IsOver) -> Iterator[tuple[int, int]]:
        for match in self._compiled.finditer(text, at):
            if is_over():
                raise TimeoutError
            yield match.span()


class Lines:
    """The first match of a regular expression in each line."""

    def __init__(self, expression: str, *, is_caseless: bool) -> None:
        """
        Raises:
            InvalidRequest: it is none, or one that could take long.
        """
        self._expression = Expression(f"{'(?i)' if is_caseless else '(?-i)'}{expression}")

    def spans(self, text: str, at: int, is_over: IsOver) -> Iterator[tuple[int, int]]:
        wanted = self._expression.lines(text, is_over)
        start = number = 0
        for line in wanted:
            while number < line - 1:
                start = text.index("\n", start) + 1
                number += 1
            end = text.find("\n", start)
            first, last = self._expression.span(text[start : end if end >= 0 else None])
            if start + first >= at:
                yield start + first, start + last
