"""PDF, images and office files -> documents, by the provider's OCR."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial
from weakref import WeakValueDictionary

from msgspec import Struct

from rag.domain import Document, Source, Version, version_of
from rag.errors import (
    DocumentTooLarge,
    EmptyDocument,
    InvalidDocument,
    InvalidRequest,
    MalformedReply,
)
from rag.mistral.calls import Call, Paid
from rag.mistral.client import MistralClient
from rag.mistral.documents import document_of, recognized
from rag.mistral.kinds import MEDIA_TYPES, Kind, image_pages, kind_of
from rag.mistral.numbering import spoken
from rag.mistral.ocr_replies import SentPage, SentPages, billed_pages, sent_pages
from rag.mistral.ocr_requests import fingerprint, options, request
from rag.mistral.pages import RecognizedPage
from rag.mistral.patience import BULK
from rag.mistral.pdf_pages import ChildPdfPages, PdfPages
from rag.mistral.portions import LARGEST, MOST_PAGES, Portion, equal_parts, fits, portions
from rag.mistral.prices import ocr_cost
from rag.mistral.refusals import Refused
from rag.mistral.wire.decoding import PROVIDER
from rag.mistral.wire.ocr import OcrRequest
from rag.ports import Ledger
from rag.spending import Bill, Intent, OcrReply, Units

__all__ = ["LARGEST", "MEDIA_TYPES", "MODEL", "MistralReader"]

log = logging.getLogger(__name__)

MODEL = "mistral-ocr-4-0"
"""Generally available, and pinned: `-latest` moves without notice, and points to a preview. Costs
$4 per 1,000 pages; `mistral-ocr-2512` costs $2, but tells no places of blocks on a page."""

_DEADLINE = 900.0
"""Seconds; what the provider's own toolkit allows for 1,000 pages."""

_LARGEST_REPLY = 256 * 1024 * 1024
"""Bytes: 1,000 pages of 256 kB of text and blocks. Images are not asked for."""

_WORTH_CUTTING = 1024 * 1024
"""Bytes of a PDF from which the pages that are wanted are cut out of it: less goes over the wire.
Cutting starts a process of its own, so smaller files are sent whole, and their pages named."""

_READING = 2
"""Raised when the same reply would become another document."""


class _File(Struct, frozen=True):
    """A source of which is known what it is."""

    source: Source
    version: Version
    """Of the source, taken once: it is a walk over all bytes."""
    kind: Kind
    pages: int | None
    """None where they cannot be counted: an office file has none before it is printed. Of an
    image it is a guess, for the provider may take a frame of it for a page, or not."""
    asked: OcrRequest
    """Without the bytes."""

    @property
    def numbers(self) -> Portion:
        return tuple(range(1, (self.pages or 0) + 1))

    @property
    def is_sendable(self) -> bool:
        return fits(len(self.source.content), self.pages or 1)

    def is_whole(self, portion: Portion | None) -> bool:
        return portion is None or len(portion) == self.pages


