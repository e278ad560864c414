"""Rows newer than the index on disk, searched in memory until they are in it.

There are a few thousand at most, and a search looks at each. Lists of rows by term would be found
at once, and are dearer to keep. A row's terms are counted when it is first looked at: where a
folder is handed in and nobody asks, they never are.
"""

import threading
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence

from msgspec import Struct

from rag.ranking.analysis.asking import Asked
from rag.ranking.analysis.quotations import Quoted
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

    terms: Sequence[Asked]
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
        for asked in self.terms:
            weight = asked.weight * term_weight(asked.term, statistics)
            for each in self.of[asked.term]:
                if allowed is None or each.chunk in allowed:
                    earned = weight * saturation(each.frequency, each.length, statistics)
                    scores[each.chunk] = scores.get(each.chunk, 0.0) + earned
        return scores


class Delta:
    """Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[int, Analyzed] = {}
        self._fresh: dict[int, Analyzed] = {}
        """Those nobody looked at."""
        self._counted: dict[int, Counter[str]] = {}
        """How often each of the others has each term."""
        self._lengths: dict[int, int] = {}
        self._words = 0
        self._languages: Counter[str] = Counter()
        self._terms: set[str] = set()
        """Of rows that were looked at, and perhaps of some that are gone."""

    def __len__(self) -> int:
        return len(self._rows)

    def chunks(self) -> list[int]:
        with self._lock:
            return list(self._rows)

    def put(self, rows: Iterable[tuple[Analyzed, int]]) -> None:
        """Rows that are not here, with their lengths in words."""
        with self._lock:
            for row, length in rows:
                self._rows[row.chunk] = self._fresh[row.chunk] = row
                self._lengths[row.chunk] = length
                self._words += length
                self._languages[row.language] += 1

    def remove(self, chunks: Iterable[int]) -> None:
        """Those that are here."""
        with self._lock:
            for chunk in chunks:
                row = self._rows.pop(chunk, None)
                if row is not None:
                    self._words -= self._lengths.pop(chunk)
                    self._languages[row.language] -= 1
                    self._fresh.pop(chunk, None)
                    self._counted.pop(chunk, None)
            if not self._rows:
                self._terms.clear()

    def languages(self) -> dict[str, int]:
        """How many rows are in each."""
        with self._lock:
            return {language: rows for language, rows in self._languages.items() if rows}

    def holds(self, term: str) -> bool:
        """Whether a row has it, or had."""
        with self._lock:
            self._count()
            return term in self._terms

    def beginning(self, start: str) -> list[str]:
        """Terms that begin so."""
        with self._lock:
            self._count()
            return [term for term in self._terms if term.startswith(start)]

    def matches(self, terms: Sequence[Asked]) -> Matches:
        with self._lock:
            self._count()
            postings = {asked.term: self._postings(asked.term) for asked in terms}
            return Matches(terms, len(self._rows), self._words, postings)

    def holding(self, ways: Sequence[Quoted]) -> list[int]:
        """Rows that hold a quotation, in one of the ways it may be written."""
        sought = [_sought(way) for way in ways]
        with self._lock:
            rows = list(self._rows.values())
        return [row.chunk for row in rows if any(each in f" {row.terms} " for each in sought)]

    def _count(self) -> None:
        for chunk, row in self._fresh.items():
            self._counted[chunk] = counted = Counter(row.terms.split(" "))
            self._terms.update(counted)
        self._fresh.clear()

    def _postings(self, term: str) -> list[Posting]:
        return [
            Posting(chunk, row[term], self._lengths[chunk])
            for chunk, row in self._counted.items()
            if term in row
        ]


def _sought(way: Quoted) -> str:
    whole = "".join(f" {term}" for term in way.terms)
    return f"{whole} " if way.start is None else f"{whole} {way.start}"
