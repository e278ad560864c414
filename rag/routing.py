"""The story of a page: the cheapest reader that is good enough for it.

A text layer that is sound is used as it is; a page without one, or with garbage in it, goes to
OCR, and no other page does. Which reader it was, and why, stands in each page.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from rag.domain import Document, Lane, Source, Survey
from rag.errors import EmptyDocument
from rag.pages import LoosePage, composed, pages_of
from rag.ports import PaidReader, Priced, Recognizer, Surveyor
from rag.spending import Errand


class PricedRecognizer(Recognizer, Priced, Protocol):
    """OCR of single pages, for money."""


class RoutingReader:
    """A `Reader`: one surveys, the other recognizes the pages that are left."""

    def __init__(self, surveyor: Surveyor, recognizer: PricedRecognizer) -> None:
        self._surveyor = surveyor
        self._recognizer = recognizer

    @property
    def fingerprint(self) -> str:
        return f"{self._surveyor.fingerprint} + {self._recognizer.fingerprint}"

    async def survey(self, source: Source) -> Survey:
        return await self._surveyor.survey(source)

    async def unbought(self, source: Source, pages: Sequence[int] | None = None) -> int:
        return await self._recognizer.unbought(source, pages)

    def cost(self, pages: int, lane: Lane = "direct") -> Decimal:
        return self._recognizer.cost(pages, lane)

    async def errands(
        self, source: Source, pages: Sequence[int] | None = None
    ) -> AsyncIterator[Errand]:
        """As of `PaidReader`: for the pages that the survey leaves."""
        unread = (await self._surveyor.survey(source)).unread if pages is None else pages
        if unread and isinstance(self._recognizer, PaidReader):
            async for errand in self._recognizer.errands(source, unread):
                yield errand

    async def read(self, source: Source) -> Document:
        """
        Raises:
            InvalidDocument: the bytes cannot become a document.
            ProviderError: OCR failed for good, after retries.
        """
        return await self.complete(source, await self._surveyor.survey(source))

    async def complete(self, source: Source, survey: Survey) -> Document:
        """As `read`, of a document that was surveyed before."""
        found = await self._recognizer.recognize(source, survey.unread) if survey.unread else ()
        document = completed(survey, {loose.page.number: loose for loose in found})
        if not any(character.isalnum() for character in document.text):
            raise EmptyDocument("there is no text in it")
        return document


def completed(survey: Survey, found: Mapping[int, LoosePage]) -> Document:
    """The surveyed document with recognized pages in their places.

    A page that OCR did not give stays without text.
    """
    if not found:
        return survey.document
    pages = (_read_by(loose, found.get(loose.page.number)) for loose in pages_of(survey.document))
    text, blocks, placed = composed(pages)
    return msgspec.structs.replace(survey.document, text=text, blocks=blocks, pages=placed)


def _read_by(surveyed: LoosePage, found: LoosePage | None) -> LoosePage:
    """What was found on the page; its measures are the survey's, in the file's own unit, and so
    is the reason why it was not enough."""
    if found is None:
        return surveyed
    page = msgspec.structs.replace(
        surveyed.page, reader=found.page.reader, confidence=found.page.confidence
    )
    return LoosePage(found.text, page, found.blocks)
