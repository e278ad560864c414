"""Words that must stand side by side, in the order in which they were quoted."""

from collections.abc import Sequence

from msgspec import Struct

from rag.ranking.analysis.folding import fold
from rag.ranking.analysis.terms import USUAL, term_of
from rag.ranking.analysis.words import BESIDE, runs, words_of


class Quoted(Struct, frozen=True):
    """A quotation as the texts of one language have it."""

    terms: tuple[str, ...]
    start: str | None = None
    """How the word begins that comes after them, where it was only begun."""


def quoted(quotation: str, languages: Sequence[str]) -> tuple[Quoted, ...]:
    """As each language has it; words are found in any of their forms, and the last one, where it
    ends in `*`, in whatever way it goes on. None where there is no word in it."""
    *words, last = quotation.split() or [""]
    is_begun = last.endswith("*") and len(last) > 1
    start = fold(last[:-1].lower()) if is_begun else None
    kept = " ".join(words) if is_begun else quotation
    named = [word for run in runs(kept) for word in words_of(run) if word[0] != BESIDE]
    if not named and start is None:
        return ()
    ways = {tuple(term_of(word, language) for word in named) for language in languages or (USUAL,)}
    return tuple(Quoted(terms, start) for terms in sorted(ways))
