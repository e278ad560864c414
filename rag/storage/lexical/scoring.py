"""BM25 as tantivy reckons it, so that rows in memory and rows on disk stand in one ranking.

Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009); the inverse document
frequency is Lucene's, ln(1 + (N - n + 0.5) / (n + 0.5)), which is never negative.
"""

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from rag.ranking.analysis.asking import Asked

K1, B = 1.2, 0.75  # tantivy's, which cannot be set


class Statistics(Struct, frozen=True):
    """What BM25 must know of all rows together."""

    rows: int
    words: int
    """In all rows."""
    rows_with: Mapping[str, int]
    """Of each term that is asked."""


def term_weight(term: str, statistics: Statistics) -> float:
    rows, having = statistics.rows, min(statistics.rows_with.get(term, 0), statistics.rows)
    return math.log(1 + (rows - having + 0.5) / (having + 0.5)) * (1 + K1)


def plain_score(terms: Sequence[Asked], statistics: Statistics) -> float:
    """Of a row of average length that says each of these words once, in one of its forms: whether
    a score is high is told by comparing it with this."""
    return sum(each.plain * term_weight(each.term, statistics) for each in terms) / (1 + K1)


def saturation(frequency: int, length: int, statistics: Statistics) -> float:
    """How much of a term's weight a row earns.

    Args:
        frequency: of the term in the row.
        length: of the row, in words.
    """
    average = statistics.words / statistics.rows if statistics.rows else 1.0
    norm = K1 * (1 - B + B * rounded_length(length) / (average or 1.0))
    return frequency / (frequency + norm)


def rounded_length(length: int) -> int:
    """To three bits after the leading one, beginning at 24: an index keeps a length in one byte
    (Lucene's `SmallFloat.intToByte4`)."""
    if length < _EXACT:
        return length
    above = length - _EXACT
    shift = max(0, above.bit_length() - 4)
    return _EXACT + (above >> shift << shift)


_EXACT = 24  # words up to which a length is kept as it is
