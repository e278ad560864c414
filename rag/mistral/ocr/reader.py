"""PDF, images and office files -> documents, by the provider's OCR."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

from rag.domain import Document, Lane, Source, version_of
from rag.errors import DocumentTooLarge, EmptyDocument, InvalidRequest
from rag.mistral.batching.errands import ocr_errand
from rag.mistral.client import MistralClient
from rag.mistral.ocr.documents import document_of, recognized
from rag.mistral.ocr.kinds import MEDIA_TYPES, Kind, image_pages, kind_of
from rag.mistral.ocr.numbering import spoken
from rag.mistral.ocr.orders import File, Order, bill
from rag.mistral.ocr.pdf_pages import ChildPdfPages, PdfPages
from rag.mistral.ocr.portions import LARGEST, Portion
from rag.mistral.ocr.purchases import DEADLINE, OcrPurchases
from rag.mistral.ocr.replies import SentPage
from rag.mistral.ocr.requests import options
from rag.pages import LoosePage
from rag.ports import Ledger
from rag.spending import Errand

__all__ = ["MEDIA_TYPES", "MODEL", "MistralReader"]

MODEL = "mistral-ocr-4-0"
"""Generally available, and pinned: `-latest` moves without notice, and points to a preview. Costs
$4 per 1,000 pages; `mistral-ocr-2512` costs $2, but tells no places of blocks on a page."""

THICKEST = 5_000
"""Pages of one document, as for the local reader: the thickest printed works have about half of
this. A small file can name one page a million times, and each would be paid for."""

_READING = 2
"""Raised when the same reply would become another document."""


class MistralReader:
    """A `Reader` of PDF, images and office files. Nothing is bought that was bought before, in
    whole or as the same pages."""

    def __init__(
        self,
        client: MistralClient,
        model: str | None = None,
        *,
        ledger: Ledger | None = None,
        pdf_pages: PdfPages | None = None,
        describes_pictures: bool = False,
        deadline: float = DEADLINE,
    ) -> None:
        """
        Args:
            model: id of an OCR model; `MODEL` where None.
            ledger: where replies are kept that the client bought; the client's own.
            pdf_pages: counts and cuts PDFs; processes of our own where None.
            describes_pictures: whether a vision model says what each picture shows. A page then
                costs a quarter more, pictures or not.
            deadline: seconds for one request.
        """
        self._model = model or MODEL
        self._pdf_pages = pdf_pages or ChildPdfPages()
        self._purchases = OcrPurchases(client, ledger, self._pdf_pages, deadline)
        self._describes = describes_pictures

    @property
    def fingerprint(self) -> str:
        described = "/described" if self._describes else ""
        return f"mistral/{self._model}/reading-{_READING}{described}"

    async def read(self, source: Source) -> Document:
        """
        Raises:
            InvalidDocument: it is empty, encrypted, of another kind, has a page too large to be
                sent, or the provider cannot parse it.
            BudgetExhausted: it would cost more than is allowed.
            ProviderError: the provider failed for good, after retries.
        """
        file = await self._opened(source)
        found = await self._purchases.pages(file, file.numbers)
        return await asyncio.to_thread(_document, file, found)

    async def recognize(self, source: Source, pages: Sequence[int]) -> tuple[LoosePage, ...]:
        """Some pages of a PDF or an image, in the order of their numbers, which are from 1; no
        other page is sent where that saves anything, and none is paid for.

        Raises:
            InvalidRequest: there are no such pages.
            As `read` does.
        """
        file = await self._opened(source)
        wanted = _wanted(file, pages)
        found = await self._purchases.pages(file, wanted) if wanted else {}
        asked_for = {number: sent for number, sent in found.items() if number in wanted}
        return await asyncio.to_thread(_recognized, file, asked_for)

    async def orders(self, source: Source, pages: Sequence[int] | None = None) -> tuple[Order, ...]:
        """What is still to be bought before these pages can be read; all pages where None. Their
        intents say what that costs at most. Nothing is sent.

        Raises:
            InvalidDocument: as `read` does before it sends anything.
            InvalidRequest: there are no such pages.
        """
        file = await self._opened(source)
        wanted = file.numbers if pages is None else _wanted(file, pages)
        _, missing = await self._purchases.stock(file, wanted)
        return missing

    async def unbought(self, source: Source, pages: Sequence[int] | None = None) -> int:
        """As `orders`, in pages."""
        return sum(order.most_pages for order in await self.orders(source, pages))

    def cost(self, pages: int, lane: Lane = "direct") -> Decimal:
        return bill(self._model, pages, describes=self._describes, lane=lane).usd

    def sendable(self, order: Order) -> AsyncIterator[tuple[Order, bytes]]:
        """As of `OcrPurchases`."""
        return self._purchases.sendable(order)

    async def errands(
        self, source: Source, pages: Sequence[int] | None = None
    ) -> AsyncIterator[Errand]:
        """What `orders` says, to be bought in a batch.

        Raises:
            DocumentTooLarge: a page is too large alone.
            As `orders` does.
        """
        for order in await self.orders(source, pages):
            async for each, content in self.sendable(order):
                yield await asyncio.to_thread(ocr_errand, each, content)

    async def _opened(self, source: Source) -> File:
        content = source.content
        kind = kind_of(content)
        pages: int | None = None
        if kind.is_pdf:
            pages = await self._pdf_pages.count(content)
            _check_count(pages)
        elif len(content) > LARGEST:
            raise _too_large(content, kind)
        elif kind.is_image:
            pages = image_pages(content, kind)
        asked = options(self._model, kind, describes=self._describes)
        version = await asyncio.to_thread(version_of, content)
        return File(source, version, kind, pages, asked)


def _wanted(file: File, pages: Sequence[int]) -> Portion:
    """
    Raises:
        InvalidRequest: there are no such pages.
    """
    unknown = sorted(set(pages) - set(file.numbers))
    if unknown:
        raise InvalidRequest(f"there is no page {spoken(unknown)} to be recognized")
    return tuple(sorted(set(pages)))


def _recognized(file: File, found: dict[int, SentPage]) -> tuple[LoosePage, ...]:
    return recognized(found, file.version, file.kind.media_type)


def _document(file: File, found: dict[int, SentPage]) -> Document:
    pages = _recognized(file, found)
    return document_of(file.source, file.version, file.kind.media_type, pages)


def _check_count(pages: int) -> None:
    """
    Raises:
        EmptyDocument: there are none.
        DocumentTooLarge: there are more than anybody would pay for.
    """
    if not pages:
        raise EmptyDocument("the PDF has no pages")
    if pages > THICKEST:
        raise DocumentTooLarge(f"the PDF has {pages:,} pages; at most {THICKEST:,} are read")


def _too_large(content: bytes, kind: Kind) -> DocumentTooLarge:
    advice = (
        "save it as JPEG or with fewer dots per inch, or read it with the local OCR"
        if kind.is_image
        else "split the file, or export it to PDF"
    )
    return DocumentTooLarge(
        f"{len(content):,} bytes; Mistral reads up to {LARGEST:,} at once: {advice}"
    )
