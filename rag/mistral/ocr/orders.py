"""What has to be bought to read a document: pages of a file, their price before, their bill after.

The same orders are sent one by one or in a batch; what came of an order is kept under its name,
and however it was sent, the document is then composed without a call.
"""

from decimal import Decimal

from msgspec import Struct

from rag.domain import Lane, Source, Version
from rag.errors import DocumentTooLarge
from rag.mistral.calls import Paid
from rag.mistral.ocr.kinds import Kind
from rag.mistral.ocr.portions import LARGEST, MOST_PAGES, Portion, equal_parts, fits
from rag.mistral.ocr.replies import SentPages, billed_pages, sent_pages
from rag.mistral.ocr.requests import fingerprint, request
from rag.mistral.prices import ocr_cost
from rag.mistral.wire.decoding import PROVIDER
from rag.mistral.wire.ocr import OcrRequest
from rag.spending import Bill, Intent, OcrReply, Units


class File(Struct, frozen=True):
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
    def size(self) -> int:
        return len(self.source.content)

    @property
    def numbers(self) -> Portion:
        return tuple(range(1, (self.pages or 0) + 1))

    @property
    def is_sendable(self) -> bool:
        """Whole, within the provider's limits."""
        return fits(self.size, self.pages or 1)


class Order(Struct, frozen=True):
    """Some pages of a file, bought by one call."""

    file: File
    portion: Portion | None = None
    """All pages, where they could not be counted."""

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.file.asked, self.portion)

    @property
    def is_whole(self) -> bool:
        return self.portion is None or len(self.portion) == self.file.pages

    @property
    def describes(self) -> bool:
        """Whether pictures are described, and each page costs more."""
        return self.file.asked.bbox_annotation_format is not None

    @property
    def is_divisible(self) -> bool:
        return self.portion is not None and len(self.portion) > 1

    @property
    def most_pages(self) -> int:
        return len(self.portion or self.file.numbers) or MOST_PAGES

    def request(self, content: bytes) -> OcrRequest:
        """
        Args:
            content: the file's own, or a PDF of this order's pages alone.
        """
        is_cut = content is not self.file.source.content
        named = None if is_cut or self.is_whole else self.portion
        return request(self.file.asked, content, self.file.kind, named)

    def read(self, body: bytes) -> SentPages:
        """
        Raises:
            MalformedReply: it is not what was ordered.
        """
        return sent_pages(body, self.portion, self.file.asked.model)

    def paid(self, lane: Lane = "direct") -> Paid[SentPages]:
        """What it costs at most, and what it did cost, with what is kept of it."""
        most = self.most_pages

        def bill_and_reply(sent: SentPages) -> tuple[Bill, OcrReply]:
            reply = OcrReply(self.file.version, self.fingerprint, sent.body)
            return self._bill(sent.billed, lane), reply

        def bill_of_unusable(body: bytes) -> Bill | None:
            pages = billed_pages(body)
            return None if pages is None else self._bill(pages, lane)

        model, usd = self.file.asked.model, self._bill(most, lane).usd
        intent = Intent(PROVIDER, model, "ocr", Units(most), usd, lane)
        return Paid(intent, bill_and_reply, bill_of_unusable)

    def halves(self) -> tuple["Order", ...]:
        """
        Raises:
            DocumentTooLarge: it is one page.
        """
        if self.portion is None or not self.is_divisible:
            number = self.portion[0] if self.portion else 1
            raise DocumentTooLarge(
                f"page {number} alone has more than the {LARGEST:,} bytes that Mistral reads at"
                " once: save the file with smaller pictures, or read it with the local OCR"
            )
        return tuple(Order(self.file, half) for half in equal_parts(self.portion, 2))

    def _bill(self, pages: int, lane: Lane) -> Bill:
        return bill(self.file.asked.model, pages, describes=self.describes, lane=lane)


def bill(model: str, pages: int, *, describes: bool, lane: Lane) -> Bill:
    return Bill(Units(pages), ocr_cost(model, pages, describes, lane) or Decimal(0))
