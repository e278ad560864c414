"""Two sources that say the same of different things: 1894 here and 1896 there.

Nothing is judged but what can be seen in the words. A conflict that is worded in two ways is only
found where a time or an amount was asked for, and where each side says just one.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import combinations

from msgspec import Struct

from rag.domain import DocumentId
from rag.grounding.asked import asked, asks_for_several, terms
from rag.grounding.names import names
from rag.grounding.normalization import normalize
from rag.grounding.quantities import quantities

WORDED_ALIKE = 0.6
"""Share of the shorter statement's words that stand in the other in the same order, from which on
what differs stands in the same place."""

LONGEST_DIFFERENCE = 5
"""Words on either side that stand in each other's place: longer ones say something else."""

ABOUT_THE_SAME = 0.75
"""Share of the question's words that both must say, where they are worded in two ways."""

_WORD = re.compile(r"[^\W_]+(?:[.,'’:/-][^\W_]+)*%?")
_YEAR = re.compile(r"(?<![\w.,])(?:1\d{3}|20\d{2})(?![\w%]|[.,]\d)")


class Statement(Struct, frozen=True):
    """What one source says."""

    text: str
    document: DocumentId
    title: str = ""
    """Of its document: a report on another year speaks of something else."""


def conflicting(question: str, statements: Sequence[Statement]) -> list[tuple[int, int]]:
    """Pairs of statements that cannot both answer, by their positions; each of two documents."""
    return [
        (n, m)
        for (n, one), (m, other) in combinations(enumerate(statements), 2)
        if disagree(question, one, other)
    ]


def disagree(question: str, one: Statement, other: Statement) -> bool:
    """
    >>> a = Statement("The bridge was opened in 1894.", DocumentId("a"))
    >>> b = Statement("The bridge was opened in 1896.", DocumentId("b"))
    >>> disagree("When was the bridge opened?", a, b)
    True
    """
    if one.document == other.document or _numbers(one.title) != _numbers(other.title):
        return False
    if asks_for_several(question):
        return False
    first, second = _said(one.text), _said(other.text)
    return _differ_in_one_fact(question, first, second) or _differ_in_value(
        question, first.text, second.text
    )


class _Said(Struct, frozen=True):
    """A statement, taken apart once: it is compared with all others."""

    text: str
    """Normalized."""
    words: list[str]
    lower: list[str]
    counts: Counter[str]
    """Of the words in lower case."""


@lru_cache(maxsize=1024)
def _said(text: str) -> _Said:
    normal = normalize(text).text
    words = _WORD.findall(normal)
    lower = [word.lower() for word in words]
    return _Said(normal, words, lower, Counter(lower))


def _numbers(title: str) -> list[str]:
    return re.findall(r"\d+", title)


def _differ_in_one_fact(question: str, one: _Said, other: _Said) -> bool:
    """Whether two statements of one wording differ by a number or a name in one place: in two, as
    in a year and its amount, they speak of two things."""
    left, right = one.words, other.words
    enough = WORDED_ALIKE * min(len(left), len(right))
    if (one.counts & other.counts).total() < enough:  # in any order, so no fewer than in the same
        return False
    known = {word.lower() for word in _WORD.findall(question)}
    matcher = SequenceMatcher(None, one.lower, other.lower, False)
    if sum(block.size for block in matcher.get_matching_blocks()) < enough:
        return False
    facts = (_facts(one.text), _facts(other.text))
    differing = [
        (set(left[a:b]) & facts[0], set(right[c:d]) & facts[1])
        for operation, a, b, c, d in matcher.get_opcodes()
        if operation == "replace" and max(b - a, d - c) <= LONGEST_DIFFERENCE
    ]
    told = [(mine, theirs) for mine, theirs in differing if mine and theirs]
    return len(told) == 1 and _is_news(told[0], (left, right), known)


def _is_news(
    differing: tuple[set[str], set[str]], said: tuple[Sequence[str], Sequence[str]], known: set[str]
) -> bool:
    """Whether neither side is what was asked about, or stands elsewhere in the other statement."""
    mine, theirs = differing
    asked_about = {word.lower() for word in mine | theirs} & known
    return not asked_about and mine.isdisjoint(said[1]) and theirs.isdisjoint(said[0])


@lru_cache(maxsize=1024)
def _facts(text: str) -> frozenset[str]:
    """Words that carry a number or a name. Nouns of German are left out: all have a capital."""
    numbers = {word for quantity in quantities(text) for word in _WORD.findall(quantity.text)}
    named = {word for name in names(text) if name.kind != "noun" for word in _parts(name.text)}
    digits = {word for word in _WORD.findall(text) if any(map(str.isdigit, word))}
    return frozenset(numbers | named | digits)


def _parts(name: str) -> Iterator[str]:
    yield name
    yield from _WORD.findall(name)


def _differ_in_value(question: str, one: str, other: str) -> bool:
    kind = asked(question)
    if kind not in ("time", "amount"):
        return False
    wanted = _terms(question)
    if not all(len(wanted & _terms(text)) >= ABOUT_THE_SAME * len(wanted) for text in (one, other)):
        return False
    if kind == "time":
        values = [set(_YEAR.findall(text)) - set(_YEAR.findall(question)) for text in (one, other)]
    else:
        values = [_amounts(text, question) for text in (one, other)]
    return all(len(each) == 1 for each in values) and values[0] != values[1]


@lru_cache(maxsize=1024)
def _terms(text: str) -> frozenset[str]:
    return frozenset(terms(text))


def _amounts(text: str, question: str) -> set[str]:
    """As written: two notations of one number are rare in two sources, and shown both do no harm
    but that they are called a conflict; so only digits count."""
    known = {quantity.text for quantity in quantities(question)}
    return {
        quantity.text.replace(",", "")
        for quantity in quantities(text)
        if quantity.text not in known and quantity.text[0].isdigit() and not _is_year(quantity.text)
    }


def _is_year(text: str) -> bool:
    return _YEAR.fullmatch(text) is not None
