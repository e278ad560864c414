"""Pages that OCR has read are bought once: what was bought before is looked for first."""

import asyncio
import logging
from collections.abc import AsyncIterator
from functools import partial
from weakref import WeakValueDictionary

from rag.errors import DocumentTooLarge, InvalidDocument, MalformedReply
from rag.mistral.calls import Call
from rag.mistral.client import MistralClient
from rag.mistral.ocr.kinds import Kind
from rag.mistral.ocr.orders import File, Order
from rag.mistral.ocr.pdf_pages import PdfPages
from rag.mistral.ocr.portions import LARGEST, Portion, portions
from rag.mistral.ocr.replies import SentPage, SentPages
from rag.mistral.patience import BULK
from rag.mistral.refusals import Refused
from rag.ports import Ledger

log = logging.getLogger(__name__)

DEADLINE = 900.0
"""Seconds of one call; what the provider's own toolkit allows for 1,000 pages."""

_LARGEST_REPLY = 256 * 1024 * 1024
"""Bytes: 1,000 pages of 256 kB of text and blocks. Images are not asked for."""

_WORTH_CUTTING = 1024 * 1024
"""Bytes of a PDF from which the pages that are wanted are cut out of it: less goes over the wire.
Cutting starts a process of its own, so smaller files are sent whole, and their pages named."""

_TOO_LARGE = 413
"""Status of a refusal for size: a gateway may allow less than is documented."""

_UNREADABLE = (400, 422)
"""Statuses of a refusal that may mean the document: the lists of kinds that are read differ, and
only the shortest is beyond doubt."""


class OcrPurchases:
    """Pages that were bought, and those that are being bought.

    While a call is under way its document is held once more, in the body of the request: 100 MB
    for the largest, and 167 MB for the moment in which the body is made. A larger document is cut
    up by a child process, one part at a time.
    """

    def __init__(
        self,
        client: MistralClient,
        ledger: Ledger | None,
        pdf_pages: PdfPages,
        deadline: float = DEADLINE,
    ) -> None:
        self._client = client
        self._deadline = deadline
        self._ledger = ledger
        self._pdf_pages = pdf_pages
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        """One for each order that is being fulfilled."""

    async def pages(self, file: File, wanted: Portion) -> dict[int, SentPage]:
        """The wanted pages of a PDF; all pages of any other file."""
        found, missing = await self.stock(file, wanted)
        for order in missing:
            found |= await self._fulfilled(order)
        return {number: found[number] for number in wanted} if file.kind.is_pdf else found

    async def stock(
        self, file: File, wanted: Portion
    ) -> tuple[dict[int, SentPage], tuple[Order, ...]]:
        """What was bought before, and what is to be bought for the rest."""
        if not file.kind.is_pdf:
            whole = Order(file)
            kept = await self._kept(whole)
            return kept, () if kept else (whole,)
        split = partial(portions, size=file.size, pages=len(file.numbers))
        found: dict[int, SentPage] = {}
        for portion in split(file.numbers):
            found |= await self._kept(Order(file, portion))
        missing = [number for number in wanted if number not in found]
        return found, tuple(Order(file, portion) for portion in split(missing))

    async def sendable(self, order: Order) -> AsyncIterator[tuple[Order, bytes]]:
        """The order with what is sent for it; in smaller orders, where it is too large for one
        call. What was bought meanwhile is left out.

        Raises:
            DocumentTooLarge: a page is too large alone.
        """
        if await self._kept(order):
            return
        content = await self._content(order)
        if content is not None:
            yield order, content
            return
        for half in order.halves():
            async for each in self.sendable(half):
                yield each

    async def _fulfilled(self, order: Order) -> dict[int, SentPage]:
        """Bought now, unless it was before or is being bought by another."""
        turn = self._turns.setdefault((order.file.version, order.fingerprint), asyncio.Lock())
        async with turn:
            if kept := await self._kept(order):
                return kept
            content = await self._content(order)
            sent = None if content is None else await self._buy(order, content)
            if sent is not None:
                return sent.pages
        found: dict[int, SentPage] = {}
        for half in order.halves():
            found |= await self._fulfilled(half)
        return found

    async def _kept(self, order: Order) -> dict[int, SentPage]:
        """What was bought before; nothing where it was not, or can no longer be read."""
        if self._ledger is None:
            return {}
        body = await asyncio.to_thread(
            self._ledger.ocr_reply, order.file.version, order.fingerprint
        )
        if body is None:
            return {}
        try:
            return (await asyncio.to_thread(order.read, body)).pages
        except MalformedReply:
            log.warning(
                "a kept OCR reply cannot be read; it is bought again",
                extra={"action": "kept_reply_unreadable"},
            )
            return {}

    async def _content(self, order: Order) -> bytes | None:
        """What is sent for an order; None where it is too large."""
        file, portion = order.file, order.portion
        goes_whole = order.is_whole or file.size <= _WORTH_CUTTING
        if portion is None or (file.is_sendable and goes_whole):
            return file.source.content
        return await self._pdf_pages.cut(file.source.content, portion, LARGEST)

    async def _buy(self, order: Order, content: bytes) -> SentPages | None:
        """None where it is refused as too large, and could be smaller."""
        make = partial(order.request, content)
        call = Call("/v1/ocr", order.file.asked.model, make, self._deadline, _LARGEST_REPLY)
        try:
            return await self._client.ask(call, order.read, patience=BULK, paid=order.paid())
        except Refused as error:
            if error.refusal.status == _TOO_LARGE and order.is_divisible:
                return None
            raise _refused(error, order.file.kind) from error


def _refused(error: Refused, kind: Kind) -> Exception:
    """Whether it was the document that was refused, or us."""
    if error.refusal.status == _TOO_LARGE:
        return DocumentTooLarge(f"{error}; documents may have 50 MB and 1,000 pages")
    if error.refusal.cause == "an unreadable document":
        advice = "is it damaged or encrypted? Printed to PDF anew, or read locally, it may do"
        return InvalidDocument(f"{error}; {advice}")
    if error.refusal.status in _UNREADABLE and error.refusal.cause is None and not kind.is_pdf:
        advice = "save it as PNG or JPEG" if kind.is_image else "export it to PDF"
        return InvalidDocument(f"{error}; {advice}, which is read surely")
    return error
