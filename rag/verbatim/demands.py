"""What a regular expression demands: pieces of text that all it matches contain.

`(get|set)_name\\(` demands `get` and `_name(`, or `set` and `_name(`. Files without them need not
be looked through. Where an expression is not understood, nothing is demanded: that costs time, and
never a match.
"""

import re

from msgspec import Struct

Demands = tuple[frozenset[str], ...]
"""Ways to match, each with the pieces that it takes all of. One without pieces may be anywhere."""

ANYWHERE: Demands = (frozenset(),)

MOST_WAYS = 24  # alternatives; more are not told apart

_FLAGS = re.compile(r"\?([a-zA-Z-]*)(:|\))")
_NAMED = re.compile(r"\?P?<\w+>")
_COUNTED = re.compile(r"\{(\d+)(?:(,)(\d*))?\}")
_CLASSES = "dDwWsSbB"  # escapes that stand for one of many characters, or for a place
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
_LINE_ENDS = "DWsntrfv"  # escapes that match the end of a line, or may begin a range with it


class Read(Struct, frozen=True):
    """What is known of an expression before it is tried."""

    demands: Demands
    states: int
    """What it takes to have each character once, and as often again as it is counted: a text is
    read in its length times these, at worst."""
    stays_in_line: bool
    """Whether nothing in it could match the end of a line."""


class Unsure(Exception):
    """Something in the expression is not understood here."""


def read(expression: str) -> Read:
    """
    Args:
        expression: one that compiles.
    """
    reader = _Reader(expression)
    try:
        demands = reader.alternatives()
    except (Unsure, IndexError):
        return Read(ANYWHERE, _at_most(expression), stays_in_line=False)
    return Read(demands, reader.states, reader.stays_in_line)


class _Reader:
    """Walks over an expression once."""

    def __init__(self, expression: str) -> None:
        self._text = expression
        self._at = 0
        self.states = 0
        self.stays_in_line = True

    def alternatives(self, within: bool = False) -> Demands:
        ways = self._sequence()
        while self._taken("|"):
            ways = (*ways, *self._sequence())
        if within and not self._taken(")"):
            raise Unsure
        if not within and self._at < len(self._text):
            raise Unsure
        return ways if len(ways) <= MOST_WAYS else ANYWHERE

    def _sequence(self) -> Demands:
        ways, run = ANYWHERE, ""
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            before, self.states = self.states, 0
            item = self._item()
            repeated = self._repetition()
            least, most = repeated or (1, 1)
            self.states = before + max(1, self.states) * most
            if isinstance(item, str):
                run += item if least else ""
                if item and repeated is None:
                    continue
            ways, run = _both(ways, _piece(run)), ""
            if not isinstance(item, str) and least:
                ways = _both(ways, item)
        return _both(ways, _piece(run))

    def _item(self) -> str | Demands:
        """A character, demands of a group, or "" for what could be one of many."""
        sign = self._next()
        if sign == "(":
            return self._group()
        if sign == "[":
            self._class()
            return ""
        if sign == "\\":
            return self._escaped()
        if sign in "*+?{":
            raise Unsure  # of what was repeated already
        return "" if sign in ".^$" else sign

    def _group(self) -> str | Demands:
        if self._text[self._at] == "?":
            named = _NAMED.match(self._text, self._at)
            flags = _FLAGS.match(self._text, self._at)
            if named:
                self._at = named.end()
            elif flags and not set(flags[1]) & set("xsR"):  # x: spaces are not spaces
                self._at = flags.end()
                if flags[2] == ")":
                    return ""
            else:
                raise Unsure
        return self.alternatives(within=True)

    def _class(self) -> None:
        """Nested ones, and a bracket that stands first and is one of the characters."""
        self.stays_in_line &= not self._taken("^")
        self._taken("]")
        depth = 1
        while depth:
            sign = self._next()
            if sign == "\\":
                self._escaped()
            elif sign == "^":
                self.stays_in_line = False  # `[a[^b]]`
            else:
                depth += (sign == "[") - (sign == "]")

    def _escaped(self) -> str:
        sign = self._next()
        self.stays_in_line &= sign not in _LINE_ENDS
        if sign in _CONTROLS:
            return _CONTROLS[sign]
        if sign in _CLASSES:
            return ""
        if sign.isalnum():
            raise Unsure  # \x41, \p{Greek}, \A
        return sign

    def _repetition(self) -> tuple[int, int] | None:
        """How often at least, and how many times its states that takes."""
        counted = _COUNTED.match(self._text, self._at)
        if counted:
            self._at = counted.end()
            least = int(counted[1])
            most = max(1, int(counted[3] or least))
        elif self._text[self._at : self._at + 1] in {"*", "?", "+"}:
            least, most = int(self._next() == "+"), 1
        elif self._text[self._at : self._at + 1] == "{":
            raise Unsure
        else:
            return None
        self._taken("?")
        return least, most

    def _next(self) -> str:
        sign = self._text[self._at]
        self._at += 1
        return sign

    def _taken(self, sign: str) -> bool:
        is_there = self._text[self._at : self._at + 1] == sign
        self._at += is_there
        return is_there


def _piece(run: str) -> Demands:
    return (frozenset({run}),) if run else ANYWHERE


def _both(first: Demands, second: Demands) -> Demands:
    if len(first) * len(second) > MOST_WAYS:
        return first
    return tuple(dict.fromkeys(one | other for one in first for other in second))


def _at_most(expression: str) -> int:
    """States, as if every counted repetition stood within all others."""
    product = len(expression)
    for least, _, most in _COUNTED.findall(expression):
        product *= max(1, int(most or least))
    return product
