"""A question about code -> hits: read it, ask each leg, order, group, cut the text."""

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from rag.codebase.freshness import Freshness
from rag.codebase.legs import Meaning, Verbatim, find
from rag.codebase.narrowing import allowed
from rag.ranking.code.grouping import SHARE, SHARE_OF_USES, Group, by_file, by_span
from rag.ranking.code.order import order
from rag.ranking.code.passages import Lines, Passage, definition_lines, passage
from rag.ranking.code.question import CodeQuestion, read_question
from rag.storage.code.store import View
from rag.storage.library import Library
from rag.syntax.outline import Outline
from rag.trees import CodeFile, Repository, Snapshot

FRESHNESS = Freshness()

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
    max_tokens: int | None = None
    """Of all text of the hits; then each shows the whole definition that it is in, as far as that
    fits. None for the span alone that was found."""
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
    """Of the lines that are shown."""
    shown: tuple[Lines, ...]
    """Runs of lines, first and last: all from `start_line` to `end_line`, or what there was room
    for."""
    complete: bool
    """Whether all of the definition is shown that this is, or is in."""
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
    model: str | None = None,
) -> CodeResult:
    """
    Args:
        meaning: None for words alone. Where nothing is embedded it changes nothing.
        model: whose vectors are counted, to say how many are still to come.

    Raises:
        NotFound: a repository has no such ref.
        InvalidRequest: it is to be a regular expression, and is none.
    """
    question = _question(asked)
    views = [library.code.view(each, asked.ref) for each in repositories]
    ranked: list[_Shown] = []
    unread = 0
    for view in views:
        shown, left = _searched(question, asked, view, library, meaning)
        ranked += shown
        unread += left
    best = sorted(ranked, key=lambda each: -each.group.score)[: asked.k]
    hits = _with_text(best, asked, library)
    return CodeResult(tuple(hits), tuple(stated(view, model, library) for view in views), unread)


def stated(view: View, model: str | None, library: Library) -> Snapshot:
    """What is searched, and how complete and current it is at this moment."""
    return replace(
        view.snapshot,
        pending=None if model is None else library.code.pending(view, model),
        stale=FRESHNESS.is_stale(view.repository, view.snapshot),
    )


class _Shown(Struct, frozen=True):
    """What becomes a hit."""

    view: View
    group: Group
    outline: Outline

    @property
    def file(self) -> CodeFile:
        return self.view.files[self.group.best.file]


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
) -> tuple[list[_Shown], int]:
    """What may be shown, and how many files were not looked through."""
    languages = (*asked.languages, *question.languages)
    only = allowed(view.files, languages, (*asked.paths, *question.paths))
    is_verbatim = asked.verbatim or question.expression
    found = find(question, view, only, library=library, meaning=None if is_verbatim else meaning)
    ranked = order(question, found.candidates)
    share = SHARE_OF_USES if question.defined else SHARE
    groups = by_file(ranked, share) if asked.group_by == "file" else by_span(ranked)
    shown = [_Shown(view, group, found.outlines[group.best.content]) for group in groups[: asked.k]]
    return shown, found.unread


def _with_text(best: Sequence[_Shown], asked: CodeQuery, library: Library) -> Iterator[CodeHit]:
    texts = library.code.texts(each.file for each in best)
    if asked.max_tokens is None:
        yield from (_hit(each, _found(each, texts[each.file.content])) for each in best)
        return
    left = asked.max_tokens
    seen: dict[int, list[Lines]] = {}
    for place, each in enumerate(best):
        content, part = each.file.content, each.group.best.part
        first, last = definition_lines(each.outline, part)
        if any(a <= first and last <= b for a, b in seen.get(content, ())):
            continue  # another part of what is shown already
        is_last = place == len(best) - 1
        lines = texts[content].split("\n")
        taken = passage(
            each.outline, part, lines, each.group.best.lines, left if is_last else left // 2
        )
        left -= taken.tokens
        seen.setdefault(content, []).extend(taken.shown)
        yield _hit(each, taken)


def _found(shown: _Shown, text: str) -> Passage:
    """What was found, and no more."""
    chunk = shown.outline.chunks[shown.group.best.part]
    own = (chunk.start_line, chunk.end_line)
    is_complete = definition_lines(shown.outline, shown.group.best.part) == own
    return Passage((own,), text[chunk.start : chunk.end], is_complete)


def _hit(shown: _Shown, passage: Passage) -> CodeHit:
    best, file = shown.group.best, shown.file
    chunk = shown.outline.chunks[best.part]
    lines = passage.shown or ((chunk.start_line, chunk.end_line),)
    return CodeHit(
        shown.view.repository.name,
        file.path,
        lines[0][0],
        lines[-1][1],
        ".".join(chunk.symbol),
        chunk.kind,
        chunk.signature,
        file.language,
        round(shown.group.score, 4),
        passage.text,
        passage.shown,
        passage.is_complete,
        best.found_by,
        best.lines,
        _more(shown.group, lines),
        shown.group.copies,
    )


def _more(group: Group, lines: Sequence[Lines]) -> tuple[CodeSpan, ...]:
    """Further spans that are not shown yet; parts of one thing that follow one another as one."""
    spans: list[CodeSpan] = []
    for each in group.others:
        own = each.candidate
        if any(first <= own.start_line and own.end_line <= last for first, last in lines):
            continue
        span = CodeSpan(own.start_line, own.end_line, own.symbol, round(each.score, 4))
        near = next((n for n, other in enumerate(spans) if _touch(span, other)), None)
        if near is None:
            spans.append(span)
        else:
            spans[near] = replace(
                spans[near],
                start_line=min(span.start_line, spans[near].start_line),
                end_line=max(span.end_line, spans[near].end_line),
            )
    return tuple(spans[:MORE])


def _touch(one: CodeSpan, other: CodeSpan) -> bool:
    is_near = one.start_line == other.end_line + 1 or one.end_line + 1 == other.start_line
    return is_near and one.symbol == other.symbol
