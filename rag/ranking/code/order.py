"""Chunks that share words with a question -> their order, by what the words stand in.

BM25 does not know that a chunk defines what another only calls, that a file is named for what is
asked, or that a test says the same words as what it tests. Each of these is a factor on the score;
none looks at what else was found. Files are grouped afterwards, for the response.
"""

import posixpath
import re
from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

from rag.ranking.code.question import CodeQuestion
from rag.ranking.code.terms import parts_of, stem, terms_of, whole_of


class CodeCandidate(Struct, frozen=True):
    """A chunk that a leg returned."""

    file: int
    part: int
    """Its place among the chunks of its file."""
    content: int
    """The same for files with the same content."""
    path: str
    relevance: float
    """What the legs say of it, on any scale that all candidates share."""
    defines: tuple[str, ...] = ()
    """Names whose definitions begin in it."""
    symbol: str = ""
    start_line: int = 1
    end_line: int = 1
    is_foreign: bool = False
    """Written by a program, or a copy of somebody else's code."""
    is_data: bool = False
    """No code: a document, data, markup."""
    found_by: tuple[str, ...] = ("words",)
    lines: tuple[int, ...] = ()
    """Those that hold what is quoted."""
    quotes: float = 0.0
    """What it tells that it holds them, 0 to 1: much where little else does."""


class CodeRanked(Struct, frozen=True):
    candidate: CodeCandidate
    score: float


NAMED = 0.9
"""Added where the chunk defines a name that the question mentions."""

ASKED = 3.0
"""Added where its definition is what the question asks for."""

SPOKEN = 0.6
"""Added where the words of a name it defines are all in the question."""

STEM = 0.6
"""Added where all words of the file's name are in the question; in proportion where some are."""

PLACE = 4.0
"""Added where the question names the file, and the line if it names one."""

QUOTED = 2.0
"""Added where the chunk holds what is quoted; in proportion to what that tells."""

TEST = 0.45
EXAMPLE = 0.45
DATA = 0.4
OLD = 0.7
"""Factors of files that say the same words as others and are seldom what is looked for."""

_TEST = re.compile(
    r"(^|/)(tests?|specs?|__tests__|testing|testdata|test_data|fixtures?|mocks?|benchmarks?|bench"
    r"|e2e|unittests?)/|(^|/)(test_[^/]*|conftest\.py|[^/]*[_.-](test|tests|spec|bench)\.\w+"
    r"|[^/]*(Test|Tests|TestCase|Spec|IT)\.(java|kt|scala|cs|php|swift))$",
)
_EXAMPLE = re.compile(r"(^|/)(_?examples?|samples?|demos?|tutorials?|playground|docs?|website)/")
_SAYS_NOTHING = frozenset({"index", "mod", "__init__", "init", "main", "lib"})
_OLD = re.compile(r"(^|/)(compat|_compat|legacy|deprecated|polyfills?|shims?|attic)(/|\.|_)")


def order(question: CodeQuestion, candidates: Sequence[CodeCandidate]) -> list[CodeRanked]:
    """Best first. Scores are relevances times what the signals make of them."""
    ranked = [CodeRanked(each, each.relevance * _factor(question, each)) for each in candidates]
    return sorted(ranked, key=lambda each: (-each.score, each.candidate.path, each.candidate.part))


def _factor(question: CodeQuestion, chunk: CodeCandidate) -> float:
    return (
        1
        + _definition(question, chunk)
        + _file_name(question, chunk)
        + _place(question, chunk)
        + QUOTED * chunk.quotes
    ) * _standing(question, chunk)


def _definition(question: CodeQuestion, chunk: CodeCandidate) -> float:
    best = 0.0
    for name in chunk.defines:
        whole, parts = _name_facts(name)
        if whole in question.defined and not _is_constructor(chunk, name):
            return ASKED
        if whole in question.names:
            best = max(best, NAMED)
        elif best < SPOKEN and len(parts) > 1 and parts <= question.words:
            best = SPOKEN
    return best


def _is_constructor(chunk: CodeCandidate, name: str) -> bool:
    """Whether it is the method that has its class's name: that class is what is asked for. Exactly
    its name: a module `ignored_any` is where an `IgnoredAny` is defined."""
    return chunk.symbol.split(".")[-2:] == [name, name]


def _file_name(question: CodeQuestion, chunk: CodeCandidate) -> float:
    words = _path_facts(chunk.path).words
    return STEM * len(words & question.words) / len(words) if words else 0.0


def _place(question: CodeQuestion, chunk: CodeCandidate) -> float:
    for path, line in question.places:
        if chunk.path == path or chunk.path.endswith("/" + path) or path.endswith("/" + chunk.path):
            holds = line == 0 or chunk.start_line <= line <= chunk.end_line
            return PLACE if holds else PLACE / 4
    return 0.0


def _standing(question: CodeQuestion, chunk: CodeCandidate) -> float:
    path = _path_facts(chunk.path)
    factor = 1.0
    if path.is_test and not question.wants_tests:
        factor *= TEST
    if not question.wants_documents:
        if path.is_example:
            factor *= EXAMPLE
        if chunk.is_data:
            factor *= DATA
    return factor * (OLD if chunk.is_foreign or path.is_old else 1)


def is_test(path: str) -> bool:
    """Whether a file tests others, or helps those that do."""
    return _path_facts(path).is_test


class _PathFacts(Struct, frozen=True):
    words: frozenset[str]
    """Of the name that tells what it is about: the file's, or its folder's."""
    is_test: bool
    is_example: bool
    is_old: bool


@lru_cache(50_000)
def _path_facts(path: str) -> _PathFacts:
    folder, name = posixpath.split(path)
    bare = name.split(".", 1)[0]
    if bare.lower() in _SAYS_NOTHING:
        bare = posixpath.basename(folder)
    return _PathFacts(
        frozenset(terms_of(bare)),
        _TEST.search(path) is not None,
        _EXAMPLE.search(path) is not None,
        _OLD.search(path) is not None,
    )


@lru_cache(100_000)
def _name_facts(name: str) -> tuple[str, frozenset[str]]:
    """Whole, and the stems of its parts."""
    return whole_of(name), frozenset(map(stem, parts_of(name)))
