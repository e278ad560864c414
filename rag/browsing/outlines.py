"""A document's headings as a tree, and where one is in it. Where it has none, its pages."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from msgspec import Struct

from rag.domain import Block, Document, DocumentId, Version

MOST_SECTIONS = 500
"""Told at a time, 100 KB of JSON; whoever wants more looks below one of them."""


class Section(Struct, frozen=True):
    """A heading with all that stands under it: `text[start:end]`."""

    heading: str
    level: int
    """From 1, as the source has it: levels may be left out."""
    start: int
    end: int
    page: int | None
    line: int | None
    """Of the heading, from 1; None where there are pages."""
    heading_path: tuple[str, ...]
    """Of the headings above it, outermost first."""
    sections: int
    """How many stand under it, at any depth."""


class Outline(Struct, frozen=True):
    document_id: DocumentId
    version: Version
    key: str
    title: str
    pages: int
    characters: int
    here: Section | None
    """The innermost section at the place that was asked for; None where none was, or none is."""
    parent: Section | None
    previous: Section | None
    """The one before `here` under the same parent."""
    next: Section | None
    sections: tuple[Section, ...]
    """Those under `here`, or of the whole document: each followed by those under it."""
    left_out: int
    """Sections that were too many; look below one of these."""


def outline(document: Document, id: DocumentId, at: int | None, depth: int) -> Outline:
    """
    Args:
        at: a place of the text; the whole document if None.
        depth: levels under `here`, from 1.
    """
    all_sections = sections_of(document)
    path = [] if at is None else [each for each in all_sections if each.start <= at < each.end]
    here = path[-1] if path else None
    inside = [each for each in all_sections if here is None or _is_under(each, here)]
    base = 0 if here is None else len(here.heading_path) + 1
    told = [each for each in inside if len(each.heading_path) < base + depth]
    beside = _beside(all_sections, here) if here else [None, None]
    return Outline(
        document_id=id,
        version=document.version,
        key=document.key,
        title=document.title,
        pages=len(document.pages),
        characters=len(document.text),
        here=here,
        parent=path[-2] if len(path) > 1 else None,
        previous=beside[0],
        next=beside[1],
        sections=tuple(told[:MOST_SECTIONS]),
        left_out=max(0, len(told) - MOST_SECTIONS),
    )


def sections_of(document: Document) -> list[Section]:
    """In reading order."""
    titles = [block for block in document.blocks if block.kind == "title"]
    return list(_from_titles(document, titles)) if titles else list(_from_pages(document))


def headings_at(document: Document, at: int) -> tuple[str, ...]:
    """The headings over a place, outermost first; a heading does not stand over itself."""
    path: list[tuple[int, str]] = []
    for block in document.blocks:
        if block.start > at:
            break
        if block.kind == "title":
            path = [each for each in path if each[0] < block.level]
            if block.end <= at:
                path.append((block.level, _heading(document, block)))
    return tuple(heading for _, heading in path)


def _from_titles(document: Document, titles: Sequence[Block]) -> Iterator[Section]:
    lines = _Lines(document)
    open_: list[tuple[int, str]] = []
    for n, block in enumerate(titles):
        open_ = [each for each in open_ if each[0] < block.level]
        inside = 0
        while n + 1 + inside < len(titles) and titles[n + 1 + inside].level > block.level:
            inside += 1
        following = n + 1 + inside
        yield Section(
            heading=_heading(document, block),
            level=block.level,
            start=block.start,
            end=titles[following].start if following < len(titles) else len(document.text),
            page=block.page,
            line=lines.at(block.start),
            heading_path=tuple(heading for _, heading in open_),
            sections=inside,
        )
        open_.append((block.level, _heading(document, block)))


def _from_pages(document: Document) -> Iterator[Section]:
    for page in document.pages:
        name = page.name or f"page {page.number}"
        yield Section(name, 1, page.start, page.end, page.number, None, (), 0)


def _heading(document: Document, block: Block) -> str:
    return " ".join(document.text[block.start : block.end].strip("#=- \n").split())


def _is_under(section: Section, other: Section) -> bool:
    return other.start < section.start and section.end <= other.end


def _beside(all_sections: Sequence[Section], here: Section) -> list[Section | None]:
    """The one before and the one after, under the same heading."""
    path = here.heading_path
    before = [s for s in all_sections if s.end <= here.start and s.heading_path == path]
    after = [s for s in all_sections if s.start >= here.end and s.heading_path == path]
    return [before[-1] if before else None, after[0] if after else None]


class _Lines:
    """Lines of places, counted once."""

    def __init__(self, document: Document) -> None:
        self._ends: list[int] | None = None
        if not document.pages:
            self._ends = [at for at, character in enumerate(document.text) if character == "\n"]

    def at(self, place: int) -> int | None:
        return None if self._ends is None else bisect_right(self._ends, place - 1) + 1
