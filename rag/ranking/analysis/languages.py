"""Which language a text is in, as far as its search depends on it.

Scripts other than Latin say it themselves, or a letter of theirs does. In Latin script it is the
language whose common words stand in the text most often: a paragraph has a dozen of them. That
costs some microseconds, needs no model, and says nothing of a table or a list of names, whose
language is that of the document around it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from itertools import chain

from rag.ranking.analysis.stopwords import STOP_WORDS

LOOK = 1_000  # characters in which the script is looked for
FEWEST = 2
"""Common words without which a text says nothing of its language."""

_LETTERS: Mapping[str, re.Pattern[str]] = {
    script: re.compile(f"[{letters}]")
    for script, letters in {
        "greek": "\u0370-\u03ff\u1f00-\u1fff",
        "cyrillic": "\u0400-\u052f",
        "armenian": "\u0530-\u058f",
        "hebrew": "\u0590-\u05ff",
        "arabic": "\u0600-\u06ff\u0750-\u077f",
        "devanagari": "\u0900-\u097f",
        "bengali": "\u0980-\u09ff",
        "tamil": "\u0b80-\u0bff",
        "thai": "\u0e00-\u0e7f",
        "lao": "\u0e80-\u0eff",
        "burmese": "\u1000-\u109f",
        "khmer": "\u1780-\u17ff",
        "hangul": "\u1100-\u11ff\uac00-\ud7af",
        "kana": "\u3040-\u30ff",
        "han": "\u3400-\u4dbf\u4e00-\u9fff",
    }.items()
}
_LATIN_WORD = re.compile("[A-Za-zÀ-ɏḀ-ỿ]+")
_NOT_LATIN = re.compile("[\u0370-\u1cff\u1f00-\u1fff\u3040-\u9fff\uac00-\ud7af]")
"""A text with more of these than of Latin letters is in another script."""

_ONE_LANGUAGE = {
    "greek": "el",
    "armenian": "hy",
    "hebrew": "he",
    "devanagari": "hi",
    "bengali": "bn",
    "tamil": "ta",
    "thai": "th",
    "lao": "lo",
    "burmese": "my",
    "khmer": "km",
    "hangul": "ko",
    "kana": "ja",
}
"""Devanagari is Marathi's and Nepali's, too, which are then treated alike."""
_TELLING = {
    "cyrillic": (("sr", "ђјљњћџ"), ("uk", "іїєґ"), ("bg", "ъ")),
    "arabic": (("ur", "ٹڈڑںے"), ("fa", "پچژگی")),
}
"""Letters that another language of the script does not have, rarest first; the hard sign is
Russian too, and there it is rare."""
_USUAL = {"cyrillic": "ru", "arabic": "ar"}

TELLS = 0.01  # of a text's letters, beyond which such letters are no foreign names

LANGUAGES = tuple(
    sorted(
        {"ja", "zh", *STOP_WORDS, *_ONE_LANGUAGE.values(), *_USUAL.values()}
        | {language for told in _TELLING.values() for language, _ in told}
    )
)
"""That a text may be in."""

COMMON = frozenset().union(*STOP_WORDS.values())
_LANGUAGES: Mapping[str, tuple[str, ...]] = {
    word: tuple(language for language, listed in STOP_WORDS.items() if word in listed)
    for word in COMMON
}


def language_of(text: str, pieces: Set[str]) -> str | None:
    """Its ISO 639-1 code; None where it does not tell.

    Args:
        pieces: of the text, between white space, each once.
    """
    if not text.isascii():
        script = _script(text[:LOOK])
        if script != "latin":
            return _of_script(script, text[:LOOK])
    found = votes(pieces & COMMON)
    if not found:
        return None
    most = max(found.values())
    leading = [language for language, votes in found.items() if votes == most]
    return leading[0] if most >= FEWEST and len(leading) == 1 else None


def votes(common: Iterable[str]) -> Counter[str]:
    """How many of these words are common in each language."""
    return Counter(chain.from_iterable([_LANGUAGES.get(word, ()) for word in common]))


def _script(text: str) -> str:
    others = len(_NOT_LATIN.findall(text))
    if not others or len("".join(_LATIN_WORD.findall(text))) >= others:
        return "latin"
    counts = {script: len(letters.findall(text)) for script, letters in _LETTERS.items()}
    if counts["han"] and counts["kana"]:  # Chinese has no kana, and Japanese much Han
        return "kana"
    return max(counts, key=lambda script: counts[script])


def _of_script(script: str, text: str) -> str:
    if script == "han":
        return "zh"
    for language, letters in _TELLING.get(script, ()):
        if sum(map(text.lower().count, letters)) > TELLS * len(text):
            return language
    return _ONE_LANGUAGE.get(script) or _USUAL[script]
