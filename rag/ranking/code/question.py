"""Reading a question about code without a model: names, paths, quotations, frames, filters.

`where is RetryPolicy defined lang:py path:src/**` asks for a definition, in one language and one
folder. What is left over is words. An issue's worth of text is reduced to what tells something.
"""

import re
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from rag.ranking.code.terms import terms_of, whole_of


class CodeQuestion(Struct, frozen=True):
    text: str
    terms: dict[str, float]
    """What the words leg looks for, and how much each counts."""
    names: tuple[str, ...] = ()
    """Identifiers that it mentions, folded by `whole_of`."""
    defined: tuple[str, ...] = ()
    """Those whose definition is asked for."""
    words: frozenset[str] = frozenset()
    """All its terms that tell something, stemmed."""
    phrases: tuple[str, ...] = ()
    """What stands in quotation marks, or is an error's message, to be found as it is."""
    expression: str = ""
    """Between slashes, if it is nothing else: a regular expression."""
    places: tuple[tuple[str, int], ...] = ()
    """Files and lines that it names, as the frames of a stack trace do; line 0 for a file alone."""
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    """Patterns after `path:`."""
    wants_tests: bool = False
    wants_documents: bool = False


MOST_TERMS = 40
"""Of a long text: those that come again and again, or look like code, say what it is about."""

MOST_READ = 20_000  # characters of a question; what an issue is about stands at its beginning
_LONG_WORD = re.compile(r"(\S{200})\S+")
"""No name is so long, and the patterns below take the square of its length."""

MOST_PHRASES = 8  # of a question that are looked for as they stand

_UNTELLING = """
a about above after again all also am an and any are as at be because been before being below
between both but by can cannot could did do does doing don down during each else every few for
from further get gets got had has have having he her here hers him his how however i if in into is
it its itself just let like may me might more most my need no nor not now of off on once only or
other our out over own please same she should so some such than that the their them then there
these they this those through to too under until up us use used uses using very want was way we
were what when where which while who whom why will with would you your
implemented implementation implements located codebase code
"""
_STOP = frozenset(_UNTELLING.split())

_FILTER = re.compile(r"(?<!\S)(lang|language|path|file):(\"[^\"]+\"|\S+)", re.IGNORECASE)
_PHRASE = re.compile(r"\"([^\"\n]{3,200})\"|“([^”\n]{3,200})”|`([^`\n]{3,200})`")
_MESSAGE = re.compile(
    r"^[\w.:]*(?:Error|Exception|panic|panicked at [^\n]*): *(\S[^\n]{7,199})$", re.M
)
_EXPRESSION = re.compile(r"/(.+)/")
_FRAME = re.compile(
    r"(?:File \")?((?:[\w.@+-]+/)*[\w.@+-]+\.[A-Za-z]\w{0,7})(?:\", line (\d+)|:(\d+)|\((\d+)\))"
)
_PATH = re.compile(r"(?<![\w/:])((?:[\w.@+-]+/)+[\w.@+-]+|[\w-]+\.[a-z]{1,4})(?![\w/(])")
_NAME = re.compile(r"[^\W\d]\w*(?:(?:\.|::|->|#)[^\W\d]\w*)*")
_LOOKS_LIKE_CODE = re.compile(r"[a-z0-9][A-Z]|\w_\w|\.\w|::|->|^_|^[A-Z]{2,}$|[A-Z]{2,}[a-z]|\d")
_DEFINED = (
    re.compile(
        r"\b(?:where|how)\s+(?:is|are|was)\s+(?:the\s+)?(?:\w+\s+)??`?([\w.:]+)`?(?:\(\))?\s+"
        r"(?:function\s+|class\s+|method\s+|type\s+|struct\s+)?"
        r"(?:defined|declared|implemented|located)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:definition|declaration|implementation)\s+of\s+(?:the\s+)?(?:\w+\s+)??`?([\w.:]+)`?"
        r"(?:\s+(?:function|class|method|type|struct))?\s*\??$",
        re.IGNORECASE,
    ),
    re.compile(
        r"^(?:class|def|fn|func|function|struct|interface|trait|type|enum|module|impl|protocol)\s+"
        r"`?([\w.:]+)`?$"
    ),
)
_TESTS = re.compile(
    r"\b(tests?|specs?|testing|test[_-]?cases?|fixtures?|mocks?|benchmarks?)\b", re.I
)
_DOCUMENTS = re.compile(
    r"\b(readme|docs?|documentation|changelog|example|examples|tutorial)\b", re.I
)