class MistralReader:
    """A `Reader` of PDF, images and office files. Nothing is bought that was bought before, in
    whole or as the same pages.

    While a call is under way it holds its document once more, by a third longer, and twice while
    the call is prepared: 67 MB and 133 MB for the largest. A larger document is cut up by a child
    process, one part at a time.
    """

    def __init__(
        self,
        client: MistralClient,
        model: str | None = None,
        *,
        ledger: Ledger | None = None,
        pdf_pages: PdfPages | None = None,
        describes_pictures: bool = False,
    ) -> None:
        """
        Args:
            model: id of an OCR model; `MODEL` where None.
            ledger: where replies are kept that the client bought; the client's own.
            pdf_pages: counts and cuts PDFs; processes of our own where None.
            describes_pictures: whether a vision model says what each picture shows. A page then
                costs a quarter more, pictures or not.
        """
        self._client = client
        self._model = model or MODEL
        self._ledger = ledger
        self._pdf_pages = pdf_pages or ChildPdfPages()
        self._describes = describes_pictures
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        """One for each reply that is being bought."""

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
        found = await self._found(file, file.numbers)
        return await asyncio.to_thread(_document, file, found)

    async def recognize(self, source: Source, pages: Sequence[int]) -> tuple[RecognizedPage, ...]:
        """Some pages of a PDF or an image, in the order of their numbers, which are from 1; no
        other page is sent where that saves anything, and none is paid for.

        Raises:
            InvalidRequest: there are no such pages.
            As `read` does.
        """
        file = await self._opened(source)
        unknown = sorted(set(pages) - set(file.numbers))
        if unknown:
            raise InvalidRequest(f"there is no page {spoken(unknown)} to be recognized")
        wanted = tuple(sorted(set(pages)))
        found = await self._found(file, wanted) if wanted else {}
        asked_for = {number: sent for number, sent in found.items() if number in wanted}
        return await asyncio.to_thread(_recognized, file, asked_for)

    async def _opened(self, source: Source) -> _File:
        content = source.content
        kind = kind_of(content)
        pages: int | None = None
        if kind.family == "pdf":
            pages = await self._pdf_pages.count(content)
            if not pages:
                raise EmptyDocument("the PDF has no pages")
        elif len(content) > LARGEST:
            raise _too_large(content, kind)
        elif kind.family == "image":
            pages = image_pages(content, kind)
        asked = options(self._model, kind, describes=self._describes)
        version = await asyncio.to_thread(version_of, content)
        return _File(source, version, kind, pages, asked)

    async def _found(self, file: _File, wanted: Portion) -> dict[int, SentPage]:
        """The wanted pages of a PDF, out of what was bought before as far as it goes; all pages
        of any other file."""
        if file.kind.family != "pdf":
            return await self._portion(file, None)
        split = partial(portions, size=len(file.source.content), pages=len(file.numbers))
        found: dict[int, SentPage] = {}
        for portion in split(file.numbers):
            found |= await self._kept(file, portion)
        for portion in split([number for number in wanted if number not in found]):
            found |= await self._portion(file, portion)
        return {number: found[number] for number in wanted}

    async def _portion(self, file: _File, portion: Portion | None) -> dict[int, SentPage]:
        """Bought now, unless it was before or is being bought by another."""
        key = file.version, fingerprint(file.asked, portion)
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn:
            if kept := await self._kept(file, portion):
                return kept
            content = await self._content(file, portion)
            if content is not None:
                return (await self._buy(file, portion, content)).pages
        found: dict[int, SentPage] = {}
        for half in _halves(portion):
            found |= await self._portion(file, half)
        return found

    async def _kept(self, file: _File, portion: Portion | None) -> dict[int, SentPage]:
        """What was bought before; nothing where it was not, or can no longer be read."""
        if self._ledger is None:
            return {}
        name = fingerprint(file.asked, portion)
        body = await asyncio.to_thread(self._ledger.ocr_reply, file.version, name)
        if body is None:
            return {}
        try:
            sent = await asyncio.to_thread(sent_pages, body, portion, self._model)
        except MalformedReply:
            log.warning(
                "a kept OCR reply cannot be read; it is bought again",
                extra={"action": "kept_reply_unreadable"},
            )
            return {}
        return sent.pages

    async def _content(self, file: _File, portion: Portion | None) -> bytes | None:
        """What is sent for these pages; None where it is too large."""
        content = file.source.content
        is_small = len(content) <= _WORTH_CUTTING
        if portion is None:
            return content
        if file.is_sendable and (is_small or file.is_whole(portion)):
            return content
        return await self._pdf_pages.cut(content, portion, LARGEST)

    async def _buy(self, file: _File, portion: Portion | None, content: bytes) -> SentPages:
        is_cut = content is not file.source.content
        named = None if is_cut or file.is_whole(portion) else portion
        call = Call(
            "/v1/ocr",
            self._model,
            partial(request, file.asked, content, file.kind, named),
            _DEADLINE,
            _LARGEST_REPLY,
        )
        read = partial(sent_pages, numbers=portion, model=self._model)
        try:
            return await self._client.ask(call, read, patience=BULK, paid=self._paid(file, portion))
        except Refused as error:
            raise _refused(error, file.kind) from error

    def _paid(self, file: _File, portion: Portion | None) -> Paid[SentPages]:
        most = len(portion or file.numbers) or MOST_PAGES

        def bill(pages: int) -> Bill:
            return Bill(Units(pages), self._price(file, pages))

        def bill_and_reply(sent: SentPages) -> tuple[Bill, OcrReply]:
            name = fingerprint(file.asked, portion)
            return bill(sent.billed), OcrReply(file.version, name, sent.body)

        def bill_of_unusable(body: bytes) -> Bill | None:
            pages = billed_pages(body)
            return None if pages is None else bill(pages)

        intent = Intent(PROVIDER, self._model, "ocr", Units(most), self._price(file, most))
        return Paid(intent, bill_and_reply, bill_of_unusable)

    def _price(self, file: _File, pages: int) -> Decimal:
        describes = file.asked.bbox_annotation_format is not None
        return ocr_cost(self._model, pages, describes) or Decimal(0)


def _recognized(file: _File, found: dict[int, SentPage]) -> tuple[RecognizedPage, ...]:
    return recognized(found, file.version, file.kind.media_type)


def _document(file: _File, found: dict[int, SentPage]) -> Document:
    pages = _recognized(file, found)
    return document_of(file.source, file.version, file.kind.media_type, pages)


def _halves(portion: Portion | None) -> Iterable[Portion]:
    """
    Raises:
        DocumentTooLarge: it is one page.
    """
    if portion is None or len(portion) == 1:
        number = portion[0] if portion else 1
        raise DocumentTooLarge(
            f"page {number} alone has more than the {LARGEST:,} bytes that Mistral reads at once:"
            " save the file with smaller pictures, or read it with the local OCR"
        )
    return equal_parts(portion, 2)


def _too_large(content: bytes, kind: Kind) -> DocumentTooLarge:
    advice = {
        "image": "save it as JPEG or with fewer dots per inch, or read it with the local OCR",
    }.get(kind.family, "split the file, or export it to PDF")
    return DocumentTooLarge(
        f"{len(content):,} bytes; Mistral reads up to {LARGEST:,} at once: {advice}"
    )


def _refused(error: Refused, kind: Kind) -> Exception:
    """Whether it was the document that was refused, or us."""
    if error.refusal.status == 413:
        return DocumentTooLarge(f"{error}; documents may have 50 MB and 1,000 pages")
    if error.refusal.cause == "an unreadable document":
        advice = "is it damaged or encrypted? Printed to PDF anew, or read locally, it may do"
        return InvalidDocument(f"{error}; {advice}")
    is_about_request = error.refusal.status in (400, 422) and error.refusal.cause is None
    if kind.family == "office" and is_about_request:
        return InvalidDocument(f"{error}; export it to PDF, which is read surely")
    return error
