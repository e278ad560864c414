"""Whether a page's text layer can be believed, or the page has to be looked at instead."""

import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import cache

from msgspec import Struct

from rag.local.reading.pdf.words import HYPHENS

FEW = 30
"""Letters and digits: fewer on a page that is an image are a stamp, not its text."""
SPARSE = 100
"""The same: fewer on an image may be but some of the words on it, as on a poster."""
IMAGE_PAGE = 0.8
"""Share of a page that images cover when it is a scan."""
SOME_IMAGE = 0.02
"""Share below which an image is a logo or a speck, not something to read."""
DRAWN = 10
"""Shapes from which a page without text may be text drawn as outlines, not a frame or a rule."""
BROKEN_SHARE = 0.1
"""Of characters that stand for no letter: sound layers stay below 0.01, dingbats apart."""
ENOUGH = 100
"""Latin letters from which their statistics mean anything."""
FEW_VOWELS = 0.15
"""Of Latin letters: 0.35 to 0.5 in every European language; text with shifted codes has less."""
LONG_WORD = 30
"""Mean letters of a word: German law stays below 8, text without its spaces is one long word."""
VOWELS = frozenset("aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýœAEIOUYÀÁÂÃÄÅÆÈÉÊËÌÍÎÏÒÓÔÕÖØÙÚÛÜÝŒ")
NO_LETTERS = frozenset({"Co", "Cn", "Cs", "Cc"})
"""Unicode categories of private, unassigned, half and control characters."""
LAYOUT = frozenset("\t\n\r" + HYPHENS)
"""Control characters that a sound layer has."""


class Graphics(Struct, frozen=True):
    """What a page shows beside text."""

    image_share: float
    """Of the page's area, 0 to 1."""
    shapes: int


def defect(count: Counter[str], words: int) -> str | None:
    """What is wrong with a text layer, by how often it has each character and how many words, so
    that the page had better be recognized; else None."""
    broken = _total(count, _is_broken)
    printed = _total(count, lambda c: not c.isspace() or _is_broken(c))
    if broken > BROKEN_SHARE * printed:
        return f"{broken} of {printed} characters of the text layer stand for no letter"
    latin = _total(count, lambda c: c.isalpha() and c < "\u0250")
    if latin < ENOUGH or latin < printed / 2:
        return None
    if _total(count, VOWELS.__contains__) < FEW_VOWELS * latin:
        return "the text layer has hardly any vowels; its codes are not letters"
    if printed > LONG_WORD * words:
        return "the text layer has no spaces between words"
    return None


@cache
def _is_broken(character: str) -> bool:
    return character == "\ufffd" or (
        unicodedata.category(character) in NO_LETTERS and character not in LAYOUT
    )


def _total(count: Counter[str], counts: Callable[[str], bool]) -> int:
    """How many characters are of a kind."""
    return sum(n for character, n in count.items() if counts(character))


def is_missing(count: Counter[str], graphics: Graphics) -> bool:
    """Whether a page has something to read which its text layer does not have."""
    if some := letters(count):
        return some < FEW and graphics.image_share >= IMAGE_PAGE
    return graphics.image_share >= SOME_IMAGE or graphics.shapes >= DRAWN


def is_sparse(count: Counter[str], graphics: Graphics) -> bool:
    """Whether a sound layer may lack words that the page's images show."""
    return 0 < letters(count) < SPARSE and graphics.image_share >= IMAGE_PAGE


def letters(count: Counter[str]) -> int:
    """And digits."""
    return _total(count, str.isalnum)