def read_question(text: str) -> CodeQuestion:
    text = _LONG_WORD.sub(r"\1", text[:MOST_READ])
    filters = list(_FILTER.finditer(text))
    bare = _FILTER.sub(" ", text).strip()
    expression = _EXPRESSION.fullmatch(bare)
    defined = tuple(dict.fromkeys(_asked_definitions(bare)))
    names = dict.fromkeys([*defined, *map(whole_of, map(_last, _names(bare)))])
    terms = _weighted(bare)
    return CodeQuestion(
        bare,
        terms,
        tuple(name for name in names if len(name) > 1),
        defined,
        frozenset(terms),
        tuple(dict.fromkeys(_phrases(bare)))[:MOST_PHRASES],
        expression[1] if expression else "",
        tuple(dict.fromkeys(_places(bare))),
        tuple(value.strip('"') for kind, value in _values(filters) if kind.startswith("lang")),
        tuple(value.strip('"') for kind, value in _values(filters) if kind in {"path", "file"}),
        _TESTS.search(bare) is not None,
        _DOCUMENTS.search(bare) is not None,
    )


def _phrases(text: str) -> Iterator[str]:
    """A name by itself is a word, and found as one: as a phrase it helps all that only use it."""
    for match in _PHRASE.finditer(text):
        phrase = next(filter(None, match.groups()))
        if not phrase.isidentifier():
            yield phrase
    for match in _MESSAGE.finditer(text):
        yield match[1].strip()


def _values(filters: list[re.Match[str]]) -> Iterator[tuple[str, str]]:
    return ((match[1].lower(), match[2]) for match in filters)


def _asked_definitions(text: str) -> Iterator[str]:
    for pattern in _DEFINED:
        for match in pattern.finditer(text):
            yield whole_of(_last(match[1]))
    if re.fullmatch(_NAME, text):  # nothing but a name
        yield whole_of(_last(text))


def _names(text: str) -> Iterator[str]:
    """Words that are written as code is. A single capital says little at the start of a sentence,
    and something elsewhere."""
    for match in _NAME.finditer(text):
        word = match[0]
        is_proper = word[0].isupper() and match.start() > 0 and word[1:].islower()
        is_called = text[match.end() : match.end() + 1] == "("
        if _LOOKS_LIKE_CODE.search(word) or is_proper or is_called:
            yield word


def _last(name: str) -> str:
    return re.split(r"\.|::|->|#|:", name.strip(".:"))[-1]


def _places(text: str) -> Iterator[tuple[str, int]]:
    for match in _FRAME.finditer(text):
        yield match[1], int(match[2] or match[3] or match[4])
    for match in _PATH.finditer(text):
        yield match[1], 0


def _weighted(text: str) -> dict[str, float]:
    """Terms of the words that tell something; of a long text, those that tell most."""
    words = [word for word in re.findall(r"\w+", text) if word.lower() not in _STOP]
    kept = words or re.findall(r"\w+", text)
    counts = Counter(term for word in kept for term in terms_of(word))
    if len(counts) <= MOST_TERMS:
        return dict.fromkeys(counts, 1.0)
    of_names = {term for word in kept if _LOOKS_LIKE_CODE.search(word) for term in terms_of(word)}
    early = set(list(counts)[: MOST_TERMS // 2])  # a title comes first
    worth = {
        term: count + 3 * (term in of_names) + 2 * (term in early) for term, count in counts.items()
    }
    best = sorted(worth, key=lambda term: -worth[term])[:MOST_TERMS]
    return dict.fromkeys(best, 1.0)
