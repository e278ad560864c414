"""Rows newer than the index on disk, searched in memory until they are in it.

There are a few thousand at most, and a search looks at each. Lists of rows by term would be found
at once, and are dearer to keep: without them a row costs 41 us of CPU and not 260.
"""

import threading
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence

from msgspec import Struct

from rag.storage.lexical.rows import Analyzed
from rag.storage.lexical.scoring import Statistics, saturation, term_weight


class Posting(Struct, frozen=True):
    """A row that holds a term."""

    chunk: int
    frequency: int
    """Of the term in the row."""
    length: int
    """Of the row, in words."""


class Matches(Struct, frozen=True):
    """Rows that hold one of the terms, as they were at one moment."""

    terms: Sequence[str]
    """One that is asked twice (in two forms of a word) counts twice."""
    rows: int
    words: int
    """Of all rows, whether they match or not."""
    of: Mapping[str, Sequence[Posting]]
    """By term."""

    @property
    def statistics(self) -> Statistics:
        having = {term: len(postings) for term, postings in self.of.items()}
        return Statistics(self.rows, self.words, having)

    def scores(
        self, statistics: Statistics, allowed: Container[int] | None = None
    ) -> dict[int, float]:
        """
        Args:
            statistics: of these rows and those on disk together.
            allowed: chunks that may be found; all where None.
        """
        scores: dict[int, float] = {}
        for term in self.terms:
            weight = term_weight(term, statistics)
            for each in self.of[term]:
                if allowed is None or each.chunk in allowed:
                    earned = weight * saturation(each.frequency, each.length, statistics)
                    scores[each.chunk] = scores.get(each.chunk, 0.0) + earned
        return scores


class Delta:
    """Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[int, Mapping[str, int]] = {}
        """Chunk -> term -> how often."""
        self._lengths: dict[int, int] = {}
        self._words = 0

    def __len__(self) -> int:
        return len(self._rows)

    def chunks(self) -> list[int]:
        with self._lock:
            return list(self._rows)

    def put(self, rows: Iterable[Analyzed]) -> None:
        """Rows that are not here."""
        for row in rows:
            frequencies = Counter(row.terms)
            with self._lock:
                self._rows[row.chunk] = frequencies
                self._lengths[row.chunk] = len(row.terms)
                self._words += len(row.terms)

    def remove(self, chunks: Iterable[int]) -> None:
        """Those that are here."""
        with self._lock:
            for chunk in chunks:
                if self._rows.pop(chunk, None) is not None:
                    self._words -= self._lengths.pop(chunk)

    def holding(self, terms: Sequence[str]) -> list[int]:
        """Rows that hold all of the terms."""
        with self._lock:
            return [chunk for chunk, row in self._rows.items() if all(t in row for t in terms)]

    def matches(self, terms: Sequence[str]) -> Matches:
        with self._lock:
            postings = {term: self._postings(term) for term in terms}
            return Matches(terms, len(self._rows), self._words, postings)

    def _postings(self, term: str) -> list[Posting]:
        return [
            Posting(chunk, row[term], self._lengths[chunk])
            for chunk, row in self._rows.items()
            if term in row
        ]
