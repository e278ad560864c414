"""Whether one text already says all that another says, but for small words and signs.

Near-duplicates are told by what they share and, more carefully, by what they do not. Two contracts
from one template share nearly every word, and differ in a name and an amount: to fold them would
hide one of them. So nothing that carries a fact may be missing: no number, no name, no negation.
What is left to differ is what printing, conversion and light editing change.
"""

import re
from collections import Counter

from msgspec import Struct

SHARED = 0.9
"""Of the lesser text's shingles, that the other has too. A word changed in the middle of a text of
a hundred costs it three."""

SHINGLE = 3  # words in a row

FEWEST = 12
"""Words below which only the same text is the same: of a short one, each word counts."""

LOOKS_ALIKE = 0.75
"""Of the lesser text's pieces between white space. Asked first, because it takes a tenth of the
time; punctuation sticks to these pieces, hence less of them is asked for."""

_NEGATIONS = frozenset(
    """
    no not never none nor neither without cannot except unless
    nicht kein keine keiner keinen keinem nie niemals ohne weder
    ne pas jamais aucun aucune sans ni non sin nunca ningún ninguna ninguno tampoco
    """.split()  # noqa: SIM905 - forty quoted words are harder to read
)
_WORD = re.compile(r"[^\W_](?:[\w'’.,]*[^\W_])?")


class Said(Struct, frozen=True):
    """A text as it is compared."""

    words: int
    shingles: frozenset[int]
    """Hashes of a few words in a row."""
    facts: Counter[str]
    """Numbers, names, negations and words of scripts without case, and how often each stands
    there."""


def said(text: str) -> Said:
    words = _WORD.findall(text)
    folded = [word.lower() for word in words]
    rows = zip(*(folded[n:] for n in range(SHINGLE)), strict=False)
    facts = Counter(word for word in words if _tells(word))
    return Said(len(words), frozenset(map(hash, rows)), facts)


def says_all(one: Said, other: Said) -> bool:
    """Whether the first text says everything that the other says."""
    if other.words < FEWEST:
        return False
    if len(one.shingles & other.shingles) < SHARED * len(other.shingles):
        return False
    return other.facts <= one.facts


def looks_alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether `says_all` is worth asking, by the pieces between white space of both."""
    enough = LOOKS_ALIKE * len(other)
    return len(one) >= enough and len(one & other) >= enough


def longest(pieces: frozenset[str]) -> frozenset[str]:
    """So many of them that who has none of these does not look alike. Long ones are seldom shared
    by chance, and the fewer are quicker to ask for."""
    fewest = int((1 - LOOKS_ALIKE) * len(pieces)) + 1
    return frozenset(sorted(pieces, key=len)[-fewest:])


def _tells(word: str) -> bool:
    return not word.islower() or not word.isalpha() or word in _NEGATIONS
