"""Document -> chunks: spans small enough to embed, cut where it hurts least."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from rag.chunking.budgets import OVERLAP, Budget, CountTokens, fitting_atoms, fitting_path
from rag.chunking.cuts import cheapest_cuts
from rag.chunking.parts import equal_parts
from rag.chunking.sections import Section, sections
from rag.domain import Chunk, Document, embedded_text
from rag.errors import InvalidDocument

TARGET = 400
"""Tokens; a longer chunk blurs, whatever the model would take. The embedded model takes 256, and
the whole of it is better than half, by meaning and words: an evidence page of MMLongBench among
five hits 0.795 at 256 tokens and 0.735 at 128, over all documents 0.639 and 0.602; nDCG@10 of
CLAPnq 0.987 and 0.985, of XQuAD in English 0.979 and 0.977."""

CHUNKER = f"blocks/2 target={TARGET} overlap={OVERLAP}"
"""Names the algorithm and its options: another name, other chunks."""


def chunk(document: Document, *, limit: int, count_tokens: CountTokens) -> tuple[Chunk, ...]:
    """Chunks in order, none of whose `embedded_text` has more than `limit` tokens.

    They follow the document's headings and blocks, repeat about a sentence where prose was cut,
    and together hold all text but page headers, footers and markup between blocks. The same
    document gives the same chunks.

    Raises:
        InvalidDocument: the title leaves no room for text.
    """
    budget = Budget(min(limit, TARGET), count_tokens)
    drafts = [
        draft for section in sections(document) for draft in _drafts(document, section, budget)
    ]
    return tuple(_located(document, _counted(document, drafts, budget)))


def _drafts(document: Document, section: Section, budget: Budget) -> Iterator[Chunk]:
    """The section's chunks, their tokens and their place not known yet."""
    heading_path, room = fitting_path(document.title, section.heading_path, budget)
    measured = fitting_atoms(document.text, section, room, budget)
    for first, after in cheapest_cuts(measured, room):
        start, context = measured[first].atom.start, ""
        if measured[first].repeated:
            if span := measured[first].atom.context:
                context = document.text[slice(*span)].strip()
            else:
                start = measured[first - 1].atom.start
        end = measured[after - 1].atom.end
        yield Chunk(start, end, document.text[start:end], 0, heading_path, context=context)


def _counted(document: Document, drafts: list[Chunk], budget: Budget) -> list[Chunk]:
    """Drafts with their tokens; one that has too many after all becomes smaller ones.

    Atoms were counted one by one, and no tokenizer promises that a whole has no more tokens than
    its parts; of real ones it has not been seen.
    """
    settled: list[Chunk] = []
    while drafts:
        counts = budget.count([embedded_text(draft, document.title) for draft in drafts])
        counted = [replace(draft, tokens=n) for draft, n in zip(drafts, counts, strict=True)]
        settled += [draft for draft in counted if draft.tokens <= budget.most]
        too_large = [draft for draft in counted if draft.tokens > budget.most]
        drafts = [smaller for draft in too_large for smaller in _smaller(document.text, draft)]
    return sorted(settled, key=lambda draft: (draft.start, draft.end))


def _smaller(text: str, draft: Chunk) -> list[Chunk]:
    """Without its context; else in halves; else with a shorter heading path."""
    if draft.context:
        return [replace(draft, context="")]
    if draft.end - draft.start > 1:
        starts = equal_parts(text, draft.start, draft.end, 2)
        halves = [text[a:b] for a, b in zip(starts, [*starts[1:], draft.end], strict=True)]
        return [
            replace(draft, start=start, end=start + len(half.rstrip()), text=half.rstrip())
            for start, half in zip(starts, halves, strict=True)
            if half.strip()
        ]
    if draft.heading_path:
        return [replace(draft, heading_path=draft.heading_path[1:])]
    raise InvalidDocument("the title leaves no room for text; give the document a shorter one")


def _located(document: Document, drafts: Sequence[Chunk]) -> Iterator[Chunk]:
    """Each with its pages, or its lines where the document has no pages."""
    if document.pages:
        starts = [page.start for page in document.pages]
        ends = [page.end for page in document.pages]
        for draft in drafts:
            first, after = bisect_right(ends, draft.start), bisect_left(starts, draft.end)
            pages = tuple(page.number for page in document.pages[first:after])
            yield replace(draft, pages=pages)
    else:
        line_ends = [end.start() for end in re.finditer("\n", document.text)]
        for draft in drafts:
            first_line = bisect_left(line_ends, draft.start) + 1
            last_line = bisect_left(line_ends, draft.end) + 1
            yield replace(draft, lines=(first_line, last_line))
