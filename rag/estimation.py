"""The story of a price: what an ingest would do and cost, before anything is sent.

Everything free is really done: files are read as far as that costs nothing, cut up, and counted
by the collection's own tokenizer. What only OCR could tell is a range.
"""

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from rag.domain import Collection, Document, Failure, Source, Survey, embedded_text
from rag.errors import EmptyDocument, InvalidDocument
from rag.ingestion import cut, refusal_of
from rag.ports import Embedder, Embedders, Priced, Reader, Readers, Surveyor
from rag.storage.library import Library

TOKENS_OF_A_PAGE = (150, 1_500)
"""Of a page that only OCR can read: a title page, and a dense one of two columns."""

BYTES_OF_A_PAGE = 2_000
"""Of an office file, compressed: pages of text alone have more, and pictures many more."""

FEWEST = 0.5
"""Of the tokens that a text is counted to have at most: where no exact tokenizer is at hand, the
count is a bound that English stays at half of."""

EmbeddingPrice: TypeAlias = Callable[[str, int], Decimal]
"""Embedding model, tokens -> USD."""


class Range(Struct, frozen=True):
    least: Decimal
    most: Decimal

    def __add__(self, other: "Range") -> "Range":
        return Range(self.least + other.least, self.most + other.most)


NOTHING = Range(Decimal(0), Decimal(0))


class Estimate(Struct, frozen=True):
    """What an ingest of some files would do. All prices in USD."""

    files: int
    unchanged: int
    refused: int
    """That cannot become documents; the reasons are in `problems`."""
    pages: int
    pages_to_ocr: int
    """That are still to be bought; what was bought before is kept, and costs nothing again."""
    tokens: Range
    """To be embedded; texts embedded before cost nothing again."""
    ocr_usd: Range
    embedding_usd: Range
    usd: Range
    unknown: int = 0
    """Files whose pages are not known before they are read (office documents): one page each at
    least, and at most as many as their bytes allow."""
    problems: tuple[tuple[str, Failure], ...] = ()
    """Key and reason."""

    def __add__(self, other: "Estimate") -> "Estimate":
        return Estimate(
            *(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__)
        )


NOTHING_TO_DO = Estimate(0, 0, 0, 0, 0, NOTHING, NOTHING, NOTHING, NOTHING)


class _Part(Struct, frozen=True):
    """Of one file."""

    pages: int = 0
    pages_to_ocr: int = 0
    tokens: Range = NOTHING
    ocr_usd: Range = NOTHING
    is_unknown: bool = False


async def estimate(
    sources: Sequence[Source],
    within: Collection,
    *,
    readers: Readers,
    embedders: Embedders,
    library: Library,
    embedding_price: EmbeddingPrice,
) -> Estimate:
    """
    Raises:
        ModelUnavailable: the collection's model is not configured here.
    """
    model = within.embedding_model
    embedder = embedders[model] if model else None
    parts: list[_Part] = []
    problems: list[tuple[str, Failure]] = []
    unchanged = 0
    for source in sources:
        if await asyncio.to_thread(_is_current, source, within, library):
            unchanged += 1
            continue
        try:
            part = await _part(source, within, readers[source.media_type or ""], embedder, library)
            parts.append(part)
        except InvalidDocument as error:
            problems.append((source.key, Failure(error.code, "read", str(error))))
    tokens = sum((part.tokens for part in parts), NOTHING)
    embedding = Range(*(embedding_price(model or "", int(n)) for n in (tokens.least, tokens.most)))
    ocr = sum((part.ocr_usd for part in parts), NOTHING)
    return Estimate(
        files=len(sources),
        unchanged=unchanged,
        refused=len(problems),
        pages=sum(part.pages for part in parts),
        pages_to_ocr=sum(part.pages_to_ocr for part in parts),
        tokens=tokens,
        ocr_usd=ocr,
        embedding_usd=embedding,
        usd=ocr + embedding,
        unknown=sum(part.is_unknown for part in parts),
        problems=tuple(problems),
    )


def _is_current(source: Source, within: Collection, library: Library) -> bool:
    found = library.find_document(within, source.key)
    return found is not None and found.version == source.version


async def _part(
    source: Source,
    within: Collection,
    reader: Reader,
    embedder: Embedder | None,
    library: Library,
) -> _Part:
    survey = await _surveyed(source, reader, library)
    if survey is None:
        return await _unsurveyed(source, reader)
    to_ocr, usd = 0, Decimal(0)
    if isinstance(reader, Priced) and survey.unread:
        to_ocr, usd = await reader.price(source, survey.unread)
    known = await _tokens(survey.document, within, embedder, library)
    unread = len(survey.unread)
    unknown = Range(*(Decimal(unread * each) for each in TOKENS_OF_A_PAGE))
    return _Part(len(survey.document.pages), to_ocr, known + unknown, Range(usd, usd))


async def _unsurveyed(source: Source, reader: Reader) -> _Part:
    """Of a file that only the provider can open: it has one page, or as many as its bytes allow."""
    bound, usd = await reader.price(source) if isinstance(reader, Priced) else (0, Decimal(0))
    if not bound:
        return _Part()
    most = min(bound, 1 + len(source.content) // BYTES_OF_A_PAGE)
    tokens = Range(Decimal(TOKENS_OF_A_PAGE[0]), Decimal(most * TOKENS_OF_A_PAGE[1]))
    prices = Range(usd / bound, usd / bound * most)
    return _Part(1, 1, tokens, prices, is_unknown=True)


async def _surveyed(source: Source, reader: Reader, library: Library) -> Survey | None:
    """As much of the document as costs nothing to know; None where that is nothing."""
    fingerprint = await asyncio.to_thread(getattr, reader, "fingerprint")
    kept = await asyncio.to_thread(library.reading, source.version, fingerprint)
    if isinstance(kept, Document):
        return Survey(kept)
    if isinstance(kept, Failure):
        raise refusal_of(kept)
    return await reader.survey(source) if isinstance(reader, Surveyor) else None


async def _tokens(
    document: Document, within: Collection, embedder: Embedder | None, library: Library
) -> Range:
    """Of its texts that were not embedded before."""
    if embedder is None or not document.text.strip():
        return NOTHING
    try:
        chunks = await asyncio.to_thread(cut, document, within, embedder)
    except EmptyDocument:
        return NOTHING
    texts = list(dict.fromkeys(embedded_text(chunk, document.title) for chunk in chunks))
    known = await asyncio.to_thread(library.embeddings, embedder.model, "passage", texts)
    most = sum(embedder.count_tokens([text for text in texts if text not in known]))
    return Range(Decimal(int(most * FEWEST)), Decimal(most))
