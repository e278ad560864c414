"""Whether a page's text layer can be believed, or the page has to be looked at instead."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

from msgspec import Struct

from rag.local.reading.pdf.words import HYPHENS

FEW = 30
"""Letters and digits: fewer on a page that is an image are a stamp, not its text."""
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
ENOUGH_WORDS = 20
MIXED_SHARE = 0.1
"""Of words in letters of two alphabets; a Russian text on `PDF-файлы` has 0.02."""
ACCENTED_SHARE = 0.5
"""Of Latin letters; Vietnamese and Czech have 0.25. Cyrillic in an old font's codes has 1."""
MISTAKEN = re.compile(
    "[\xc2\xc3\xd0\xd1\xe2][\x80-\xbf\u20ac\u201a-\u2022\u0152\u0153\u0160\u0161\u2122]"
)
"""What UTF-8 looks like when every byte is taken for a letter."""
MISTAKEN_SHARE = 0.01
"""Of such pairs among the characters; French has none, for no capital is followed by them."""
APART_SHARE = 0.5
"""Of letters that stand alone: a page of formulas has 0.2."""
LONG_WORD = 30
"""Mean letters of a word: German law stays below 8, text without its spaces is one long word."""
LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
OTHERS = re.compile("[\u0370-\u03ff\u0400-\u04ff]")
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


def defect(text: str) -> str | None:
    """What is wrong with a text layer, so that the page had better be recognized; else None."""
    count, words = Counter(text), text.split()
    broken = _total(count, _is_broken)
    printed = _total(count, lambda c: not c.isspace() or _is_broken(c))
    if broken > BROKEN_SHARE * printed:
        return f"{broken} of {printed} characters of the text layer stand for no letter"
    if len(words) >= ENOUGH_WORDS and (mixed := _mixed(words)) > MIXED_SHARE * len(words):
        return f"{mixed} of {len(words)} words of the text layer mix two alphabets"
    latin = _total(count, _is_latin)
    if latin < ENOUGH or latin < printed / 2:
        return None
    if _total(count, VOWELS.__contains__) < FEW_VOWELS * latin:
        return "the text layer has hardly any vowels; its codes are not letters"
    if latin - _total(count, str.isascii, str.isalpha) > ACCENTED_SHARE * latin:
        return "the text layer has more letters with accents than without; its codes are others'"
    if len(MISTAKEN.findall(text)) > MISTAKEN_SHARE * printed:
        return "the text layer was decoded from the wrong codes"
    if printed > LONG_WORD * len(words):
        return "the text layer has no spaces between words"
    if sum(len(word) == 1 and word.isalpha() for word in words) > APART_SHARE * latin:
        return "the text layer has spaces between letters"
    return None


def _is_latin(character: str) -> bool:
    return character.isalpha() and character < "\u0250"


def _mixed(words: Sequence[str]) -> int:
    """How many have letters both of the Latin and of the Greek or Cyrillic alphabet: some look
    alike, and none of a language's own words has both. A lone Greek letter is a formula's."""
    return sum(bool(LATIN.search(word)) and len(OTHERS.findall(word)) > 1 for word in words)


@cache
def _is_broken(character: str) -> bool:
    return character == "\ufffd" or (
        unicodedata.category(character) in NO_LETTERS and character not in LAYOUT
    )


def _total(count: Counter[str], *kinds: Callable[[str], bool]) -> int:
    """How many characters are of all these kinds."""
    return sum(n for character, n in count.items() if all(is_of(character) for is_of in kinds))


def is_missing(count: Counter[str], graphics: Graphics) -> bool:
    """Whether a page has something to read which its text layer does not have."""
    if some := letters(count):
        return some < FEW and graphics.image_share >= IMAGE_PAGE
    return graphics.image_share >= SOME_IMAGE or graphics.shapes >= DRAWN


def letters(count: Counter[str]) -> int:
    """And digits."""
    return _total(count, str.isalnum)
