"""What a question asks an index for: its telling words, as each language of the index has them."""

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from rag.ranking.analysis.compounds import splits
from rag.ranking.analysis.folding import fold, respelled
from rag.ranking.analysis.languages import votes
from rag.ranking.analysis.stopwords import STOP_WORDS
from rag.ranking.analysis.terms import USUAL, term_of
from rag.ranking.analysis.words import BESIDE, MAX_QUERY_WORDS, runs, words_of

PART = 0.4
"""Of a word's weight, for the parts of a compound. nDCG@10 of German questions (XQuAD): 0.942
without parts, 0.948 at 0.3, 0.949 at 0.5, 0.947 at 1."""

BEGUN = 50  # words that a beginning stands for, the most frequent ones

_BEGINNING = re.compile(r"(?<!\S)([^\W_]{2,})\*(?!\S)")


class Asked(Struct, frozen=True):
    """A term, and what it counts."""

    term: str
    weight: float = 1.0
    plain: float = 1.0
    """Of the words that were asked: a word with several forms is one all the same."""


class Vocabulary(Protocol):
    """The terms of an index."""

    @property
    def languages(self) -> Sequence[str]:
        """Of its texts."""
        ...

    def holds(self, term: str) -> bool: ...

    def beginning(self, start: str, most: int) -> Iterable[str]:
        """Its most frequent terms that begin so."""
        ...


def terms_asked(question: str, vocabulary: Vocabulary) -> tuple[Asked, ...]:
    """Of the distinct words that tell something. What is asked in two forms of a word counts twice;
    a word that ends in `*` stands for all that begin so."""
    begun = [match[1] for match in _BEGINNING.finditer(question)]
    found = [each for start in begun for each in _begun(start, vocabulary)]
    for word in _telling(_distinct(_BEGINNING.sub(" ", question)), bool(begun)):
        found += _forms(word, vocabulary)
        found += [Asked(term, PART, 0.0) for term in splits(word, vocabulary)]
    return _added(found)


def _begun(start: str, vocabulary: Vocabulary) -> list[Asked]:
    terms = list(vocabulary.beginning(fold(start.lower()), BEGUN))
    return [Asked(term, 1.0, 1 / len(terms)) for term in terms]


def _added(found: Iterable[Asked]) -> tuple[Asked, ...]:
    """Each term once."""
    sums: dict[str, Asked] = {}
    for each in found:
        former = sums.get(each.term, Asked(each.term, 0.0, 0.0))
        sums[each.term] = Asked(each.term, former.weight + each.weight, former.plain + each.plain)
    return tuple(sums.values())


def _distinct(question: str) -> list[str]:
    """Words in the case they are written in, which Turkish needs to know."""
    found = (word for run in runs(question) for word in words_of(run, is_asked=True))
    return list({word.lower(): word for word in (each.lstrip(BESIDE) for each in found)}.values())


def _telling(words: Sequence[str], is_enough: bool) -> Sequence[str]:
    """Without the stop words of the question's language, unless there is nothing else."""
    lower = [word.lower() for word in words]
    found = votes(lower)
    most = max(found.values(), default=0)
    stops = [STOP_WORDS[language] for language, votes in found.items() if votes == most]
    telling = [
        word
        for word, small in zip(words, lower, strict=True)
        if not any(small in listed for listed in stops)
    ]
    return telling[:MAX_QUERY_WORDS] if telling or is_enough else words[:MAX_QUERY_WORDS]


def _forms(word: str, vocabulary: Vocabulary) -> list[Asked]:
    """What a word is in each language of the index; spelled otherwise where it has none."""
    languages = vocabulary.languages or (USUAL,)
    terms = list(dict.fromkeys(filter(None, (term_of(word, each) for each in languages))))
    there = [term for term in terms if vocabulary.holds(term)]
    small = word.lower()
    if not there or not small.isascii():
        others = (term_of(other, each) for other in respelled(small) for each in languages)
        there = list(dict.fromkeys([*there, *filter(vocabulary.holds, others)]))
    forms = there or terms[:1]  # what no row has says something of the question all the same
    return [Asked(term, 1.0, 1 / len(forms)) for term in forms]
