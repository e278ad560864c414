"""The story of a page: the cheapest reader that is good enough for it.

A text layer that is sound is used as it is; a page without one, or with garbage in it, goes to
OCR, and no other page does. Which reader it was, and why, stands in each page.
"""

from collections.abc import Iterator, Mapping

import msgspec

from rag.domain import Block, Document, Page, RecognizedPage, Source, Survey
from rag.errors import EmptyDocument
from rag.ports import Recognizer, Surveyor

BETWEEN_PAGES = "\n\n"


class RoutingReader:
    """A `Reader`: one surveys, the other recognizes the pages that are left."""

    def __init__(self, surveyor: Surveyor, recognizer: Recognizer) -> None:
        self._surveyor = surveyor
        self._recognizer = recognizer

    @property
    def fingerprint(self) -> str:
        return f"{self._surveyor.fingerprint} + {self._recognizer.fingerprint}"

    async def read(self, source: Source) -> Document:
        """
        Raises:
            InvalidDocument: the bytes cannot become a document.
            ProviderError: OCR failed for good, after retries.
        """
        survey = await self._surveyor.survey(source)
        found = await self._recognizer.recognize(source, survey.unread) if survey.unread else ()
        document = completed(survey, {page.page.number: page for page in found})
        if not any(character.isalnum() for character in document.text):
            raise EmptyDocument("there is no text in it")
        return document


def completed(survey: Survey, found: Mapping[int, RecognizedPage]) -> Document:
    """The surveyed document with recognized pages in their places, all spans moved along.

    A page that OCR did not give stays without text.
    """
    surveyed = survey.document
    if not found:
        return surveyed
    parts: list[str] = []
    blocks: list[Block] = []
    pages: list[Page] = []
    length = 0
    for page in surveyed.pages:
        text, own = _of_page(surveyed, page, found.get(page.number))
        if text and length:
            parts.append(BETWEEN_PAGES)
            length += len(BETWEEN_PAGES)
        pages.append(
            msgspec.structs.replace(
                _read_by(page, found.get(page.number)), start=length, end=length + len(text)
            )
        )
        blocks += (moved(block, length) for block in own)
        parts.append(text)
        length += len(text)
    return msgspec.structs.replace(
        surveyed, text="".join(parts), blocks=tuple(blocks), pages=tuple(pages)
    )


def _of_page(
    surveyed: Document, page: Page, found: RecognizedPage | None
) -> tuple[str, Iterator[Block] | tuple[Block, ...]]:
    """The page's text, and its blocks counted from the page's start."""
    if found is not None:
        return found.text, found.blocks
    own = (moved(b, -page.start) for b in surveyed.blocks if b.page == page.number)
    return surveyed.text[page.start : page.end], own


def _read_by(page: Page, found: RecognizedPage | None) -> Page:
    """Its measures are the survey's, in the file's own unit; who read it and how sure is new."""
    if found is None:
        return page
    return msgspec.structs.replace(page, reader=found.page.reader, confidence=found.page.confidence)


def moved(block: Block, by: int) -> Block:
    """The block, and its lines, so many characters further on."""
    lines = tuple(
        msgspec.structs.replace(line, start=line.start + by, end=line.end + by)
        for line in block.lines
    )
    return msgspec.structs.replace(block, start=block.start + by, end=block.end + by, lines=lines)
