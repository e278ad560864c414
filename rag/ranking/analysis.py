"""How a text becomes the words that are searched: the same for documents and for questions.

Scripts that write spaces give words. Scripts that do not (Chinese, Japanese, Thai ...) and Korean,
which glues particles to its nouns, give overlapping pairs of characters. A name from code or a
compound gives itself whole and its parts: `parseHTTPReply` is also `parse`, `HTTP` and `Reply`.
Lower case, accents and English endings are folded by the index, equally on both sides.

    >>> words("The IL-2 receptor of get_user at 3.14")
    ['The', 'IL2', 'IL', '2', 'receptor', 'of', 'get_user', 'get', 'user', 'at', '3.14']
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

ANALYSIS = "2"
"""Changes whenever `words` gives other words: an index built by another version is rebuilt."""

MAX_WORD = 100  # characters; longer runs are encoded data, of which the head is enough to find it
MEMORABLE = 32  # characters; longer runs (and sentences without spaces) hardly ever come again
MAX_QUERY_WORDS = 200  # distinct words; a question of more is a document, and its cost is linear

# Marks belong to the letter before them, but are no `\w` to Python: whole blocks of scripts whose
# vowels are marks, and the combining marks of the others.
_MARKS = "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
_INDIC = "\u0900-\u0963\u0966-\u0dff"  # without the two dandas, which are full stops
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3040-\u30ff\u3105-\u312f\u31f0-\u31ff"  # kana, bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"  # Hangul
    "々〆〇"
)
_LETTER = rf"[\w{_MARKS}{_INDIC}{_UNSPACED}]"
_SPACED = rf"(?: [^\W{_UNSPACED}] | [{_MARKS}{_INDIC}] )"
_RUN = re.compile(rf"{_LETTER}+(?:[-‐‑.,'’]{_LETTER}+)*")  # joined by what may belong to a word
_PIECE = re.compile(
    rf"""
      (?P<unspaced> [{_UNSPACED}]+ )
    | (?P<number>   \d+ (?: [.,]\d+ )+ )
    | (?P<compound> {_SPACED}+ (?: [-‐‑] {_SPACED}+ )* )
    """,
    re.VERBOSE,
)
_CLITIC = re.compile(r"['’](?:s|t|re|ve|ll|d|m)\b", re.IGNORECASE)  # Ohm's, don't, we'll
_PART = re.compile(
    rf"""
      [A-ZÀ-ÖØ-Þ]? [a-zà-öø-ÿ]+ (?=[A-ZÀ-ÖØ-Þ])   # camel|Case
    | [A-ZÀ-ÖØ-Þ]+ (?=[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ])       # HTTP|Reply
    | (?: [^\W\d_] | [{_MARKS}{_INDIC}] )+
    | \d+
    """,
    re.VERBOSE,
)
_EXPONENT = re.compile(r"(?<=\d)(?=[⁰¹²³⁴-⁹₀-₉])")
"""Between a number and what is raised or lowered beside it: 10² is 10 and 2, never 102."""
_HYPHEN = re.compile("[-‐‑]")

STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are as at be because been before being below
    between both but by can could did do does doing down during each few for from further had has
    have having he her here hers him his how i if in into is it its itself just me more most my
    no nor not now of off on once only or other our ours out over own same she should so some such
    than that the their theirs them then there these they this those through to too under until up
    very was we were what when where which while who whom why will with would you your yours
    """.split()  # noqa: SIM905 - 120 quoted words are harder to read
)
"""English words so common that they rank nothing, and cost a search the most."""


def words(text: str) -> list[str]:
    """The words of a text in order, repetitions included."""
    found: list[str] = []
    if not text.isascii():  # of which neither would change anything
        text = unicodedata.normalize("NFKC", _EXPONENT.sub(" ", text))
    for run in _RUN.findall(text):
        found += _frequent(run) if len(run) <= MEMORABLE else _words(run)
    return found


def query_words(text: str) -> list[str]:
    """The distinct words to ask for: without stop words, unless there is nothing else."""
    distinct = list({word.lower(): None for word in words(text)})
    telling = [word for word in distinct if word not in STOP_WORDS]
    return (telling or distinct)[:MAX_QUERY_WORDS]


@lru_cache(maxsize=65_536)
def _frequent(run: str) -> tuple[str, ...]:
    # a few thousand runs make up most of any text: remembering them pays
    return tuple(_words(run))


def _words(run: str) -> Iterator[str]:
    if run.isascii() and run.isalpha() and (run.islower() or run.istitle() or run.isupper()):
        yield run[:MAX_WORD]
        return
    for found in _PIECE.finditer(_CLITIC.sub("", run)):
        word = found.group()
        if found.lastgroup == "unspaced":
            yield from _pairs(word)
        elif found.lastgroup == "number":
            yield word[:MAX_WORD]
        else:
            yield from _whole_and_parts(word)


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for i in range(len(run) - 1):
        yield run[i : i + 2]


def _whole_and_parts(word: str) -> Iterator[str]:
    pieces = [piece for piece in _HYPHEN.split(word) if piece.strip("_")]
    if len(pieces) > 1:
        yield "".join(pieces)[:MAX_WORD]
    for piece in pieces:
        yield piece[:MAX_WORD]
        if not (piece.islower() and piece.isalpha()) and not piece.isdigit():
            parts = _PART.findall(piece)
            if len(parts) > 1:
                yield from (part[:MAX_WORD] for part in parts)
