"""Spellings that a reader takes for the same: case, accents, vowel points, umlauts written out."""

import re
import unicodedata

_POINTS = re.compile(
    "[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u093c]+"
)
"""Accents; Hebrew and Arabic points, and the stroke that widens an Arabic word; the Hindi dot
below."""

_WHOLE = "йЙїЇ"
"""Letters of their own, which Unicode takes for accented ones."""

_LIKE = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l"}
    | {"ħ": "h", "ı": "i", "ŋ": "n", "ə": "e", "ς": "σ"}
    | {"ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ँ": "ं"}
)


def lower(word: str, language: str) -> str:
    """In small letters, of which Turkish has two i's."""
    if language == "tr":
        word = word.replace("I", "ı").replace("İ", "i")
    return word.lower()


def fold(word: str) -> str:
    """A word in small letters, without its accents and points.

    >>> fold("élève"), fold("straße"), fold("ёлка")
    ('eleve', 'strasse', 'елка')
    """
    if word.isascii():
        return word
    letters = unicodedata.normalize("NFC", word)
    return unicodedata.normalize("NFC", "".join(map(_bare, letters))).translate(_LIKE)


def _bare(letter: str) -> str:
    return letter if letter in _WHOLE else _POINTS.sub("", unicodedata.normalize("NFD", letter))


_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_UMLAUT = re.compile("(?<=[aou])e|(?<=a)a")


def respelled(word: str) -> tuple[str, ...]:
    """A word in small letters with umlauts in two letters, and without the second of them: who
    looks for Müller may find Mueller, and the other way around.

    >>> respelled("müller"), respelled("mueller"), respelled("miller")
    (('mueller',), ('muller',), ())
    """
    others = (word.translate(_WRITTEN_OUT), _UMLAUT.sub("", word))
    return tuple(other for other in others if other != word)
