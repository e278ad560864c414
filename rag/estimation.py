"""The story of a price: what an ingest would do and cost, before anything is sent.

Everything free is really done: files are read as far as that costs nothing, cut up, and counted
by the collection's own tokenizer. What only OCR could tell is a range.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext, suppress
from decimal import Decimal
from functools import partial

import msgspec
from msgspec import Struct

from rag.calibration import SelfCheck, foreseen
from rag.domain import (
    Collection,
    Document,
    Failure,
    Lane,
    Saved,
    Source,
    Survey,
    embedded_text,
)
from rag.errors import EmptyDocument, InvalidDocument, ModelUnavailable
from rag.ingestion import cut, paid_pages, survey
from rag.ports import Embedder, Embedders, PaidEmbedder, Priced, Reader, Readers
from rag.storage.library import Library

TOKENS_OF_A_PAGE = (100, 2_500)
"""Of a page that only OCR can read. By our own count, of 256 pages of 43 PDFs one in twenty had
less than 127 and one in twenty more than 2,397; 29 scans with known text had 109 to 1,629. This
and the next two: `scripts/bench/estimates.py`."""

BYTES_OF_A_PAGE = 1_000
"""Of an office file, at least. The text alone of 28 PDFs is deflated to 330 to 2,960 bytes a page,
1,200 in the middle, and markup comes on top; 15 office files of known length had 5,781 or more."""

FEWEST = 0.5
"""Of the tokens that our own count says. It takes 2.3 to 2.7 characters of English for a token (28
PDFs); the provider's tokenizers were seen to take 3.0 (v1, markdown) to 4.4 (Tekken, prose)."""


class Range(Struct, frozen=True):
    least: Decimal
    most: Decimal

    def __add__(self, other: "Range") -> "Range":
        return Range(self.least + other.least, self.most + other.most)


NOTHING = Range(Decimal(0), Decimal(0))


class Estimate(Struct, frozen=True):
    """What an ingest of some files would do. All prices in USD."""

    files: int = 0
    unchanged: int = 0
    refused: int = 0
    """That cannot become documents; the reasons are in `problems`."""
    pages: int = 0
    pages_to_ocr: int = 0
    """That are still to be bought; what was bought before is kept, and costs nothing again."""
    tokens: Range = NOTHING
    """To be embedded; texts embedded before cost nothing again."""
    ocr_usd: Range = NOTHING
    embedding_usd: Range = NOTHING
    self_check: SelfCheck = SelfCheck()
    """What the collection embeds besides, to try itself once it has grown so far."""
    usd: Range = NOTHING
    """In all."""
    saved: Saved = Saved()
    """What costs nothing again; of documents that are there already, all of it."""
    unknown: int = 0
    """Files whose pages are not known before they are read (office documents): one page each at
    least, and at most as many as their bytes allow."""
    problems: tuple[tuple[str, Failure], ...] = ()
    """Key and reason."""

    def __add__(self, other: "Estimate") -> "Estimate":
        names = self.__struct_fields__
        return Estimate(*(getattr(self, name) + getattr(other, name) for name in names)).summed()

    def summed(self) -> "Estimate":
        """With `usd` as its parts have it: a self-check is no sum of those of single files."""
        check = Range(Decimal(0), self.self_check.usd)
        return msgspec.structs.replace(self, usd=self.ocr_usd + self.embedding_usd + check)


NOTHING_TO_DO = Estimate()


class _Index(Struct, frozen=True):
    """One that takes every document of the collection."""

    view: Collection
    embedder: Embedder | None
    lane: Lane


class _Terms(Struct, frozen=True):
    """What holds for all files."""

    indexes: tuple[_Index, ...]
    """The one that serves first."""
    library: Library
    lane: Lane


class _Texts(Struct, frozen=True):
    """What an index embeds of a file."""

    tokens: Range = NOTHING
    chunks: int = 0
    """At most."""
    known_tokens: int = 0


class _Needs(Struct, frozen=True):
    """What one file needs, and what of that is known."""

    pages: int = 0
    to_ocr: Range = NOTHING
    texts: tuple[_Texts, ...] = ()
    """For each index, or none at all."""
    known_pages: int = 0
    is_unknown: bool = False


async def estimate(
    sources: Iterable[Source],
    within: Collection,
    *,
    readers: Readers,
    embedders: Embedders,
    library: Library,
    lane: Lane = "direct",
) -> Estimate:
    """
    Raises:
        ModelUnavailable: the collection's model is not configured here.
    """
    is_kept = bool(within.id)  # or only planned
    views = await asyncio.to_thread(library.indexes.views, within.id) if is_kept else (within,)
    terms = _Terms(tuple(_taking(views, embedders, lane)), library, lane)
    parts = [await _of_file(each, readers[each.media_type or ""], terms) for each in sources]
    return sum(parts, NOTHING_TO_DO)


def _taking(views: Sequence[Collection], embedders: Embedders, lane: Lane) -> Iterator[_Index]:
    """An index that does not serve lacks the documents that its model is not there for, and what
    it embeds is bought at once in either lane."""
    for number, view in enumerate(views):
        model = view.embedding_model
        with nullcontext() if number == 0 else suppress(ModelUnavailable):
            embedder = embedders[model] if model else None
            yield _Index(view, embedder, lane if number == 0 else "direct")


