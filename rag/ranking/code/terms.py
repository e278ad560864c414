"""What code is found by: identifiers whole and in parts, words without their endings, numbers.

`parseHTTPResponse` is found by itself however it is written (`parse_http_response`), and by
`parse`, `http` and `response`. Scripts that write no spaces are taken two characters at a time.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain

import Stemmer  # type: ignore[import-not-found]  # ships no types

ANALYSIS = "code/1"
"""Changes with what a text becomes; an index of other terms is built again."""

_WORD = re.compile(r"\w+")
_PART = re.compile(
    r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_A-Za-z]+"  # HTTP|Response, v|2
)
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_LONGEST = 80  # characters of a word; longer ones are data, and only their beginning is kept
_REMEMBERED = 100_000  # words, some 30 MB
_stem = Stemmer.Stemmer("english").stemWord


class _Terms(dict[str, tuple[str, ...]]):
    """Terms by word: looked up, and worked out where they are not there."""

    def __missing__(self, word: str) -> tuple[str, ...]:
        terms = tuple(_terms(word[:_LONGEST]))
        if len(self) >= _REMEMBERED:
            self.clear()
        self[word] = terms
        return terms


_TERMS = _Terms()


def terms_of(text: str) -> Iterator[str]:
    """In order, repetitions included."""
    return chain.from_iterable(map(_TERMS.__getitem__, _WORD.findall(text)))


def terms_of_words(words: Iterable[str]) -> Iterator[str]:
    return chain.from_iterable(terms_of(word) for word in words)


def parts_of(identifier: str) -> list[str]:
    """`["parse", "http", "response"]`: as they are written, in lower case."""
    return [part.lower() for part in _PART.findall(identifier)]


def whole_of(identifier: str) -> str:
    """The same for `parseHttp`, `parse_http` and `PARSE_HTTP`."""
    return "".join(parts_of(identifier))


def stem(word: str) -> str:
    stemmed: str = _stem(word)
    return stemmed


def _terms(word: str) -> Iterator[str]:
    folded = word if word.isascii() else unicodedata.normalize("NFKC", word)
    if _UNSPACED.search(folded):
        yield from (folded[n : n + 2] for n in range(max(1, len(folded) - 1)))
        return
    parts = parts_of(folded)
    if len(parts) > 1:
        yield "".join(parts)
    yield from (_stem(part) for part in parts)
