"""The story of a document: bytes -> text -> chunks -> vectors -> published.

Safe to repeat and to interrupt at any point: a document is known by its key, what was dear to
make is kept under what it was made from, and publishing is one transaction. What was done before
a crash is found again, not done again.
"""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from time import perf_counter

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from rag.chunking.chunks import chunk
from rag.domain import (
    Chunk,
    Collection,
    Document,
    DocumentSummary,
    Failure,
    Lane,
    Source,
    Survey,
    Vectors,
    embedded_text,
)
from rag.errors import EmptyDocument, InputRefused, InvalidDocument
from rag.ports import (
    Completer,
    Embedder,
    Embedders,
    PaidEmbedder,
    Priced,
    Reader,
    Readers,
    Surveyor,
)
from rag.storage.items import ClaimedItem
from rag.storage.library import Library
from rag.storage.publishing import NOT_OCRED
from rag.storage.savings import Worth

EMBEDDING_BATCH = 256
"""Chunks embedded between two commits of their vectors: what a crash can cost, and small enough
that a question does not wait long behind it."""

LONGEST_TITLE = 200
"""Characters kept of a title: it stands above every chunk, and must leave room for the text."""

PAGES_NAMED = 10  # in a message

TEXT_LAYER = "text-layer"
"""`Page.reader` of a page that was not OCRed; every other page cost seconds or money to read."""


class Embedded(Struct, frozen=True):
    """What became of a document's chunks."""

    vectors: Vectors | None
    """(n, dimension), for each chunk but the refused; None where there is no model."""
    refused: frozenset[int] = frozenset()
    """Positions of chunks that the model refuses for themselves."""
    texts: tuple[str, ...] = ()
    """What the vectors are of, each once."""


NOT_EMBEDDED = Embedded(None)


async def ingest(
    claimed: ClaimedItem, *, readers: Readers, embedders: Embedders, library: Library
) -> DocumentSummary:
    """Read one claimed source, cut it up, embed the pieces and publish them in one step.

    Raises:
        InvalidDocument: the bytes cannot become a document.
        ProviderError: OCR or embedding failed for good, after retries.
        ModelUnavailable: the collection's model is not configured here.
    """
    began = perf_counter()
    within = claimed.collection
    source = await asyncio.to_thread(library.source, claimed)
    document = await read(source, readers=readers, library=library, lane=claimed.lane)
    await asyncio.to_thread(library.advance, claimed, "read")
    embedder = embedders[within.embedding_model] if within.embedding_model else None
    chunks = await asyncio.to_thread(cut, document, within, embedder)
    await asyncio.to_thread(library.advance, claimed, "chunked")
    embedded = (
        NOT_EMBEDDED if embedder is None else await embed(document, chunks, embedder, library)
    )
    reader = readers[source.media_type or ""]
    worth = await asyncio.to_thread(
        _worth, document, embedded.texts, reader, embedder, claimed.lane
    )
    return await asyncio.to_thread(
        library.publish,
        within,
        document,
        chunks,
        embedded.vectors,
        claimed=claimed,
        seconds=perf_counter() - began,
        refused=embedded.refused,
        flaw=_flaw(embedded, chunks),
        worth=worth,
    )


async def survey(
    source: Source, reader: Reader, library: Library, lane: Lane = "direct"
) -> Survey | None:
    """As much of the document as costs nothing to know; None where that is nothing. Kept in the
    batch lane, as `read` does.

    Raises:
        InvalidDocument: as `read`.
    """
    fingerprint = await asyncio.to_thread(getattr, reader, "fingerprint")
    kept = await asyncio.to_thread(library.reading, source.version, fingerprint)
    if isinstance(kept, Failure):
        raise refusal_of(kept)
    if kept is not None:
        return Survey(kept)
    known = await asyncio.to_thread(library.survey, source.version, fingerprint)
    if known is not None:
        return known
    if not isinstance(reader, Surveyor):
        return None
    seen = await reader.survey(source)
    if lane == "batch" and isinstance(reader, Completer):
        await asyncio.to_thread(library.keep_in_passing, source.version, fingerprint, seen)
    return seen


async def read(
    source: Source, *, readers: Readers, library: Library, lane: Lane = "direct"
) -> Document:
    """The source as a document; from the kept reading where these bytes were read before. In the
    batch lane hours may pass between two steps of an item: there every reading is kept so long.

    Raises:
        InvalidDocument: now, or when the same reader last refused these bytes.
    """
    reader = readers[source.media_type or ""]
    fingerprint = await asyncio.to_thread(getattr, reader, "fingerprint")  # may ask an engine
    kept = await asyncio.to_thread(library.reading, source.version, fingerprint)
    if isinstance(kept, Failure):
        raise refusal_of(kept)
    if kept is not None:
        return _as_named(kept, source)
    try:
        document = await _read_on(source, reader, fingerprint, library)
        if not document.text.strip():
            raise EmptyDocument("it holds no text that could be searched")
    except InvalidDocument as error:
        reason = Failure(error.code, "read", str(error))
        await asyncio.to_thread(library.keep_reading, source.version, fingerprint, reason)
        raise
    if any(page.reader != TEXT_LAYER for page in document.pages):
        await asyncio.to_thread(library.keep_reading, source.version, fingerprint, document)
    elif lane == "batch":
        await asyncio.to_thread(library.keep_in_passing, source.version, fingerprint, document)
    return _as_named(document, source)