async def _of_file(source: Source, reader: Reader, terms: _Terms) -> Estimate:
    saved = await asyncio.to_thread(_worth_if_current, source, terms)
    if saved is not None:
        return Estimate(files=1, unchanged=1, saved=saved)
    try:
        return _priced(await _needs(source, reader, terms), reader, terms)
    except InvalidDocument as error:
        reason = Failure(error.code, "read", str(error))
        return Estimate(files=1, refused=1, problems=((source.key, reason),))


def _worth_if_current(source: Source, terms: _Terms) -> Saved | None:
    within = terms.indexes[0].view
    found = terms.library.documents.find_by_key(within, source.key)
    if found is None or found.version != source.version:
        return None
    return terms.library.purchases.worth_of(within, [source.key]).get(source.key, Saved())


async def _needs(source: Source, reader: Reader, terms: _Terms) -> _Needs:
    seen = await survey(source, reader, terms.library)
    if seen is None:
        return await _unopened(source, reader, terms)
    return await _opened(source, seen, reader, terms)


async def _opened(source: Source, seen: Survey, reader: Reader, terms: _Terms) -> _Needs:
    unread, to_ocr, known_pages = len(seen.unread), 0, 0
    if isinstance(reader, Priced):
        to_ocr = await reader.unbought(source, seen.unread) if unread else 0
        known_pages = paid_pages(seen.document, reader) + unread - to_ocr
    return _Needs(
        len(seen.document.pages),
        _exactly(to_ocr),
        tuple([await _texts(seen.document, unread, each, terms) for each in terms.indexes]),
        known_pages,
    )


async def _unopened(source: Source, reader: Reader, terms: _Terms) -> _Needs:
    """Of a file that only the provider can open: it has one page, or as many as its bytes allow."""
    bound = await reader.unbought(source) if isinstance(reader, Priced) else 0
    if not bound:
        return _Needs()
    most = min(bound, 1 + len(source.content) // BYTES_OF_A_PAGE)
    tokens = Range(Decimal(TOKENS_OF_A_PAGE[0]), Decimal(most * TOKENS_OF_A_PAGE[1]))
    texts = tuple(_Texts(tokens, _most_chunks(most, each)) for each in terms.indexes)
    return _Needs(1, Range(Decimal(1), Decimal(most)), texts, is_unknown=True)


def _most_chunks(pages: int, index: _Index) -> int:
    """Of pages that are not read yet."""
    return pages * (1 + TOKENS_OF_A_PAGE[1] // index.view.chunk_tokens)


async def _texts(document: Document, unread: int, index: _Index, terms: _Terms) -> _Texts:
    """
    Args:
        unread: pages of which nothing is known.
    """
    coming = Range(*(Decimal(unread * each) for each in TOKENS_OF_A_PAGE))
    embedder, unseen = index.embedder, _Texts(coming, _most_chunks(unread, index))
    if embedder is None or not document.text.strip():
        return unseen
    try:
        chunks = await asyncio.to_thread(cut, document, index.view, embedder)
    except EmptyDocument:
        return unseen
    texts = list(dict.fromkeys(embedded_text(chunk, document.title) for chunk in chunks))
    known = await asyncio.to_thread(
        terms.library.purchases.embeddings, embedder.model, "passage", texts
    )
    most = sum(embedder.count_tokens([text for text in texts if text not in known]))
    return _Texts(
        coming + Range(Decimal(int(most * FEWEST)), Decimal(most)),
        unseen.chunks + len(chunks),
        sum(embedder.count_tokens([*known])),
    )


def _priced(needs: _Needs, reader: Reader, terms: _Terms) -> Estimate:
    def pages_usd(pages: int) -> Decimal:
        return reader.cost(pages, terms.lane) if isinstance(reader, Priced) else Decimal(0)

    ocr, tokens, embedding = _each(needs.to_ocr, pages_usd), NOTHING, NOTHING
    known_tokens, spared = 0, pages_usd(needs.known_pages)
    for index, texts in zip(terms.indexes, needs.texts, strict=False):
        tokens += texts.tokens
        embedding += _each(texts.tokens, partial(_tokens_usd, index))
        known_tokens += texts.known_tokens
        spared += _tokens_usd(index, texts.known_tokens)
    serving = terms.indexes[0]
    coming = needs.texts[0].chunks if needs.texts else 0
    return Estimate(
        files=1,
        pages=needs.pages,
        pages_to_ocr=int(needs.to_ocr.least),
        tokens=tokens,
        ocr_usd=ocr,
        embedding_usd=embedding,
        self_check=foreseen(serving.view, serving.embedder, coming),
        saved=Saved(needs.known_pages, known_tokens, spared),
        unknown=int(needs.is_unknown),
    ).summed()


def _tokens_usd(index: _Index, tokens: int) -> Decimal:
    paid = index.embedder if isinstance(index.embedder, PaidEmbedder) else None
    return paid.cost(tokens, index.lane) if paid else Decimal(0)


def _each(range: Range, usd: Callable[[int], Decimal]) -> Range:
    return Range(usd(int(range.least)), usd(int(range.most)))


def _exactly(n: int) -> Range:
    return Range(Decimal(n), Decimal(n))
