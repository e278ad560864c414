"""What a text is found by: its words without case, accents and endings, as its language has them.

Most of any text is a few thousand pieces between white space that come again and again, and what
they become is remembered, by language.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from rag.ranking.analysis.folding import fold, lower
from rag.ranking.analysis.languages import language_of
from rag.ranking.analysis.stemming import stem, stem_latin
from rag.ranking.analysis.words import BESIDE, MAX_WORD, RUN, is_plain, normal, words_of

ANALYSIS = "3"
"""Changes whenever a text becomes other terms: an index built by another version is rebuilt."""

USUAL = "en"
"""Of a text that does not tell, in a document that does not."""

MEMORABLE = 32  # characters; longer pieces (and sentences without spaces) hardly ever come again
REMEMBERED = 50_000  # pieces of one language, twice over: at most some 20 MB

_AROUND = "'\",.;:!?()[]*|"  # no word begins or ends with one of these
_JOINING = "-.,'_#+"  # what may stand within a word
_APART = str.maketrans(
    {chr(n): " " for n in range(128) if not chr(n).isalnum() and chr(n) not in _JOINING}
)
_APART_TOO = ('"', "(", ")", ":", ";", "|")
"""The most frequent of them: to translate what is not ASCII takes longer than all of the rest."""


class Terms(Struct, frozen=True):
    """What a text is found by."""

    language: str
    text: str
    """Its terms in order, then those besides; between spaces."""


def terms_of(text: str, around: str | None = None) -> Terms:
    """
    Args:
        around: language of the document, for a part of it that does not tell.
    """
    text = normal(text)
    pieces = _pieces(text)
    distinct = frozenset(pieces)
    language = language_of(text, distinct) or around or USUAL
    remembered = _OF[language]
    remembered.learn(distinct)
    found = " ".join(filter(None, map(remembered.__getitem__, pieces)))
    if BESIDE in found:
        found = _moved_behind(found)
    return Terms(language, found)


def _pieces(text: str) -> list[str]:
    if text.isascii():
        text = text.translate(_APART)
    else:
        for sign in _APART_TOO:
            text = text.replace(sign, " ")
    return text.replace(". ", " ").replace(", ", " ").split()


def _moved_behind(terms: str) -> str:
    """What is besides the words comes after the last of them, so that these stand side by side."""
    beside = " ".join(_BESIDE.findall(terms))
    return f"{_BESIDE.sub('', terms).rstrip()} {beside}".lstrip()


_BESIDE = re.compile(rf"{BESIDE}(\S+) ?")


class Remembered(dict[str, str]):
    """What pieces become in one language: looked up, and worked out where they are not there."""

    def __init__(self, language: str, most: int = REMEMBERED) -> None:
        """
        Args:
            most: pieces, beyond which those that did not come again since are forgotten.
        """
        self._language = language
        self._most = most
        self._former: dict[str, str] = {}

    def learn(self, pieces: Iterable[str]) -> None:
        """Works out those that are not there and one word each, as most are: many words at once
        take a tenth of the time that they take one by one."""
        new = [piece.strip(_AROUND) for piece in pieces if piece not in self]
        words = [piece for piece in new if len(piece) <= MEMORABLE and is_plain(piece)]
        if words:
            self._make_room()
            self.update(zip(words, _terms_of_latin(words, self._language), strict=True))

    def __missing__(self, piece: str) -> str:
        bare = piece.strip(_AROUND)
        terms = self[bare] if bare != piece else self._former.get(piece)
        if terms is None:
            terms = self._worked_out(piece)
        if len(piece) <= MEMORABLE:
            self._make_room()
            self[piece] = terms
        return terms

    def _make_room(self) -> None:
        if len(self) >= self._most:
            self._former = self.copy()
            self.clear()

    def _worked_out(self, piece: str) -> str:
        parts = piece.split("-")
        if not all(map(is_plain, parts)):
            return " ".join(self._terms(piece))
        if len(parts) == 1:
            return term_of(piece[:MAX_WORD], self._language)
        whole = BESIDE + term_of("".join(parts)[:MAX_WORD], self._language)
        return " ".join([*map(self.__getitem__, parts), whole])

    def _terms(self, piece: str) -> Iterator[str]:
        for run in RUN.findall(piece):
            for word in words_of(run):
                bare = word.lstrip(BESIDE)
                if term := self[bare] if is_plain(bare) else term_of(bare, self._language):
                    yield BESIDE + term if word[0] == BESIDE else term


class _ByLanguage(dict[str, Remembered]):
    def __missing__(self, language: str) -> Remembered:
        return self.setdefault(language, Remembered(language))


_OF = _ByLanguage()


def term_of(word: str, language: str) -> str:
    """What a word is found by in texts of this language; nothing, where it is marks alone."""
    return fold(stem(lower(word, language), language))


def _terms_of_latin(words: Sequence[str], language: str) -> list[str]:
    """The same for many words at once, whose letters are Latin."""
    return [fold(stem) for stem in stem_latin([lower(word, language) for word in words], language)]
