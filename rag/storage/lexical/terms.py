"""What the rows of an index are found by, and which of it there is."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import TypeAlias

import tantivy
from tantivy import TextAnalyzerBuilder, Tokenizer

from rag.ranking.analysis.languages import LANGUAGES
from rag.ranking.analysis.terms import Terms as Found
from rag.ranking.analysis.terms import terms_of
from rag.storage.lexical.delta import Delta
from rag.storage.lexical.rows import Analyzed, Entry

Searched: TypeAlias = tuple[str, str | None]
"""What is searched of a chunk, and the language around it."""


class Terms:
    """The vocabulary of an index at one moment, of rows on disk and in memory."""

    def __init__(self, searcher: tantivy.Searcher, older: Mapping[str, int], delta: Delta) -> None:
        """
        Args:
            older: rows on disk, by language.
        """
        self._searcher = searcher
        self._delta = delta
        self._older = older
        self._newer = delta.languages()
        self.languages = sorted(older.keys() | self._newer.keys())

    def counted(self) -> dict[str, int]:
        """Rows by language."""
        return {
            code: self._newer.get(code, 0) + self._older.get(code, 0) for code in self.languages
        }

    def holds(self, term: str) -> bool:
        return self._searcher.doc_freq("text", term) > 0 or self._delta.holds(term)

    def beginning(self, start: str, most: int) -> list[str]:
        older = self._searcher.terms_with_prefix("text", start, limit=most)
        newer = self._delta.beginning(start)
        return list(dict.fromkeys([*(term for term, _ in older), *newer]))[:most]


def languages_on_disk(searcher: tantivy.Searcher) -> dict[str, int]:
    """Rows by language."""
    rows = {code: int(searcher.doc_freq("language", code)) for code in LANGUAGES}
    return {code: count for code, count in rows.items() if count}


MOST_AT_HAND = 2_000  # texts of one document, some 8 MB; of a longer one the rest is not at hand

_AT_HAND: dict[Searched, Found] = {}


@contextmanager
def at_hand(texts: Iterable[Searched]) -> Iterator[None]:
    """Works out the terms of some texts. Until the block ends, `analyzed` has them at hand, so that
    who publishes and who asks meanwhile wait for each other less long."""
    found = {each: terms_of(*each) for each in islice(texts, MOST_AT_HAND)}
    _AT_HAND.update(found)
    try:
        yield
    finally:
        for each in found:
            _AT_HAND.pop(each, None)


def analyzed(entry: Entry) -> Analyzed:
    known = _AT_HAND.get((entry.text, entry.around))
    found = known or terms_of(entry.text, entry.around)
    return Analyzed(entry.chunk, entry.document, found.language, found.text)


def as_they_are() -> tantivy.TextAnalyzer:
    """For an index that is given terms, separated by spaces."""
    return TextAnalyzerBuilder(Tokenizer.whitespace()).build()
