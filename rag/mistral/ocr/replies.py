"""What the provider's OCR answers, as far as it can be believed."""

from collections.abc import Sequence

from msgspec import Struct

from rag.errors import MalformedReply
from rag.mistral.ocr.inlining import check_tables
from rag.mistral.ocr.numbering import original_numbers
from rag.mistral.wire.decoding import PROVIDER, decode
from rag.mistral.wire.elements import decode_each
from rag.mistral.wire.ocr import Billed, OcrPage, OcrResponse


class SentPage(Struct, frozen=True):
    page: OcrPage
    model: str
    """That read it, by its own word."""


class SentPages(Struct, frozen=True):
    """A reply whose pages are all there, and each once."""

    pages: dict[int, SentPage]
    """By their numbers in the document, from 1."""
    billed: int
    """Pages."""
    body: bytes
    """The reply as it was sent."""


def sent_pages(body: bytes, numbers: Sequence[int] | None, model: str) -> SentPages:
    """
    Args:
        numbers: pages that were asked for, from 1, rising; None where they could not be counted.
        model: that was asked.

    Raises:
        MalformedReply: it is no OCR reply, pages are missing, doubled or not asked for, or a
            table is.
    """
    reply = decode_each(body, OcrResponse, "pages", OcrPage)
    own = original_numbers([page.index for page in reply.pages], numbers)
    billed = reply.usage_info.pages_processed
    if billed is not None and billed > len(own):
        raise MalformedReply(PROVIDER, f"read {billed} pages and sent {len(own)}")
    for page in reply.pages:
        check_tables(page, own[page.index])
    said = reply.model or model
    pages = {own[page.index]: SentPage(page, said) for page in reply.pages}
    return SentPages(pages, len(pages) if billed is None else billed, body)


def billed_pages(body: bytes) -> int | None:
    """Of a reply that cannot be used, if it says so."""
    try:
        return decode(body, Billed).usage_info.pages_processed
    except MalformedReply:
        return None