async def _read_on(source: Source, reader: Reader, fingerprint: str, library: Library) -> Document:
    """From where a survey ended, if one was kept."""
    if isinstance(reader, Completer):
        known = await asyncio.to_thread(library.survey, source.version, fingerprint)
        if known is not None:
            return await reader.complete(source, known)
    return await reader.read(source)


def cut(document: Document, within: Collection, embedder: Embedder | None) -> tuple[Chunk, ...]:
    """The document's chunks, counted with the collection's own tokenizer, or by words where the
    collection has no model."""
    count_tokens = _count_words if embedder is None else embedder.count_tokens
    chunks = chunk(document, limit=within.chunk_tokens, count_tokens=count_tokens)
    if not chunks:
        raise EmptyDocument("it holds no text that could be searched")
    return chunks


async def embed(
    document: Document, chunks: Sequence[Chunk], embedder: Embedder, library: Library
) -> Embedded:
    """Texts embedded before are not embedded again; each batch but the last is kept as soon as it
    is there, and publishing keeps the last."""
    texts = [embedded_text(piece, document.title) for piece in chunks]
    known = await asyncio.to_thread(library.embeddings, embedder.model, "passage", texts)
    missing = list(dict.fromkeys(text for text in texts if text not in known))
    for start in range(0, len(missing), EMBEDDING_BATCH):
        batch = missing[start : start + EMBEDDING_BATCH]
        try:
            vectors = await embedder.embed(batch, "passage")
        except InputRefused as refused:
            known.update(await _without(refused, batch, embedder, library))
            continue
        known.update(zip(batch, vectors, strict=True))
        if start + EMBEDDING_BATCH < len(missing):
            await asyncio.to_thread(
                library.keep_embeddings, embedder.model, "passage", batch, vectors
            )
    there = [known[text] for text in texts if text in known]
    left_out = frozenset(n for n, text in enumerate(texts) if text not in known)
    return Embedded(np.stack(there), left_out, tuple(known))


async def _without(
    refused: InputRefused, batch: Sequence[str], embedder: Embedder, library: Library
) -> dict[str, npt.NDArray[np.float32]]:
    """The vectors of a batch some of whose texts were refused: all others were bought and kept.

    Raises:
        InputRefused: they were not, or none are left.
    """
    vectors = await asyncio.to_thread(library.embeddings, embedder.model, "passage", batch)
    others = {text for n, text in enumerate(batch) if n not in refused.positions}
    if not others or others - vectors.keys():
        raise refused
    return vectors


def paid_pages(document: Document, reader: Reader) -> int:
    """Pages that were bought, now or before."""
    if not isinstance(reader, Priced):
        return 0
    return sum(page.reader not in NOT_OCRED for page in document.pages)


def _worth(
    document: Document,
    texts: Sequence[str],
    reader: Reader,
    embedder: Embedder | None,
    lane: Lane,
) -> Worth:
    """What a provider would be paid for the document, had nothing been known."""
    pages = paid_pages(document, reader)
    worth = Worth(pages, reader.cost(pages, lane) if isinstance(reader, Priced) else Decimal(0))
    if not isinstance(embedder, PaidEmbedder):
        return worth
    tokens = sum(embedder.count_tokens(texts))
    return msgspec.structs.replace(
        worth,
        tokens=tokens,
        tokens_usd=embedder.cost(tokens, lane),
        most_tokens=embedder.most_tokens(texts),
    )


def _flaw(embedded: Embedded, chunks: Sequence[Chunk]) -> Failure | None:
    """What a reader of the item must know although the document is there."""
    if not embedded.refused:
        return None
    missing = [chunks[n] for n in sorted(embedded.refused)]
    pages = sorted({page for chunk in missing for page in chunk.pages})
    where = f" (pages {', '.join(map(str, pages[:PAGES_NAMED]))})" if pages else ""
    return Failure(
        InputRefused.code,
        "embed",
        f"the embedding model refuses {len(missing)} of {len(chunks)} passages{where}: they are"
        " found by their words alone",
    )


def _as_named(document: Document, source: Source) -> Document:
    """A reading belongs to its bytes; key, title and attributes belong to the source."""
    return msgspec.structs.replace(
        document,
        key=source.key,
        title=(source.title or document.title)[:LONGEST_TITLE],
        attributes={**document.attributes, **source.attributes},
    )


def refusal_of(kept: Failure) -> InvalidDocument:
    error = InvalidDocument(kept.message)
    error.code = kept.code  # type: ignore[misc]  # the kept word, not the class's own
    return error


def _count_words(texts: Sequence[str]) -> list[int]:
    """A stand-in for tokens where there is no tokenizer: English prose has 1.3 a word."""
    return [round(1.3 * len(text.split())) + 2 for text in texts]
