"""PDFs made by hand, and what stands in for a parser and a ledger where a test needs neither."""

import itertools
from collections.abc import Sequence
from typing import Any

from fake_mistral.contract import Ocr
from fake_mistral.pages import ocr_page

from rag.domain import Document, Version
from rag.mistral.ocr.numbering import ranges
from rag.spending import Bill, Bought, Intent, IntentId, OcrReply

PDF_START = b"%PDF-1.7 "


def pdf(*texts: str) -> bytes:
    """A document with one line of text on each page."""
    objects = ["<</Type/Catalog/Pages 2 0 R>>", ""]
    kids = []
    for text in texts:
        stream = f"BT /F 12 Tf 72 720 Td ({text}) Tj ET"
        kids.append(f"{len(objects) + 2} 0 R")
        objects.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {len(objects)} 0 R"
            "/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
        )
    objects[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(kids)}]>>"
    body = "".join(f"{n} 0 obj\n{text}\nendobj\n" for n, text in enumerate(objects, 1))
    return f"%PDF-1.4\n{body}trailer<</Root 1 0 R/Size {len(objects) + 1}>>".encode()


class PaperPages:
    """Pages of a PDF that need not be one: as many as it is told, each of the bytes it is told.
    What is cut out begins with `%PDF-cut` and the numbers."""

    def __init__(self, count: int, sizes: dict[int, int] | None = None) -> None:
        self.pages = count
        self._sizes = sizes or {}
        self.cuts: list[str] = []

    async def count(self, content: bytes) -> int:
        return self.pages

    async def cut(self, content: bytes, numbers: Sequence[int], largest: int) -> bytes | None:
        self.cuts.append(ranges(numbers))
        if sum(self._sizes.get(number, 0) for number in numbers) > largest:
            return None
        return b"%PDF-cut " + " ".join(map(str, numbers)).encode()


class Shelf:
    """A ledger in memory that keeps what was bought."""

    def __init__(self) -> None:
        self.intents: list[Intent] = []
        self.bills: list[Bill] = []
        self.lost = 0
        self.kept: dict[tuple[Version, str], bytes] = {}
        self._ids = itertools.count(1)

    def intend(self, intent: Intent) -> IntentId:
        self.intents.append(intent)
        return IntentId(next(self._ids))

    def settle(self, intent: IntentId, bill: Bill, bought: Bought | None = None) -> None:
        self.bills.append(bill)
        if bought is not None:
            assert isinstance(bought, OcrReply)
            self.kept[bought.version, bought.fingerprint] = bought.content

    def withdraw(self, intent: IntentId) -> None: ...

    def lose(self, intent: IntentId) -> None:
        self.lost += 1

    def ocr_reply(self, version: Version, fingerprint: str) -> bytes | None:
        return self.kept.get((version, fingerprint))


def numbered(request: Ocr, content: bytes, count: int, *, anew: bool) -> list[dict[str, Any]]:
    """Replies that say "Page 7" of page 7, for whole documents, parts of them and subsets.

    Args:
        anew: whether the provider's indexes begin anew where a subset is asked for.
    """
    _, is_cut, cut = content.partition(b"%PDF-cut ")
    own = [int(number) for number in cut.split()] if is_cut else list(range(1, count + 1))
    assert isinstance(request.pages, list | None)
    asked = range(len(own)) if request.pages is None else request.pages
    return [
        ocr_page(f"Page {own[index]}", place if anew else index)
        for place, index in enumerate(asked)
    ]


def spanned(document: Document, span: Any) -> str:
    return document.text[span.start : span.end]
