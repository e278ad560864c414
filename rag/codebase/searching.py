"""A question about code -> hits: read it, ask each leg, order, group, cut the text."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from rag.codebase.legs import Meaning, Verbatim, find
from rag.codebase.narrowing import allowed
from rag.ranking.code.grouping import SHARE, SHARE_OF_USES, Group, by_file, by_span
from rag.ranking.code.order import order
from rag.ranking.code.question import CodeQuestion, read_question
from rag.storage.code.store import View
from rag.storage.library import Library
from rag.syntax.outline import Outline
from rag.trees import Repository, Snapshot

GroupBy: TypeAlias = Literal["file", "span"]


class CodeQuery(Struct, frozen=True):
    text: str
    k: int = 10
    ref: str | None = None
    """None for what was indexed last."""
    group_by: GroupBy = "file"
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    """Patterns, or beginnings, of which a path must match one."""
    verbatim: Verbatim | None = None
    """Whether the text is looked for as it stands, or as a regular expression, and nothing else."""


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
    lines: tuple[int, ...] = ()
    """Those of the span that hold what is quoted, or match."""
    more: tuple[CodeSpan, ...] = ()
    """Further spans of the same file, best first."""
    copies: tuple[str, ...] = ()
    """Other paths with the same content."""


class CodeResult(Struct, frozen=True):
    hits: tuple[CodeHit, ...]
    searched: tuple[Snapshot, ...]
    """What was searched, at which commit, and how complete it is."""
    unread: int = 0
    """Files that may hold what is quoted, and were not looked through for want of time."""


MORE = 4  # further spans of a file that a hit lists


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
        InvalidRequest: it is to be a regular expression, and is none.
    """
    question = _question(asked)
    views = [library.code.view(each, asked.ref) for each in repositories]
    searched = [_searched(question, asked, view, library, meaning) for view in views]
    hits = [hit for hits, _ in searched for hit in hits]
    best = sorted(hits, key=lambda hit: -hit.score)[: asked.k]
    unread = sum(unread for _, unread in searched)
    return CodeResult(tuple(best), tuple(view.snapshot for view in views), unread)


def _question(asked: CodeQuery) -> CodeQuestion:
    if asked.verbatim == "regex":
        return CodeQuestion(asked.text, {}, expression=asked.text)
    question = read_question(asked.text)
    if asked.verbatim == "exact":
        return replace(question, terms={}, phrases=(asked.text,), expression="", places=())
    if question.expression:
        return CodeQuestion(
            question.text,
            {},
            expression=question.expression,
            languages=question.languages,
            paths=question.paths,
        )
    return question


def _searched(
    question: CodeQuestion, asked: CodeQuery, view: View, library: Library, meaning: Meaning | None
) -> tuple[list[CodeHit], int]:
    """Hits, and how many files were not looked through."""
    languages = (*asked.languages, *question.languages)
    only = allowed(view.files, languages, (*asked.paths, *question.paths))
    is_verbatim = asked.verbatim or question.expression
    found = find(question, view, only, library=library, meaning=None if is_verbatim else meaning)
    ranked = order(question, found.candidates)
    share = SHARE_OF_USES if question.defined else SHARE
    groups = by_file(ranked, share) if asked.group_by == "file" else by_span(ranked)
    shown = groups[: asked.k]
    texts = library.code.texts(view.files[group.best.file] for group in shown)
    return [_hit(view, group, found.outlines, texts) for group in shown], found.unread


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
        best.lines,
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
