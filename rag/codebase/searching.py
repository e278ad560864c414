"""A question about code -> hits: read it, ask each leg, order, group, cut the text."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from msgspec import Struct

from rag.ranking.code.grouping import by_file
from rag.ranking.code.order import CodeCandidate, CodeRanked, order
from rag.ranking.code.question import CodeQuestion, read_question
from rag.storage.code.store import Lookup
from rag.storage.code.words import Match
from rag.storage.library import Library
from rag.syntax.languages import DATA, language_named
from rag.syntax.outline import CodeChunk, Outline
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
    hits: list[CodeHit] = []
    searched: list[Snapshot] = []
    for repository in repositories:
        snapshot = library.code.snapshot(repository, asked.ref)
        searched.append(snapshot)
        hits += _hits(question, asked, repository, snapshot.ref, library)
    best = sorted(hits, key=lambda hit: -hit.score)[: asked.k]
    return CodeResult(tuple(best), tuple(searched))


def _hits(
    question: CodeQuestion, asked: CodeQuery, repository: Repository, ref: str, library: Library
) -> list[CodeHit]:
    files = _allowed(library.code.files(repository, ref), question, asked)
    if not files:
        return []
    lookup = Lookup(question.terms, FIELDS, CANDIDATES, frozenset(files))
    found = library.code.search(repository, lookup)
    outlines = library.code.outlines(files[each.file] for each in found)
    ranked = order(question, [_candidate(each, files, outlines) for each in found])
    shown = _shown(ranked, asked.group_by, asked.k)
    shown_files = [files[chunks[0].candidate.file] for _, chunks in shown]
    texts = library.code.texts(shown_files)
    return [
        _hit(repository, score, chunks, file, outlines[file.content], texts[file.content])
        for (score, chunks), file in zip(shown, shown_files, strict=True)
    ]


def _allowed(
    files: dict[int, CodeFile], question: CodeQuestion, asked: CodeQuery
) -> dict[int, CodeFile]:
    languages = {language_named(name) for name in (*asked.languages, *question.languages)}
    patterns = (*asked.paths, *question.paths)
    if not languages and not patterns:
        return files
    return {
        id: file
        for id, file in files.items()
        if (not languages or file.language in languages or _family(file.language) in languages)
        and (not patterns or any(_matches(file.path, pattern) for pattern in patterns))
    }


def _family(language: str) -> str:
    return "typescript" if language == "tsx" else language


def _matches(path: str, pattern: str) -> bool:
    """`src/**`, `*.py`, `src/http` and `client.py` all find what a person means by them."""
    return (
        fnmatchcase(path, pattern.replace("**", "*"))
        or fnmatchcase(path, f"*/{pattern}")
        or path.startswith(pattern.rstrip("/") + "/")
        or f"/{path}".endswith(f"/{pattern}")
    )


def _candidate(
    match: Match, files: dict[int, CodeFile], outlines: dict[int, Outline]
) -> CodeCandidate:
    file = files[match.file]
    chunk = outlines[file.content].chunks[match.part]
    return CodeCandidate(
        match.file,
        match.part,
        file.path,
        file.language,
        match.score,
        chunk.defines,
        chunk.symbol,
        chunk.kind,
        chunk.start_line,
        chunk.end_line,
        file.generated,
        is_vendored(file.path),
        file.language in DATA,
    )


def _shown(
    ranked: Sequence[CodeRanked], group_by: GroupBy, k: int
) -> list[tuple[float, tuple[CodeRanked, ...]]]:
    if group_by == "file":
        return by_file(ranked)[:k]
    return [(each.score, (each,)) for each in ranked[:k]]


def _hit(
    repository: Repository,
    score: float,
    chunks: Sequence[CodeRanked],
    file: CodeFile,
    outline: Outline,
    text: str,
) -> CodeHit:
    chunk: CodeChunk = outline.chunks[chunks[0].candidate.part]
    return CodeHit(
        repository.name,
        file.path,
        chunk.start_line,
        chunk.end_line,
        ".".join(chunk.symbol),
        chunk.kind,
        chunk.signature,
        file.language,
        round(score, 4),
        text[chunk.start : chunk.end],
        ("words",),
        tuple(
            CodeSpan(
                each.candidate.start_line,
                each.candidate.end_line,
                ".".join(each.candidate.symbol),
                round(each.score, 4),
            )
            for each in chunks[1 : 1 + MORE]
        ),
    )
