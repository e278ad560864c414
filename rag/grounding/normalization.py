"""Text -> a form in which a faithful copy equals its source, with a way back to every character.

A model that copies a passage rarely copies its bytes: it mends a word broken at a line end, drops
emphasis marks, straightens quotes. What it may not touch is meaning, so the rules here are an
explicit list and never NFKC, which makes 102 of 10²: digits, superscripts, fractions, signs,
units and negations stand as they are.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

Notation: TypeAlias = Literal["prose", "table", "code"]
"""How marks are to be read: markup is markup in prose and in tables, a pipe is a border in
tables alone, and in code every mark is the code's own."""

Edit: TypeAlias = tuple[int, int, str]
"""start, end, and what stands there instead."""

BORDER = "\x1f"
"""Stands for the line between two cells: no quotation can glue cells with a space."""

_INVISIBLE = (
    "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufe00-\ufe0f\ufeff"
)
"""Soft hyphens, zero-width marks, directions, variation selectors. Not U+2062 to U+2064: an
invisible times between 2 and 3 is not 23."""

_UNSPACED = "\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff々〇"
"""Kana and Han: white space between two of them is a line break of the page, not of the text."""

_FOLDED: dict[str, str] = (
    dict.fromkeys("“”„‟«»‹›″", '"')
    | dict.fromkeys("‘’‚‛′ʼ", "'")
    | dict.fromkeys("‐‑‒–—―−﹣", "-")
    | {"…": "...", "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
    | dict(zip("，．：；！？（）", ",.:;!?()", strict=True))
    | {chr(code): chr(code - 0xFEE0) for code in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
    | {
        chr(code): unicodedata.normalize("NFKC", chr(code))
        for code in (*range(0xFB50, 0xFBB2), *range(0xFE80, 0xFEFD))
    }
)
"""Quotes, dashes, ligatures, full-width letters and punctuation, and Arabic letters as a PDF draws
them. A minus folds with the hyphens: both say the same sign."""

_SPACE = rf"[\s{_INVISIBLE}]"
_LETTER = r"[^\W\d_]"
_BREAK = r"(?:\n|<br ?/?>)"
_FOLDED_CLASS = "".join(map(re.escape, _FOLDED))
_NUMBER = r"\s+[-+±−–]?[$€£¥(]?\.?\d"
_LINE_MARKS = rf"(?:(?:#{{1,6}}|[•‣▪◦●■]|[-*+>](?!{_NUMBER}))\s+)*(?P<bullet>[-*+](?={_NUMBER}))?"
"""Headings, bullets, block quotes. `>` before a number may be a comparison and stays; a bullet
before a number stays as a dot, so that nobody takes it for a sign."""

# Each pattern begins with a plain set of characters, and looks back at the one it took: the
# regular expression engine skips to members of a set ten times as fast as it tries alternatives.
_TRIGGERS = rf"[\s\\<|\-`'{_INVISIBLE}{_FOLDED_CLASS}]"
_SPACES = (
    rf"(?P<space>(?<=[^\S ]){_SPACE}*|(?<= ){_SPACE}+"
    rf"|(?<=[{_INVISIBLE}])[{_INVISIBLE}]*\s{_SPACE}*)"
    rf"|(?P<gone>(?<=[{_INVISIBLE}])[{_INVISIBLE}]*)"
    rf"|(?P<folded>(?<=[{_FOLDED_CLASS}]))"
)
_LINE_ENDS = (
    rf"(?P<joint>(?<={_LETTER}[-‐\u00ad])[^\S\n]*\n\s*(?={_LETTER}))"
    r"|(?P<hyphen>(?<=\w[-‐–])[^\S\n]*\n\s*(?=\w))"
    rf"|(?P<unspaced>(?<=[{_UNSPACED}]\s){_SPACE}*(?=[{_UNSPACED}]))"
    rf"|(?P<line>(?:(?<={_SPACE}){_SPACE}*{_BREAK}|(?<=\n)|(?<=<)br ?/?>)"
    rf"[^\S\n]*(?!\n){_LINE_MARKS})"
)
_ROWS = (
    r"(?P<pipe>(?<=\\)\|)"
    r"|(?P<row>(?:(?<=\n)|(?<=[ \t])[ \t]*\|?[ \t]*\n|(?<=\|)[ \t]*\n)"
    r"(?:[ \t]*\|?(?:[ \t]*:?-+:?[ \t]*\|)*[ \t]*:?-+:?[ \t]*\|?[ \t]*\n)?[ \t]*\|?[ \t]*)"
    r"|(?P<border>(?<=[|\t])[ \t]*|(?<= ) *[|\t][ \t]*)"
    r"|(?P<line>(?<= ) *<br ?/?> *|(?<=<)br ?/?> *)"
)
_MARKS = (
    r"(?P<escape>(?<=\\)(?=[!-/:-@\[-`{-~]))"
    r"|(?P<quote>(?<=`)`|(?<=['’])['’])"
    r"|(?P<loose>(?<= )(?=[.,;:!?)](?![\d\[])))"
)
"""Backslashes before punctuation, quotes as TeX has them, a space that belongs to no word."""

_RULES: dict[Notation, re.Pattern[str]] = {
    "prose": re.compile(f"{_TRIGGERS}(?:{_LINE_ENDS}|{_MARKS}|{_SPACES})"),
    "table": re.compile(f"{_TRIGGERS}(?:{_ROWS}|{_MARKS}|{_SPACES})"),
    "code": re.compile(f"{_TRIGGERS}(?:{_SPACES})"),
}
"""Where rules compete for a character, the first listed wins."""

_LOOSE = re.compile(r"[.,;:!?)](?![\d\[])")

_LEAVES = {
    "hyphen": "-",
    "space": " ",
    "line": " ",
    "row": "\n",
    "border": BORDER,
    "pipe": "|",
    "quote": '"',
}
"""What stands where a rule applied; nothing where it is not named."""

_OUTSIDE: dict[Notation, re.Pattern[str]] = {
    "prose": re.compile(rf"(?P<first>\A\s*{_LINE_MARKS})"),
    "table": re.compile(r"(?P<first>\A\s*\|?[ \t]*)|(?P<last>[ \t]*\|?\s*\Z)"),
    "code": re.compile(r"(?P<first>\A\s+)"),
}
"""Marks at the ends of a text: not content, whatever follows."""

_LONGEST_MARKED = 300
"""Characters between two marks; more is taken as written. Bounds the work on hostile text."""

_ANY_MARK = re.compile(r"[`!\[*_]")
_BODY = rf"(?:(?!\n\s*\n)[\s\S]){{1,{_LONGEST_MARKED}}}?"
_MARKUP = re.compile(
    r"(?P<code>(?<!`)(?P<tick>`{1,3})(?![ `])"
    rf"(?P<code_body>[^`\n]{{1,{_LONGEST_MARKED}}})(?P=tick)(?!`))"
    rf"|(?P<link>!?\[(?P<link_body>[^\[\]\n]{{0,{_LONGEST_MARKED}}})\]"
    r"\((?:[^()\s]|\([^()\s]{0,99}\)){0,2000}(?:\s+\"[^\"\n]{0,200}\")?\))"
    r"|(?P<strong>(?<![\d*\\])(?P<stars>\*\*\*?)(?=[^\s*])"
    rf"(?P<strong_body>{_BODY})(?<=[^\s*\\])(?P=stars)(?![\d*]))"
    r"|(?P<stress>(?<![\w*\\])\*(?=[^\s*])"
    rf"(?P<stress_body>{_BODY})(?<=[^\s*\\])\*(?![\w*]))"
    r"|(?P<under>(?<![\w\\])(?!__\w+__(?!_))(?P<bars>_{1,3})(?=[^\s_])"
    rf"(?P<under_body>{_BODY})(?<=[^\s_\\])(?P=bars)(?!\w))"
)
"""Marks in pairs. `2**3` and `a*b*c` are products and `__init__` a name: none of them is markup."""


class Normalized(Struct, frozen=True):
    """A normal form and, piece by piece, the part of the source each part of it came from."""

    text: str
    starts: tuple[int, ...]
    """Of the pieces, in `text`."""
    origins: tuple[tuple[int, int], ...]
    """Spans of the pieces in the source. As long as the piece where it was copied."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The source of `text[start:end]`, which is not empty."""
        first = bisect_right(self.starts, start) - 1
        last = bisect_left(self.starts, end) - 1
        from_start, _ = self.origins[first]
        to_start, to_end = self.origins[last]
        if self._is_copied(first):
            from_start += start - self.starts[first]
        if self._is_copied(last):
            to_end = to_start + end - self.starts[last]
        return from_start, to_end

    def _is_copied(self, piece: int) -> bool:
        start, end = self.origins[piece]
        following = self.starts[piece + 1 : piece + 2]
        return (following[0] if following else len(self.text)) - self.starts[piece] == end - start


def normalize(text: str, notation: Notation = "prose") -> Normalized:
    """
    >>> normalize("**Net** sales of the “ﬁrst” quar-\\nter: 10²").text
    'Net sales of the "first" quarter: 10²'
    """
    marks = [] if notation == "code" else list(_markup_edits(text))
    edits = [*marks, *_composition_edits(text), *_character_edits(text, notation)]
    return rewrite(text, sorted(edits, key=lambda edit: edit[0]))


def rewrite(source: str, edits: Iterable[Edit]) -> Normalized:
    """Apply edits, which are in order of their start; one that overlaps its predecessor is void."""
    parts: list[str] = []
    starts: list[int] = []
    origins: list[tuple[int, int]] = []
    length = at = 0
    for start, end, new in (*edits, (len(source), len(source), "")):
        if start < at:
            continue
        for part, origin in ((source[at:start], (at, start)), (new, (start, end))):
            if part:
                parts.append(part)
                starts.append(length)
                origins.append(origin)
                length += len(part)
        at = end
    return Normalized("".join(parts), tuple(starts), tuple(origins))


def _character_edits(text: str, notation: Notation) -> Iterator[Edit]:
    for rules in (_OUTSIDE[notation], _RULES[notation]):
        for match in rules.finditer(text):
            yield match.start(), match.end(), _replacement(match)


def _replacement(match: re.Match[str]) -> str:
    rule = str(match.lastgroup)
    if rule == "folded":
        return _FOLDED[match.group()]
    if rule in {"line", "first"} and "bullet" in match.re.groupindex and match["bullet"]:
        return f"{_LEAVES.get(rule, '')}•"
    if rule in {"line", "space"} and _LOOSE.match(match.string, match.end()):
        return ""
    return _LEAVES.get(rule, "")


def _markup_edits(text: str) -> Iterator[Edit]:
    at = 0
    while candidate := _ANY_MARK.search(text, at):
        at = candidate.start() + 1
        if match := _MARKUP.match(text, candidate.start()):
            start, end = match.span()
            body_start, body_end = match.span(f"{match.lastgroup}_body")
            yield start, body_start, ""
            yield body_end, end, ""
            at = end if match.lastgroup == "code" else body_start


def _composition_edits(text: str) -> Iterator[Edit]:
    """NFC, cluster by cluster, so that each composed letter knows the characters it came from."""
    if unicodedata.is_normalized("NFC", text):
        return
    start = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and _composes(text[start:end], text[end]):
            continue
        cluster = text[start:end]
        composed = unicodedata.normalize("NFC", cluster)
        if composed != cluster:
            yield start, end, composed
        start = end


def _composes(cluster: str, following: str) -> bool:
    if following.isascii():
        return False
    if unicodedata.combining(following):
        return True
    together = unicodedata.normalize("NFC", cluster + following)
    return not together.endswith(unicodedata.normalize("NFC", following)) or len(together) == 1
