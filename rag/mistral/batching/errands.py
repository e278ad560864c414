"""What is sent in a batch, and how its reply is read when it comes, perhaps to another process."""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

from rag.domain import InputType, Version
from rag.errors import MalformedReply
from rag.mistral.batch import Outcome
from rag.mistral.embedding.profiles import Profile, profile
from rag.mistral.embedding.purchases import bill_of_unusable, paid
from rag.mistral.embedding.vectors import embedding_request, read_embeddings
from rag.mistral.ocr.orders import Order, bill
from rag.mistral.ocr.portions import MOST_PAGES
from rag.mistral.ocr.replies import billed_pages, sent_pages
from rag.mistral.wire.encoding import encoded
from rag.spending import Awaited, Bill, Ending, Errand, OcrReply, embedding_purchase, ocr_purchase

_PER_PAGE = 32 * 1024
"""Bytes of a reply: text, blocks and boxes of a dense page."""

_PER_NUMBER = 22
"""Bytes of a vector's number, as seen."""


class _OcrMemo(Struct, frozen=True, tag="ocr"):
    version: Version
    fingerprint: str
    model: str
    portion: tuple[int, ...] | None
    describes: bool

    def ending(self, body: bytes, is_wanted: bool) -> Ending:
        try:
            sent = sent_pages(body, self.portion, self.model)
        except MalformedReply:
            pages = billed_pages(body)
            return Ending() if pages is None else Ending(self._bill(pages))
        reply = OcrReply(self.version, self.fingerprint, sent.body)
        return Ending(self._bill(sent.billed), reply if is_wanted else None)

    def _bill(self, pages: int) -> Bill:
        return bill(self.model, pages, describes=self.describes, lane="batch")


class _EmbeddingMemo(Struct, frozen=True, tag="embed"):
    profile: str
    input_type: InputType

    def ending(self, body: bytes, texts: Sequence[str] | None) -> Ending:
        model = profile(self.profile)
        if texts is not None:
            try:
                embedded = read_embeddings(body, texts, model)
            except MalformedReply:
                pass  # it may say all the same what it cost
            else:
                return Ending(*paid(texts, self.input_type, model, "batch").bill(embedded))
        return Ending(bill_of_unusable(body, model, "batch"))


_Memo: TypeAlias = _OcrMemo | _EmbeddingMemo


def ocr_errand(order: Order, content: bytes) -> Errand:
    """
    Args:
        content: what is sent for the order.
    """
    version, model = order.file.version, order.file.asked.model
    memo = _OcrMemo(version, order.fingerprint, model, order.portion, order.describes)
    return Errand(
        "/v1/ocr",
        encoded(order.request(content)).whole(),
        order.paid("batch").intent,
        (ocr_purchase(version, order.fingerprint),),
        msgspec.json.encode(memo),
        (),
        len(order.portion or order.file.numbers or range(MOST_PAGES)) * _PER_PAGE,
    )


def embedding_errand(texts: Sequence[str], input_type: InputType, model: Profile) -> Errand:
    return Errand(
        "/v1/embeddings",
        msgspec.json.encode(embedding_request(texts, input_type, model)),
        paid(texts, input_type, model, "batch").intent,
        tuple(embedding_purchase(model.name, input_type, text) for text in texts),
        msgspec.json.encode(_EmbeddingMemo(model.name, input_type)),
        tuple(texts),
        len(texts) * model.width * _PER_NUMBER,
    )


def ending_of(awaited: Awaited, outcome: Outcome) -> Ending:
    """How a request ended that has an outcome: only what succeeded is billed."""
    if not outcome.is_success:
        return Ending(is_free=outcome.status >= 400)
    memo: _Memo = msgspec.json.decode(awaited.memo, type=_Memo)
    if isinstance(memo, _OcrMemo):
        return memo.ending(outcome.body, awaited.texts is not None)
    return memo.ending(outcome.body, awaited.texts)
