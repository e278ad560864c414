"""How a text is cut into words, in every script: the same for documents and for questions.

Scripts that write spaces give words. Those that do not, and Korean, which glues particles to its
nouns, give overlapping pairs. A name from code or a compound gives its parts in their place, and
besides, itself: `get_user`, `getUser` and `get-user` are all `get`, `user` and `getuser`.

    >>> words("The IL-2 receptor of get_user at 3.14")
    ['The', 'IL', '2', 'receptor', 'of', 'get', 'user', 'at', '3.14', 'IL2', 'getuser']
"""

import re
import unicodedata
from collections.abc import Iterator

from rag.ranking.analysis.scripts import INDIC, LETTER, MARKS, SPACED, UNSPACED
from rag.ranking.analysis.stopwords import STOP_WORDS
from rag.ranking.analysis.unspaced import pairs, singles, singles_asked

MAX_WORD = 100  # characters; longer runs are encoded data, of which the head is enough to find it
MAX_QUERY_WORDS = 200  # distinct words; a question of more is a document, and its cost is linear

BESIDE = "\x1f"
"""Begins what a piece of text is found by besides its words, and what is in no phrase."""

RUN = re.compile(
    rf"""
      (?<!\w)[A-Za-z](?:\+\+|\#)(?!\w)          # C++, F#
    | {LETTER}+(?:[-‐‑.,'’]{LETTER}+)*          # joined by what may belong to a word
    """,
    re.VERBOSE,
)
_PIECE = re.compile(
    rf"""
      (?P<unspaced> [{UNSPACED}]+ )
    | (?P<number>   (?<![^\W\d_]) [vV]? \d+ (?: [.,]\d+ )+ )
    | (?P<symbol>   [A-Za-z] (?: \+\+ | \# ) )
    | (?P<compound> {SPACED}+ (?: [-‐‑.] {SPACED}+ )* )
    """,
    re.VERBOSE,
)
_CLITIC = re.compile(r"['’](?:s|t|re|ve|ll|d|m)\b", re.IGNORECASE)  # Ohm's, don't, we'll
_PART = re.compile(
    rf"""
      [A-ZÀ-ÖØ-Þ]? [a-zà-öø-ÿ]+ (?=[A-ZÀ-ÖØ-Þ])   # camel|Case
    | [A-ZÀ-ÖØ-Þ]+ (?=[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ])       # HTTP|Reply
    | (?: [^\W\d_] | [{MARKS}{INDIC}] )+
    | \d+
    """,
    re.VERBOSE,
)
_EXPONENT = re.compile(r"(?<=\d)(?=[⁰¹²³⁴-⁹₀-₉])")
"""Between a number and what is raised or lowered beside it: 10² is 10 and 2, never 102."""
_JOINT = re.compile("[-‐‑.]")


def words(text: str) -> list[str]:
    """The words of a text in order, repetitions included; then what it is found by besides."""
    found = [word for run in runs(text) for word in words_of(run)]
    beside = [word[1:] for word in found if word[0] == BESIDE]
    return [word for word in found if word[0] != BESIDE] + beside


def query_words(text: str) -> list[str]:
    """The distinct words to ask for: without English stop words, unless there is nothing else."""
    distinct = list({word.lower(): None for word in words(text)})
    telling = [word for word in distinct if word not in STOP_WORDS["en"]]
    return (telling or distinct)[:MAX_QUERY_WORDS]


def runs(text: str) -> list[str]:
    """What may be words."""
    return RUN.findall(normal(text))


def normal(text: str) -> str:
    """Widths and ligatures folded, and letters composed."""
    if text.isascii():  # which none of it would change
        return text
    return unicodedata.normalize("NFKC", _EXPONENT.sub(" ", text))


def is_plain(run: str) -> bool:
    """Whether it is one word of Latin letters, or a number without signs, as most are."""
    return _PLAIN(run) is not None


_PLAIN = re.compile("[A-ZÀ-ÖØ-Þ]?[a-zß-öø-ÿ]+|[A-ZÀ-ÖØ-Þ]+|[0-9]+").fullmatch


def words_of(run: str, *, is_asked: bool = False) -> Iterator[str]:
    """In order, those besides them marked.

    Args:
        is_asked: it stands in a question.
    """
    if is_plain(run):
        yield run[:MAX_WORD]
        return
    for found in _PIECE.finditer(_CLITIC.sub("", run)):
        word = found.group()
        if found.lastgroup == "unspaced":
            yield from pairs(word)
            yield from (BESIDE + one for one in (singles_asked if is_asked else singles)(word))
        elif found.lastgroup == "number":
            yield from _number(word.lstrip("vV"))
        elif found.lastgroup == "symbol":
            yield word
        else:
            yield from _parts_and_whole(word)


def _number(number: str) -> Iterator[str]:
    """As a reader would write it plainly; beside it, what else it may be: 1.234 may be a
    thousand, and 12.05.2018 has three parts."""
    groups = re.split("[.,]", number[:MAX_WORD])
    marks = re.findall("[.,]", number[:MAX_WORD])
    is_grouped = len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:-1])
    if len(groups) == 2:
        yield ".".join(groups)
        if len(groups[1]) == 3 and is_grouped:
            yield BESIDE + "".join(groups)
    elif is_grouped and len(set(marks)) == 1 and len(groups[-1]) == 3:
        yield "".join(groups)
    elif is_grouped and len(set(marks[:-1])) == 1 and marks[-1] != marks[0]:
        yield "".join(groups[:-1]) + "." + groups[-1]
    else:
        yield ".".join(groups)
        yield from (BESIDE + group for group in groups)


def _parts_and_whole(word: str) -> Iterator[str]:
    pieces = [piece for piece in _JOINT.split(word) if piece.strip("_")]
    found = [_parts(piece) for piece in pieces]
    for parts in found:
        yield from (part[:MAX_WORD] for part in parts)
    wholes = ["".join(parts) for parts in found]
    if len(pieces) > 1:
        yield BESIDE + "".join(wholes)[:MAX_WORD]
    for whole, parts in zip(wholes, found, strict=True):
        if len(parts) > 1:
            yield BESIDE + whole[:MAX_WORD]


def _parts(piece: str) -> list[str]:
    if (piece.islower() and piece.isalpha()) or piece.isdigit():
        return [piece]
    return _PART.findall(piece) or [piece]
