"""What a text is found by: its words, folded to lower case, without accents and English endings.

Most of any text is a few thousand pieces between white space that come again and again, and what
they become is remembered: that makes it five times as fast.
"""

from itertools import chain

import tantivy
from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

from rag.ranking.analysis import MEMORABLE, query_words, words

_AROUND = "'\",.;:!?()[]*|"  # no word begins or ends with one of these
REMEMBERED = 50_000  # pieces, some 15 MB


class Folded(dict[str, tuple[str, ...]]):
    """Terms by piece: looked up, and worked out where they are not there."""

    def __init__(self, most: int = REMEMBERED) -> None:
        """
        Args:
            most: pieces that are remembered; one more, and it begins anew.
        """
        self._most = most
        self._analyzer = (
            TextAnalyzerBuilder(Tokenizer.whitespace())
            .filter(Filter.lowercase())
            .filter(Filter.ascii_fold())
            .filter(Filter.stemmer("English"))
            .build()
        )

    def __missing__(self, piece: str) -> tuple[str, ...]:
        bare = piece.strip(_AROUND)
        terms = self[bare] if bare != piece else self.of(words(piece))
        if len(piece) <= MEMORABLE:
            if len(self) >= self._most:
                self.clear()
            self[piece] = terms
        return terms

    def of(self, words: list[str]) -> tuple[str, ...]:
        return tuple(self._analyzer.analyze(" ".join(words)))


_FOLDED = Folded()


def terms_of(text: str) -> tuple[str, ...]:
    """In order, repetitions included."""
    return tuple(chain.from_iterable(map(_FOLDED.__getitem__, text.split())))


def terms_asked(question: str) -> tuple[str, ...]:
    """Of the distinct words that tell something."""
    return _FOLDED.of(query_words(question))


def as_they_are() -> tantivy.TextAnalyzer:
    """For an index that is given terms, separated by spaces."""
    return TextAnalyzerBuilder(Tokenizer.whitespace()).build()
