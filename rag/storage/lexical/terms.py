"""What the rows of an index are found by, and which of it there is."""

import tantivy
from tantivy import TextAnalyzerBuilder, Tokenizer

from rag.ranking.analysis.languages import LANGUAGES
from rag.ranking.analysis.terms import terms_of
from rag.storage.lexical.delta import Delta
from rag.storage.lexical.rows import Analyzed, Entry


class Terms:
    """The vocabulary of an index at one moment, of rows on disk and in memory."""

    def __init__(self, searcher: tantivy.Searcher, delta: Delta) -> None:
        self._searcher = searcher
        self._delta = delta
        self._newer = delta.languages()
        self.languages = [
            code for code in LANGUAGES if code in self._newer or self._on_disk("language", code)
        ]

    def counted(self) -> dict[str, int]:
        """Rows by language."""
        return {
            code: self._newer.get(code, 0) + self._on_disk("language", code)
            for code in self.languages
        }

    def holds(self, term: str) -> bool:
        return self._on_disk("text", term) > 0 or self._delta.holds(term)

    def beginning(self, start: str, most: int) -> list[str]:
        older = self._searcher.terms_with_prefix("text", start, limit=most)
        newer = self._delta.beginning(start)
        return list(dict.fromkeys([*(term for term, _ in older), *newer]))[:most]

    def _on_disk(self, field: str, value: str) -> int:
        return int(self._searcher.doc_freq(field, value))


def analyzed(entry: Entry) -> Analyzed:
    found = terms_of(entry.text, entry.around)
    return Analyzed(entry.chunk, entry.document, found.language, found.text)


def as_they_are() -> tantivy.TextAnalyzer:
    """For an index that is given terms, separated by spaces."""
    return TextAnalyzerBuilder(Tokenizer.whitespace()).build()
