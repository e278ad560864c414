"""A compound by its parts: who asks for a `Dampfschifffahrt` finds `Dampfschiff` and `Fahrt`.

No dictionary is needed: a word is cut where both parts are words of the index itself.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from rag.ranking.analysis.terms import term_of

LINKS = {
    "de": ("", "s", "es", "n", "en", "er", "e"),
    "nl": ("", "s", "en", "e"),
    "sv": ("", "s", "o", "e"),
    "da": ("", "s", "e"),
    "no": ("", "s", "e"),
    "fi": ("", "n"),
    "hu": ("",),
}
"""Languages that write compounds as one word, and what may join its parts."""

SHORTEST = 4  # letters of a part: shorter ones stand in half of all words by chance
LONGEST = 40  # letters of a word that is cut


class Terms(Protocol):
    """Those of an index."""

    @property
    def languages(self) -> Sequence[str]: ...

    def holds(self, term: str) -> bool: ...


def splits(word: str, vocabulary: Terms) -> Iterable[str]:
    """The terms of its two parts, in each language that has compounds; none where it is none."""
    small = word.lower()
    if not 2 * SHORTEST <= len(small) <= LONGEST or not small.isalpha():
        return ()
    found: dict[str, None] = {}
    for language in vocabulary.languages:
        if language in LINKS:
            found |= dict.fromkeys(_parts(small, language, vocabulary))
    return found


def _parts(word: str, language: str, vocabulary: Terms) -> tuple[str, ...]:
    """Of the cut nearest the middle."""
    middle = len(word) // 2
    for cut in sorted(range(SHORTEST, len(word) - SHORTEST + 1), key=lambda n: abs(n - middle)):
        last = term_of(word[cut:], language)
        if not vocabulary.holds(last):
            continue
        for link in LINKS[language]:
            first = word[:cut].removesuffix(link)
            if word[:cut].endswith(link) and len(first) >= SHORTEST - 1:
                term = term_of(first, language)
                if vocabulary.holds(term):
                    return term, last
    return ()
