"""Words of one language without their endings, by Snowball's rules for it."""

import threading
from bisect import bisect
from collections.abc import Sequence

import Stemmer  # type: ignore[import-not-found]  # compiled, without stubs

from rag.ranking.analysis.folding import fold

ALGORITHMS = {
    "ar": "arabic",
    "bg": "russian",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "uk": "russian",
}
"""By language. Snowball has no rules for Bulgarian and Ukrainian; Russian ones take most of the
same endings off, and off question and text alike."""

_OTHERS = frozenset({"ar", "bg", "el", "fa", "hi", "hy", "ru", "sr", "ta", "uk"})
_LATIN = (ALGORITHMS.keys() - _OTHERS) | {"vi"}
_SCRIPTS = (  # where the letters of a script begin, and whose words they make by default
    (0x0000, "en"),
    (0x0370, "el"),
    (0x0400, "ru"),
    (0x0530, "hy"),
    (0x0590, ""),
    (0x0600, "ar"),
    (0x0780, ""),
    (0x0900, "hi"),
    (0x0980, ""),
    (0x0B80, "ta"),
    (0x0C00, ""),
    (0x1E00, "en"),
    (0x1F00, "el"),
    (0x2000, ""),
)
_FIRST = [first for first, _ in _SCRIPTS]
_SAME_SCRIPT = {"bg": "ru", "uk": "ru", "sr": "ru", "fa": "ar", "ur": "ar"}

_STEMMERS: dict[str, Stemmer.Stemmer] = {}
_STEMMING = threading.Lock()  # a stemmer has one buffer, which all threads would share


def stem(word: str, language: str) -> str:
    """A word in small letters, by the rules of the text's language; by those of its own script
    where that is another, as for the English words of a Russian text.

    >>> stem("houses", "en"), stem("häuser", "de"), stem("houses", "ru"), stem("книги", "en")
    ('hous', 'haus', 'hous', 'книг')
    """
    return _stemmed([word], _language_of(word, language))[0]


def stem_latin(words: Sequence[str], language: str) -> list[str]:
    """The same for many words at once, whose letters are Latin."""
    return _stemmed(words, language if language in _LATIN else "en")


def _stemmed(words: Sequence[str], language: str) -> list[str]:
    algorithm = ALGORITHMS.get(language)
    if algorithm is None:
        return list(words)
    if algorithm == "english":  # whose rules take an é for no vowel
        words = [fold(word) for word in words]
    with _STEMMING:
        if algorithm not in _STEMMERS:
            _STEMMERS[algorithm] = Stemmer.Stemmer(algorithm, 0)  # what comes is remembered above
        return list(_STEMMERS[algorithm].stemWords(words))


def _language_of(word: str, language: str) -> str:
    if word[0] < "\u0370":
        return language if language in _LATIN else "en"
    usual = _SCRIPTS[bisect(_FIRST, ord(word[0])) - 1][1]
    if usual == "en":  # Latin letters with two accents, as in Vietnamese
        return language if language in _LATIN else "en"
    return language if _SAME_SCRIPT.get(language) == usual else usual
