"""Rows newer than the index on disk, searched in memory until they are in it."""

import threading
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Sequence

from rag.storage.lexical.rows import Analyzed
from rag.storage.lexical.scoring import Statistics, saturation, term_weight


class Delta:
    """Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[int, Analyzed] = {}
        self._postings: defaultdict[str, dict[int, int]] = defaultdict(dict)
        """Term -> chunk -> how often."""
        self._words = 0

    def __len__(self) -> int:
        return len(self._rows)

    def chunks(self) -> list[int]:
        with self._lock:
            return list(self._rows)

    def put(self, rows: Iterable[Analyzed]) -> None:
        with self._lock:
            for row in rows:
                self._rows[row.chunk] = row
                self._words += len(row.terms)
                for term, frequency in Counter(row.terms).items():
                    self._postings[term][row.chunk] = frequency

    def remove(self, chunks: Iterable[int]) -> None:
        """Those that are here."""
        with self._lock:
            for chunk in chunks:
                if row := self._rows.pop(chunk, None):
                    self._words -= len(row.terms)
                    for term in set(row.terms):
                        del self._postings[term][chunk]
                        if not self._postings[term]:
                            del self._postings[term]

    def statistics(self, terms: Sequence[str]) -> Statistics:
        with self._lock:
            having = {term: len(self._postings.get(term, ())) for term in terms}
            return Statistics(len(self._rows), self._words, having)

    def search(
        self,
        terms: Sequence[str],
        statistics: Statistics,
        allowed: Container[int] | None = None,
    ) -> dict[int, float]:
        """Scores of all rows that hold one of the terms.

        Args:
            statistics: of these rows and those on disk together.
            allowed: chunks that may be found; all where None.
        """
        scores: dict[int, float] = {}
        with self._lock:
            for term in terms:
                found = self._postings.get(term)
                if not found:
                    continue
                weight = term_weight(term, statistics)
                for chunk, frequency in found.items():
                    if allowed is None or chunk in allowed:
                        length = len(self._rows[chunk].terms)
                        earned = weight * saturation(frequency, length, statistics)
                        scores[chunk] = scores.get(chunk, 0.0) + earned
        return scores
