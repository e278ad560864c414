"""A question about code -> hits: read it, ask each leg, order, group, cut the text."""

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import translate
from typing import Literal, TypeAlias

from msgspec import Struct

from rag.ranking.code.grouping import Group, by_file, by_span
from rag.ranking.code.order import CodeCandidate, order
from rag.ranking.code.question import CodeQuestion, read_question
from rag.storage.code.store import Lookup, View
from rag.storage.code.words import Match
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


MORE = 4  # further spans of a file that a hit lists


def search_code(
    asked: CodeQuery, repositories: Sequence[Repository], *, library: Library
) -> CodeResult:
    """
    Raises:
        NotFound: a repository has no such ref.
    """
    question = read_question(asked.text)
    views = [library.code.view(each, asked.ref) for each in repositories]
    hits = [hit for view in views for hit in _hits(question, asked, view, library)]
    best = sorted(hits, key=lambda hit: -hit.score)[: asked.k]
    return CodeResult(tuple(best), tuple(view.snapshot for view in views))


def _hits(question: CodeQuestion, asked: CodeQuery, view: View, library: Library) -> list[CodeHit]:
    only = _allowed(view.files, question, asked)
    found = library.code.search(view, Lookup(question.terms, FIELDS, CANDIDATES, only))
    outlines = library.code.outlines(view.files[each.file] for each in found)
    ranked = order(question, [_candidate(each, view.files, outlines) for each in found])
    groups = by_file(ranked) if asked.group_by == "file" else by_span(ranked)
    shown = groups[: asked.k]
    texts = library.code.texts(view.files[group.best.file] for group in shown)
    return [_hit(view, group, outlines, texts) for group in shown]


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
    match: Match, files: Mapping[int, CodeFile], outlines: Mapping[int, Outline]
) -> CodeCandidate:
    file = files[match.file]
    chunk = outlines[file.content].chunks[match.part]
    return CodeCandidate(
        file.id,
        match.part,
        file.content,
        file.path,
        match.score,
        chunk.defines,
        ".".join(chunk.symbol),
        chunk.start_line,
        chunk.end_line,
        is_foreign=file.generated or is_vendored(file.path),
        is_data=file.language in DATA,
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
        ("words",),
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
