"""Words or a pattern in stored texts, one document after the other."""

from collections.abc import Iterable, Iterator
from time import monotonic

from msgspec import Struct

from rag.browsing.matching import Matcher
from rag.browsing.outlines import headings_at
from rag.domain import Block, Document, DocumentId, Evidence, PageBoxes, Version
from rag.grounding.locating import lines_of, pages_of
from rag.grounding.passages import Part
from rag.storage.browsed import Stored
from rag.verbatim.needles import IsOver

TIME = 2.0
"""Seconds that one look may take."""

AROUND = 200
"""Characters shown at either side of a match, as far as its line goes."""


class Match(Struct, frozen=True):
    """A place that matches: `document.text[start:end] == text`."""

    document_id: DocumentId
    version: Version
    key: str
    title: str
    text: str
    start: int
    end: int
    shown: str
    """The match with what stands around it."""
    shown_start: int
    """Where in the text that begins."""
    pages: tuple[PageBoxes, ...]
    lines: tuple[int, int] | None
    """First and last, from 1; None where there are pages."""
    heading_path: tuple[str, ...]


class Place(Struct, frozen=True):
    """Up to where one has looked: in documents by key, and in the last by character."""

    key: str = ""
    at: int = 0


class Grepped(Struct, frozen=True):
    matches: tuple[Match, ...]
    documents: int
    """That were looked through, the last perhaps in part."""
    place: Place | None
    """Where to go on; None where all was looked through."""
    is_late: bool = False
    """Whether time was up, and not the number of matches."""


def grep(texts: Iterable[Stored], matcher: Matcher, limit: int, begin: Place) -> Grepped:
    """The first `limit` matches from a place on, in the order of the documents' keys.

    Args:
        texts: from the document of `begin` on.
    """
    deadline = monotonic() + TIME
    found: list[Match] = []
    documents, place = 0, begin

    def is_over() -> bool:
        return monotonic() > deadline

    try:
        for stored in texts:
            documents += 1
            at = begin.at if stored.key == begin.key else 0
            place = Place(stored.key, at)
            for match in _matches(stored, matcher, at, is_over):
                if len(found) == limit:
                    return Grepped(tuple(found), documents, place)
                found.append(match)
                place = Place(stored.key, match.end)
    except TimeoutError:
        return Grepped(tuple(found), documents, place, is_late=True)
    return Grepped(tuple(found), documents, None)


def _matches(stored: Stored, matcher: Matcher, at: int, is_over: IsOver) -> Iterator[Match]:
    if is_over():
        raise TimeoutError
    document: Document | None = None
    for span in matcher.spans(stored.text, at, is_over):
        document = document or stored.document()
        yield _match(stored, document, *span)


def _match(stored: Stored, document: Document, start: int, end: int) -> Match:
    line_start = stored.text.rfind("\n", 0, start) + 1
    line_end = stored.text.find("\n", end)
    line_end = line_end if line_end >= 0 else len(stored.text)
    shown_start = max(line_start, start - AROUND)
    part = _part(stored.id, document, start, end)
    return Match(
        document_id=stored.id,
        version=stored.version,
        key=stored.key,
        title=stored.title,
        text=stored.text[start:end],
        start=start,
        end=end,
        shown=stored.text[shown_start : min(line_end, end + AROUND)],
        shown_start=shown_start,
        pages=pages_of(part),
        lines=lines_of(part),
        heading_path=headings_at(document, start),
    )


def _part(id: DocumentId, document: Document, start: int, end: int) -> Part:
    """The match as a part of its block, as a quotation of it would be."""
    whole = Block("text", 0, len(document.text))
    block = next((each for each in document.blocks if each.start <= start < each.end), whole)
    evidence = Evidence(
        label=1,
        document_id=id,
        version=document.version,
        key=document.key,
        title=document.title,
        text=document.text[block.start : block.end],
        block=block,
        first_line=None if document.pages else document.text.count("\n", 0, block.start) + 1,
    )
    return Part(evidence, start - block.start, min(end, block.end) - block.start)
