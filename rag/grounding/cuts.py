"""Where a quotation may begin and end: not inside a word, a number with its sign and unit, or
right beside a negation. A cut there keeps every character true and turns their meaning."""

import re
import unicodedata

from rag.grounding.negations import is_negated_after, is_negated_before
from rag.grounding.quantities import quantities

_REACH = 48
"""Characters on either side of a cut in which the quantity it falls into must lie."""

_JOINING = "'-/_^@&"
"""Between two characters of words they make one word: don't, non-toxic, km/h, snake_case."""
_JOINING_DIGITS = ".,:×"
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)
"""Thai, Lao, Burmese, Khmer, kana and Han are written without spaces between words."""


def is_cut_clean(text: str, start: int, end: int) -> bool:
    """Whether `text[start:end]` of a normal form can stand alone."""
    return not (
        _splits_word(text, start)
        or _splits_word(text, end)
        or _splits_quantity(text, start)
        or _splits_quantity(text, end)
        or is_negated_before(text, start)
        or is_negated_after(text, end)
    )


def _splits_word(text: str, at: int) -> bool:
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if unicodedata.category(after).startswith("M"):
        return True
    if _joins(text, at) or _joins(text, at - 1):
        return True
    both = _is_of_word(before) and _is_of_word(after)
    return both and not (_UNSPACED.match(before) or _UNSPACED.match(after))


def _joins(text: str, at: int) -> bool:
    """Whether the character at `at` holds its neighbors together."""
    if not 0 < at < len(text) - 1:
        return False
    before, mark, after = text[at - 1], text[at], text[at + 1]
    if mark in _JOINING_DIGITS:
        return before.isdigit() and after.isdigit()
    return mark in _JOINING and _is_of_word(before) and _is_of_word(after)


def _is_of_word(character: str) -> bool:
    return character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"


def _splits_quantity(text: str, at: int) -> bool:
    if not 0 < at < len(text):
        return False
    window_start = max(0, at - _REACH)
    window = text[window_start : at + _REACH]
    if not any(character.isdigit() for character in window):
        return False
    return any(quantity.start < at - window_start < quantity.end for quantity in quantities(window))
