"""The story of another index: stored text -> chunks -> vectors -> one more index of a collection.

Nothing is read again: the text is in the library, and so are the vectors of all that was embedded
with this model before. Questions are answered from the former index all the while.
"""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from time import perf_counter

import msgspec
from msgspec import Struct

from rag.calibration import SelfCheck, foreseen
from rag.domain import Collection, Document, DocumentId, Saved, document_id, embedded_text
from rag.errors import EmptyDocument
from rag.estimation import FEWEST, NOTHING, Range
from rag.ingestion import cut, flaw_of, make, worth_of_tokens
from rag.ports import Embedder, Embedders, PaidEmbedder
from rag.storage.claims import ClaimedItem
from rag.storage.library import Library

LISTED = 100  # documents read from a list at a time


class Forecast(Struct, frozen=True):
    """What building an index would do and cost. Prices in USD."""

    documents: int = 0
    chunks: int = 0
    tokens: Range = NOTHING
    """To be embedded."""
    usd: Range = NOTHING
    saved: Saved = Saved()
    """What was embedded with this model before, and costs nothing again."""
    self_check: SelfCheck = SelfCheck()
    """That follows, and is not in the sum."""

    def __add__(self, other: "Forecast") -> "Forecast":
        return Forecast(
            *(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__)
        )


async def rebuild(claimed: ClaimedItem, *, embedders: Embedders, library: Library) -> None:
    """Cuts and embeds one stored document for the index that the item is for, and puts it there.

    Nothing is done where it is there already, or was replaced meanwhile: what is published goes
    into every index.

    Raises:
        ProviderError: embedding failed for good, after retries.
        ModelUnavailable: the index's model is not configured here.
    """
    began = perf_counter()
    view = claimed.collection
    id = document_id(view.id, claimed.key)
    stored = await asyncio.to_thread(library.indexes.stored, id)
    if stored is None:  # its item ended with it, unless it never was published
        await asyncio.to_thread(library.jobs.finish, claimed, "superseded")
        return
    embedder = embedders[view.embedding_model] if view.embedding_model else None
    chunks = await asyncio.to_thread(cut, stored.document, view, embedder)
    await asyncio.to_thread(library.jobs.advance, claimed, "chunked")
    made = await make(stored.document, chunks, embedder, library)
    worth = await asyncio.to_thread(worth_of_tokens, [made])
    await asyncio.to_thread(
        library.indexes.publish,
        claimed,
        stored,
        made.edition,
        seconds=perf_counter() - began,
        flaw=flaw_of([made.edition]),
        worth=worth,
    )


async def foresee(planned: Collection, embedder: Embedder | None, library: Library) -> Forecast:
    """What an index like this would take, by cutting every stored document. Nothing is sent.

    Args:
        planned: the collection as it would be seen through the index.
    """
    total = Forecast()
    async for id in _documents(planned, library):
        stored = await asyncio.to_thread(library.indexes.stored, id)
        if stored is not None:
            total += await asyncio.to_thread(
                _of_document, stored.document, planned, embedder, library
            )
    check = foreseen(msgspec.structs.replace(planned, chunks=0), embedder, total.chunks)
    return msgspec.structs.replace(total, self_check=check)


async def _documents(collection: Collection, library: Library) -> AsyncIterator[DocumentId]:
    after: str | None = None
    while True:
        page = await asyncio.to_thread(
            library.documents.list, collection, limit=LISTED, after=after
        )
        for summary in page.data:
            yield summary.id
        if not page.has_more:
            return
        after = page.next


def _of_document(
    document: Document, planned: Collection, embedder: Embedder | None, library: Library
) -> Forecast:
    try:
        chunks = cut(document, planned, embedder)
    except EmptyDocument:
        return Forecast(documents=1)
    if embedder is None:
        return Forecast(documents=1, chunks=len(chunks))
    texts = list(dict.fromkeys(embedded_text(chunk, document.title) for chunk in chunks))
    known = library.purchases.embeddings(embedder.model, "passage", texts)
    most = sum(embedder.count_tokens([text for text in texts if text not in known]))
    spared = sum(embedder.count_tokens(list(known)))
    tokens = Range(Decimal(int(most * FEWEST)), Decimal(most))
    return Forecast(
        documents=1,
        chunks=len(chunks),
        tokens=tokens,
        usd=Range(_usd(embedder, int(tokens.least)), _usd(embedder, int(tokens.most))),
        saved=Saved(tokens=spared, usd=_usd(embedder, spared)),
    )


def _usd(embedder: Embedder, tokens: int) -> Decimal:
    return embedder.cost(tokens) if isinstance(embedder, PaidEmbedder) else Decimal(0)
