"""PDF and images -> documents, by the provider's OCR."""

import asyncio
import base64

from rag.domain import Document, Source
from rag.errors import (
    DocumentTooLarge,
    EmptyDocument,
    InvalidDocument,
    MalformedReply,
    UnsupportedMediaType,
)
from rag.mistral.calls import Call
from rag.mistral.client import MistralClient
from rag.mistral.documents import document_of
from rag.mistral.patience import BULK
from rag.mistral.refusals import Refused
from rag.mistral.wire.decoding import PROVIDER, decode
from rag.mistral.wire.ocr import DocumentUrl, ImageUrl, OcrReply, OcrRequest

MODEL = "mistral-ocr-4-0"
"""Generally available, and pinned: `-latest` moves without notice, and points to a preview. Costs
$4 per 1,000 pages; `mistral-ocr-2512` costs $2, but tells no places of blocks on a page."""

MEDIA_TYPES = (
    "application/pdf",
    "image/png",
    "image/jpeg",
    "image/tiff",
    "image/webp",
    "image/gif",
    "image/bmp",
)
"""What goes to the provider; every other kind is read here."""

LARGEST = 50 * 1024 * 1024
"""Bytes of one document, by the provider's FAQ, which also says 1,000 pages."""

_WITHOUT_BLOCKS = frozenset({"mistral-ocr-2503", "mistral-ocr-2505", "mistral-ocr-2512"})
"""Models that return no blocks, and so no confidence of blocks either."""

_DEADLINE = 900.0
"""Seconds; what the provider's own toolkit allows for 1,000 pages."""

_LARGEST_REPLY = 256 * 1024 * 1024
"""Bytes: 1,000 pages of 256 kB of text and blocks. Images are not asked for."""

_READING = 1
"""Raised when the same reply would become another document."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)
"""First bytes -> media type; what a file is counts for more than what it was declared as."""


class MistralReader:
    """A `Reader` of PDF and images."""

    def __init__(self, client: MistralClient, model: str | None = None) -> None:
        """
        Args:
            model: id of an OCR model; `MODEL` where None.
        """
        self._client = client
        self._model = model or MODEL

    @property
    def fingerprint(self) -> str:
        return f"mistral/{self._model}/reading-{_READING}"

    async def read(self, source: Source) -> Document:
        """
        Raises:
            InvalidDocument: it is empty, too large, of another kind, or the provider cannot
                parse it.
            ProviderError: the provider failed for good, after retries.
        """
        media_type = _media_type(source)
        call = Call(
            "/v1/ocr",
            self._model,
            self._request(source.content, media_type),
            _DEADLINE,
            _LARGEST_REPLY,
        )
        try:
            reply = await self._client.ask(call, _checked_reply, patience=BULK)
        except Refused as error:
            raise _refused(error) from error
        return await asyncio.to_thread(document_of, source, media_type, reply, self._model)

    def _request(self, content: bytes, media_type: str) -> OcrRequest:
        url = f"data:{media_type};base64,{base64.b64encode(content).decode()}"
        is_pdf = media_type == "application/pdf"
        return OcrRequest(
            self._model,
            DocumentUrl(url) if is_pdf else ImageUrl(url),
            include_blocks=True,
            table_format="markdown",
            extract_header=True,
            extract_footer=True,
            confidence_scores_granularity="page" if self._model in _WITHOUT_BLOCKS else "block",
        )


def _media_type(source: Source) -> str:
    content = source.content
    if not content:
        raise EmptyDocument("the file is empty")
    if len(content) > LARGEST:
        raise DocumentTooLarge(
            f"{len(content):,} bytes; Mistral reads documents up to {LARGEST:,}:"
            " split the file, or read it with the local OCR"
        )
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    found = next((kind for magic, kind in _MAGIC if content.startswith(magic)), None)
    if found is None and b"%PDF-" in content[:1024]:  # where readers of PDF look for it
        found = "application/pdf"
    if found is None:
        raise UnsupportedMediaType("neither a PDF nor an image; Mistral's OCR reads nothing else")
    return found


def _refused(error: Refused) -> Exception:
    """Whether it was the document that was refused, or us."""
    if error.refusal.status == 413:
        return DocumentTooLarge(f"{error}; documents may have 50 MB and 1,000 pages")
    if error.refusal.cause == "an unreadable document":
        return InvalidDocument(f"{error}; is it damaged, encrypted, or over 1,000 pages?")
    return error


def _checked_reply(body: bytes) -> OcrReply:
    """
    Raises:
        MalformedReply: pages are missing, or there twice.
    """
    reply = decode(body, OcrReply)
    numbers = sorted(page.index for page in reply.pages)
    first = numbers[0] if numbers else 0
    if first not in (0, 1) or numbers != list(range(first, first + len(numbers))):
        raise MalformedReply(PROVIDER, "sent pages with gaps or repetitions")
    if reply.usage_info.pages_processed > len(numbers):
        raise MalformedReply(
            PROVIDER, f"read {reply.usage_info.pages_processed} pages and sent {len(numbers)}"
        )
    return reply
