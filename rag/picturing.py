"""The story of a picture: a page of a document, or what an answer cites of it, as people see it."""

import asyncio
from typing import Protocol

from rag.domain import Box, Citation, CitationId, DocumentId, PageBoxes, Source
from rag.errors import NotFound
from rag.storage.library import Library


class Renderer(Protocol):
    async def render(
        self, source: Source, page_number: int, dpi: int, marked: tuple[Box, ...] = ()
    ) -> bytes:
        """One page as PNG, or the part of it where the marked boxes are.

        Raises:
            InvalidDocument: it has no such page, or no pages at all.
        """
        ...


async def page(
    id: DocumentId, number: int, dpi: int, renderer: Renderer, library: Library
) -> bytes:
    """One page of a PDF or image as PNG.

    Raises:
        NotFound: no such document, or it has no such page.
        InvalidDocument: what it is has no pages to look at.
    """
    summary = await asyncio.to_thread(library.documents.find, id)
    if not 1 <= number <= summary.pages:
        raise NotFound(f"{summary.key!r} has pages 1 to {summary.pages}, not {number}")
    content, media_type = await asyncio.to_thread(library.documents.content, id)
    return await renderer.render(Source(summary.key, content, media_type), number, dpi)


async def citation(
    id: CitationId, number: int | None, dpi: int, renderer: Renderer, library: Library
) -> bytes:
    """What a quotation looks like where it stands: its lines marked, the print around them, as
    PNG. Of the version that was quoted, also where the document has another by now.

    Args:
        number: of the page; the first on which it stands if None.

    Raises:
        NotFound: no such citation, or no place of it on such a page is known.
    """
    found = await asyncio.to_thread(library.answers.citation, id)
    place = _place(found, number)
    content, media_type = await asyncio.to_thread(
        library.documents.content, found.document_id, found.version
    )
    source = Source(found.key, content, media_type)
    return await renderer.render(source, place.number, dpi, place.boxes)


def _place(citation: Citation, number: int | None) -> PageBoxes:
    places = [place for place in citation.pages if place.boxes]
    for place in places:
        if number in (None, place.number):
            return place
    if not places:
        raise NotFound("this citation has no place on a page: see its `lines` or its `source`")
    pages = ", ".join(str(place.number) for place in places)
    raise NotFound(f"this citation stands on page {pages}, not {number}")
