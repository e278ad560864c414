"""Code that a question is about, as passages that an answer can be made of and quote."""

import asyncio
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from rag.codebase.legs import Meaning
from rag.codebase.searching import CodeHit, CodeQuery, search_code
from rag.domain import Block, ChunkId, CodePlace, Evidence, Hit, Version, derived_id, file_id
from rag.errors import BudgetExhausted, ModelUnavailable, ProviderError
from rag.ports import Embedders
from rag.storage.code.store import View
from rag.storage.library import Library
from rag.trees import Repository


class CodePassages(Struct, frozen=True):
    hits: list[Hit]
    degraded: str | None
    """Why the search had less to go by than it should."""


async def code_passages(
    asked: CodeQuery,
    repositories: Sequence[Repository],
    *,
    model: str | None,
    embedders: Embedders,
    library: Library,
) -> CodePassages:
    """The spans that a question is about, best first, each with the place that a citation names,
    and scored as a share of the best.

    Args:
        model: that embeds code; None where there is none.

    Raises:
        NotFound: a repository has no such ref.
    """
    meaning, degraded = await _meaning(asked.text, model, embedders)
    spans = replace(asked, group_by="span")
    hits = await asyncio.to_thread(_search, spans, repositories, library, meaning)
    return CodePassages(hits, degraded)


def code_evidence(hit: Hit) -> Evidence:
    """Of a hit that is code; its label is the caller's to give."""
    assert hit.code is not None, "it is code"
    return Evidence(
        label=0,
        document_id=hit.document_id,
        version=Version(f"git:{hit.code.blob}"),
        key=hit.key,
        title=hit.title,
        text=hit.text,
        block=Block("code", hit.start, hit.end),
        heading_path=hit.heading_path,
        first_line=hit.lines[0] if hit.lines else None,
        score=hit.score,
        code=hit.code,
    )


async def _meaning(
    text: str, model: str | None, embedders: Embedders
) -> tuple[Meaning | None, str | None]:
    """The question's vector, or why there is none; where no model is here, none is missed."""
    if model is None:
        return None, None
    try:
        [vector] = await embedders[model].embed([text], "query")
    except (ProviderError, ModelUnavailable, BudgetExhausted) as error:
        return None, f"the question could not be embedded ({error}): code searched by words alone"
    return Meaning(model, vector), None


def _search(
    asked: CodeQuery, repositories: Sequence[Repository], library: Library, meaning: Meaning | None
) -> list[Hit]:
    found = search_code(asked, repositories, library=library, meaning=meaning).hits
    best = max((hit.score for hit in found), default=0.0) or 1.0
    located: dict[CodeHit, Hit] = {}
    for each in repositories:
        own = [hit for hit in found if hit.repository == each.name]
        located |= _located(own, library.code.view(each, asked.ref), library)
    hits = [located[hit] for hit in found if hit in located]
    return [replace(hit, score=hit.score / best) for hit in hits]


def _located(
    found: Sequence[CodeHit], view: View, library: Library
) -> Iterator[tuple[CodeHit, Hit]]:
    """What was published since may have other files: a hit that does not stand there any more is
    left out."""
    by_path = {file.path: file for file in view.files.values()} if found else {}
    files = [by_path[hit.path] for hit in found if hit.path in by_path]
    texts, oids = library.code.texts(files), library.code.oids(files)
    for hit in found:
        file = by_path.get(hit.path)
        if file is None:
            continue
        start = start_of_line(texts[file.content], hit.start_line)
        if texts[file.content].startswith(hit.text, start):
            yield hit, _hit(hit, view, start, oids[file.content])


def start_of_line(text: str, line: int) -> int:
    """Offset of the first character of a line, counted from 1; lines end at `\\n` alone."""
    at = 0
    for _ in range(line - 1):
        at = text.find("\n", at) + 1
    return at


def _hit(found: CodeHit, view: View, start: int, oid: str) -> Hit:
    state, repository = view.snapshot, view.repository
    document = file_id(repository.id, found.path)
    return Hit(
        chunk_id=ChunkId(derived_id("chk", document, oid, str(start))),
        document_id=document,
        key=found.path,
        title=found.path,
        score=found.score,
        text=found.text,
        start=start,
        end=start + len(found.text),
        lines=(found.start_line, found.end_line),
        heading_path=tuple(found.symbol.split(".")) if found.symbol else (),
        found_by=found.found_by,
        code=CodePlace(
            repository.name,
            repository.id,
            state.ref,
            state.commit,
            state.dirty,
            found.path,
            oid,
        ),
    )
