"""Which chunks hold a phrase or a word: what a question requires and excludes becomes a filter, so
that it acts inside the search and not on its leftovers.

The word index names the chunks that hold the words of a phrase side by side, in whatever form;
where the form matters, their texts are looked at. A phrase is met by its very words in a row,
whatever their case and whatever stands between two of them besides letters and digits. What is
excluded as a word is excluded in all its forms.
"""

import re
import unicodedata
from functools import lru_cache

import numpy as np
from msgspec import Struct
from sqlalchemy.orm import Session

from rag.storage.chunks import live_entries
from rag.storage.dense.scanning import Ids
from rag.storage.texts import Texts
from rag.storage.word_leg import WordLeg

LOOKED_AT = 20_000
"""Chunks whose texts are looked at for one phrase: half a second. A phrase of words that stand
together in more of them is not told from those words."""

_WORD = re.compile(r"\w+")


class Terms(Struct, frozen=True):
    """What a question asks of each passage besides being near."""

    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    @property
    def are_none(self) -> bool:
        return not (self.phrases or self.excluded)


NO_TERMS = Terms()


class Bounds(Struct, frozen=True):
    """Chunks that are in by the question's phrases, and out by its exclusions; sorted."""

    required: Ids | None
    """None where any may be."""
    barred: Ids
    unmet: tuple[str, ...] = ()
    """Phrases that no passage holds together: nothing is required then."""


def bounds_of(terms: Terms, words: WordLeg, session: Session, texts: Texts) -> Bounds | None:
    """None where the word index cannot say."""
    required: Ids | None = None
    barred = np.empty(0, np.int64)
    for phrase in terms.phrases:
        found = _holders(phrase, words, session, texts, exactly=True)
        if found is None:
            return None
        required = found if required is None else np.intersect1d(required, found)
    for phrase in terms.excluded:
        is_one_word = len(_WORD.findall(phrase)) == 1
        found = _holders(phrase, words, session, texts, exactly=not is_one_word)
        if found is None:
            return None
        barred = np.union1d(barred, found)
    if required is not None and not len(required):
        return Bounds(None, barred, terms.phrases)
    return Bounds(required, barred)


def _holders(
    phrase: str, words: WordLeg, session: Session, texts: Texts, *, exactly: bool
) -> Ids | None:
    found = words.holding(phrase)
    if found is None or not exactly or len(found) > LOOKED_AT:
        return found
    pattern = _pattern(phrase)
    entries = live_entries(session, found.tolist(), texts)
    return np.array(
        [each.chunk for each in entries if pattern.search(_composed(each.text))], np.int64
    )


@lru_cache(maxsize=256)
def _pattern(phrase: str) -> re.Pattern[str]:
    """Its words in a row. Where a script writes no spaces, or has no case, a word may go on; and
    where its end is left open with `*`."""
    words = _WORD.findall(_composed(phrase))
    if not words:
        return re.compile(re.escape(phrase))
    begins = r"\b" if _has_edges(words[0][0]) else ""
    ends = r"\b" if _has_edges(words[-1][-1]) and not phrase.endswith("*") else ""
    return re.compile(begins + r"[\W_]+".join(map(re.escape, words)) + ends, re.IGNORECASE)


def _has_edges(letter: str) -> bool:
    return letter.isdigit() or letter.lower() != letter.upper()


def _composed(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def within(allowed: Ids | None, bounds: Bounds, everything: Ids) -> Ids:
    """Of the chunks that a filter lets through, or of all, those within the bounds; sorted."""
    chunks = everything if allowed is None else np.intersect1d(allowed, everything)
    if bounds.required is not None:
        chunks = np.intersect1d(chunks, bounds.required, assume_unique=True)
    return np.setdiff1d(chunks, bounds.barred, assume_unique=True)
