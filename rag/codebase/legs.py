"""The legs that look for what a question is about, and the chunks that they bring together."""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Literal as OneOf
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from rag.codebase.quoting import Held, frames, held
from rag.domain import Vectors
from rag.ranking.code.fusing import BROUGHT_IN, Fused, Place, fuse_legs
from rag.ranking.code.order import CodeCandidate
from rag.ranking.code.question import CodeQuestion
from rag.storage.code.store import Lookup, View
from rag.storage.library import Library
from rag.syntax.languages import DATA
from rag.syntax.outline import Outline
from rag.syntax.worth import is_vendored
from rag.trees import CodeFile
from rag.verbatim.needles import Expression, Literal

Verbatim: TypeAlias = OneOf["exact", "regex"]

FIELDS = {"body": 1.0, "path": 1.0, "name": 1.0, "scope": 0.5, "prose": 0.5}
"""Of the words leg, and how much a term counts in each."""

CANDIDATES = 300
"""Chunks that are ordered: past them, no signal made up for missing words."""

UNTRIED = 0.1  # share of meaning before its self-check

QUOTED_SECONDS = 0.3  # that looking for one quotation of a question may take
VERBATIM_SECONDS = 5.0  # and where nothing else is asked


class Meaning(Struct, frozen=True, eq=False):
    """A question's vector, and the model it is of."""

    model: str
    vector: Vectors
    weight: float | None = None
    """Share of meaning; None for what the repository's self-check found."""


class Found(Struct, frozen=True):
    """What the legs found in one state."""

    candidates: tuple[CodeCandidate, ...]
    outlines: Mapping[int, Outline]
    """Of the candidates' contents."""
    unread: int
    """Files that were not looked through for what is quoted."""


def find(
    question: CodeQuestion,
    view: View,
    only: Collection[int] | None,
    *,
    library: Library,
    meaning: Meaning | None,
) -> Found:
    """
    Args:
        only: files that may be found; all where None.
        meaning: None for words alone.
    """
    matches = library.code.search(view, Lookup(question.terms, FIELDS, CANDIDATES, only))
    words = {(each.file, each.part): each.score for each in matches}
    near = _near(view, only, library, meaning)
    quoted = list(_quoted(question, view, only, library))
    weight = _weight(view, library, meaning) if near else 0.0
    merged = fuse_legs(words, near, weight, {place for each in quoted for place in each.places})
    pointed = _pointed_at(question, view, only, library)
    least = BROUGHT_IN * max((each.relevance for each in merged.values()), default=1.0)
    merged = {place: Fused(least, ("frame",)) for place in pointed} | merged
    outlines = library.code.outlines(view.files[file] for file, _ in merged)
    candidates = (_candidate(place, each, view.files, outlines) for place, each in merged.items())
    return Found(
        tuple(_with_quotations(each, quoted) if quoted else each for each in candidates),
        outlines,
        sum(each.unread for each in quoted),
    )


def _near(
    view: View, only: Collection[int] | None, library: Library, meaning: Meaning | None
) -> dict[Place, float]:
    """Cosines of the chunks that mean most nearly what is asked."""
    if meaning is None:
        return {}
    dense = library.code.dense(view, meaning.model, len(meaning.vector))
    nearest = dense.nearest(meaning.vector, CANDIDATES if only is None else len(dense.files))
    allowed = ((f, p, cosine) for f, p, cosine in nearest if only is None or f in only)
    return {(file, part): cosine for file, part, cosine in islice(allowed, CANDIDATES)}


def _weight(view: View, library: Library, meaning: Meaning | None) -> float:
    if meaning is None:
        return 0.0
    if meaning.weight is not None:
        return meaning.weight
    checked = library.code.weight(view, meaning.model)
    return UNTRIED if checked is None else checked


def _quoted(
    question: CodeQuestion, view: View, only: Collection[int] | None, library: Library
) -> Iterator[Held]:
    """Where each quotation stands, or the lines that match."""
    seconds = QUOTED_SECONDS if question.terms else VERBATIM_SECONDS
    if question.expression:
        yield held(Expression(question.expression), view, only, seconds, library=library)
    for phrase in question.phrases:
        if phrase.strip():
            yield held(Literal(phrase), view, only, seconds, library=library)


def _pointed_at(
    question: CodeQuestion, view: View, only: Collection[int] | None, library: Library
) -> Iterator[Place]:
    """What a stack trace points at is looked at, whatever words it has."""
    named = list(frames(question, view, only))
    outlines = library.code.outlines(file for file, _ in named)
    for file, line in named:
        for part, chunk in enumerate(outlines[file.content].chunks):
            if chunk.start_line <= line <= chunk.end_line:
                yield file.id, part


def _candidate(
    place: Place,
    leg: Fused,
    files: Mapping[int, CodeFile],
    outlines: Mapping[int, Outline],
) -> CodeCandidate:
    file = files[place[0]]
    chunk = outlines[file.content].chunks[place[1]]
    return CodeCandidate(
        file.id,
        place[1],
        file.content,
        file.path,
        leg.relevance,
        chunk.defines,
        ".".join(chunk.symbol),
        chunk.start_line,
        chunk.end_line,
        is_foreign=file.generated or is_vendored(file.path),
        is_data=file.language in DATA,
        found_by=leg.found_by,
    )


def _with_quotations(candidate: CodeCandidate, quoted: list[Held]) -> CodeCandidate:
    place = (candidate.file, candidate.part)
    having = [each for each in quoted if place in each.places]
    if not having:
        return candidate
    return replace(
        candidate,
        lines=tuple(sorted({line for each in having for line in each.places[place]})),
        quotes=min(1.0, sum(each.rarity for each in having)),
    )
