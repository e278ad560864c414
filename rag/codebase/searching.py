"""A question about code -> hits: read it, ask each leg, order, group, cut the text."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from fnmatch import translate
from itertools import islice
from typing import Literal, TypeAlias

from msgspec import Struct

from rag.domain import Vectors
from rag.ranking.code.fusing import Fused, fuse_legs
from rag.ranking.code.grouping import SHARE, SHARE_OF_USES, Group, by_file, by_span
from rag.ranking.code.order import CodeCandidate, order
from rag.ranking.code.question import CodeQuestion, read_question
from rag.storage.code.store import Lookup, View
from rag.storage.library import Library
from rag.syntax.languages import DATA, language_named
from rag.syntax.outline import Outline
from rag.syntax.worth import is_vendored
from rag.trees import CodeFile, Repository, Snapshot

GroupBy: TypeAlias = Literal["file", "span"]

FIELDS = {"body": 1.0, "path": 1.0, "name": 1.0, "scope": 0.5, "prose": 0.5}
"""Of the words leg, and how much a term counts in each."""

CANDIDATES = 300
"""Chunks that are ordered: past them, no signal made up for missing words."""


class CodeQuery(Struct, frozen=True):
    text: str
    k: int = 10
    ref: str | None = None
    """None for what was indexed last."""
    group_by: GroupBy = "file"
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    """Patterns, or beginnings, of which a path must match one."""


class CodeSpan(Struct, frozen=True):
    start_line: int
    end_line: int
    symbol: str
    score: float


class CodeHit(Struct, frozen=True):
    """A span of a file, with its lines; the best one of its file where hits are files."""

    repository: str
    path: str
    start_line: int
    end_line: int
    symbol: str
    kind: str
    signature: str
    language: str
    score: float
    text: str
    found_by: tuple[str, ...]
    more: tuple[CodeSpan, ...] = ()
    """Further spans of the same file, best first."""
    copies: tuple[str, ...] = ()
    """Other paths with the same content."""


class CodeResult(Struct, frozen=True):
    hits: tuple[CodeHit, ...]
    searched: tuple[Snapshot, ...]
    """What was searched, at which commit, and how complete it is."""


UNTRIED = 0.1  # share of meaning before its self-check
MORE = 4  # further spans of a file that a hit lists


class Meaning(Struct, frozen=True, eq=False):
    """A question's vector, and the model it is of."""

    model: str
    vector: Vectors
    weight: float | None = None
    """Share of meaning; None for what the repository's self-check found."""


def search_code(
    asked: CodeQuery,
    repositories: Sequence[Repository],
    *,
    library: Library,
    meaning: Meaning | None = None,
) -> CodeResult:
    """
    Args:
        meaning: None for words alone. Where nothing is embedded it changes nothing.

    Raises:
        NotFound: a repository has no such ref.
    """
    question = read_question(asked.text)
    views = [library.code.view(each, asked.ref) for each in repositories]
    hits = [hit for view in views for hit in _hits(question, asked, view, library, meaning)]
    best = sorted(hits, key=lambda hit: -hit.score)[: asked.k]
    return CodeResult(tuple(best), tuple(view.snapshot for view in views))


def _hits(
    question: CodeQuestion,
    asked: CodeQuery,
    view: View,
    library: Library,
    meaning: Meaning | None,
) -> list[CodeHit]:
    only = _allowed(view.files, question, asked)
    found = library.code.search(view, Lookup(question.terms, FIELDS, CANDIDATES, only))
    near = _near(view, only, library, meaning)
    outlines = library.code.outlines(
        view.files[file] for file in {*(each.file for each in found), *(file for file, _ in near)}
    )
    weight = _weight(view, library, meaning) if near else 0.0
    merged = fuse_legs({(each.file, each.part): each.score for each in found}, near, weight)
    ranked = order(
        question, [_candidate(place, each, view.files, outlines) for place, each in merged.items()]
    )
    share = SHARE_OF_USES if question.defined else SHARE
    groups = by_file(ranked, share) if asked.group_by == "file" else by_span(ranked)
    shown = groups[: asked.k]
    texts = library.code.texts(view.files[group.best.file] for group in shown)
    return [_hit(view, group, outlines, texts) for group in shown]


def _near(
    view: View, only: Collection[int] | None, library: Library, meaning: Meaning | None
) -> dict[tuple[int, int], float]:
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


def _allowed(
    files: Mapping[int, CodeFile], question: CodeQuestion, asked: CodeQuery
) -> frozenset[int] | None:
    """Files that a filter lets through; None where there is no filter."""
    languages = {language_named(name) for name in (*asked.languages, *question.languages)}
    patterns = (*asked.paths, *question.paths)
    if not languages and not patterns:
        return None
    matches = _matching(patterns)
    return frozenset(
        id
        for id, file in files.items()
        if (not languages or file.language in languages or _family(file.language) in languages)
        and matches(file.path)
    )


def _family(language: str) -> str:
    return "typescript" if language == "tsx" else language


def _matching(patterns: Sequence[str]) -> Callable[[str], object]:
    """`src/**`, `*.py`, `src/http` and `client.py` all find what a person means by them."""
    if not patterns:
        return lambda _: True
    forms = [
        form
        for pattern in patterns
        for bare in [pattern.strip("/").replace("**", "*")]
        for form in (translate(bare), translate(f"*/{bare}"), translate(f"{bare}/*"))
    ]
    return re.compile("|".join(f"(?:{form})" for form in forms)).match


def _candidate(
    place: tuple[int, int],
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


def _hit(
    view: View, group: Group, outlines: Mapping[int, Outline], texts: Mapping[int, str]
) -> CodeHit:
    best = group.best
    file = view.files[best.file]
    chunk = outlines[file.content].chunks[best.part]
    return CodeHit(
        view.repository.name,
        file.path,
        chunk.start_line,
        chunk.end_line,
        ".".join(chunk.symbol),
        chunk.kind,
        chunk.signature,
        file.language,
        round(group.score, 4),
        texts[file.content][chunk.start : chunk.end],
        best.found_by,
        tuple(
            CodeSpan(
                each.candidate.start_line,
                each.candidate.end_line,
                each.candidate.symbol,
                round(each.score, 4),
            )
            for each in group.others[:MORE]
        ),
        group.copies,
    )
