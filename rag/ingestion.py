"""The story of a document: bytes -> text -> chunks -> vectors -> published.

A collection may have several indexes, each with its own model and size of chunks: a document is
cut and embedded for each, and published into all of them at once.

Safe to repeat and to interrupt at any point: a document is known by its key, what was dear to
make is kept under what it was made from, and publishing is one transaction. What was done before
a crash is found again, not done again.
"""

import asyncio
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import PurePosixPath
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
    IndexId,
    Lane,
    Source,
    Survey,
    Version,
    embedded_text,
)
from rag.errors import EmptyDocument, IndexesChanged, InputRefused, InvalidDocument
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
from rag.storage.claims import ClaimedItem
from rag.storage.library import Library
from rag.storage.publishing import NOT_OCRED, Edition
from rag.storage.savings import Worth

EMBEDDING_BATCH = 256
"""Chunks embedded between two commits of their vectors: what a crash can cost, and small enough
that a question does not wait long behind it."""

LONGEST_TITLE = 200
"""Characters kept of a title: it stands above every chunk, and must leave room for the text."""

PAGES_NAMED = 10  # in a message

TEXT_LAYER = "text-layer"
"""`Page.reader` of a page that was not OCRed; every other page cost seconds or money to read."""


class Made(Struct, frozen=True):
    """A document cut and embedded for one index, and what of that a provider sells."""

    edition: Edition
    texts: tuple[str, ...] = ()
    """What was embedded, each once."""
    embedder: Embedder | None = None


async def ingest(
    claimed: ClaimedItem,
    source: Source,
    *,
    readers: Readers,
    embedders: Embedders,
    library: Library,
) -> DocumentSummary:
    """Read one claimed source, cut it up, embed the pieces and publish them in one step.

    Raises:
        InvalidDocument: the bytes cannot become a document.
        ProviderError: OCR or embedding failed for good, after retries.
        ModelUnavailable: the collection's model is not configured here.
    """
    began = perf_counter()
    document = await read(source, readers=readers, library=library, lane=claimed.lane)
    await asyncio.to_thread(library.jobs.advance, claimed, "read")
    reader = readers[source.media_type or ""]
    fingerprint = await asyncio.to_thread(getattr, reader, "fingerprint")
    pages = await asyncio.to_thread(_worth_of_pages, document, reader, claimed.lane)
    while True:
        views = await asyncio.to_thread(library.indexes.views, claimed.collection.id)
        made = await _make_for_all(document, views, claimed, embedders, library)
        worth = await asyncio.to_thread(worth_of_tokens, made.values(), claimed.lane)
        own, *others = made.items()
        try:
            return await asyncio.to_thread(
                library.documents.publish,
                views[0],
                document,
                own[1].edition.chunks,
                own[1].edition.vectors,
                claimed=claimed,
                seconds=perf_counter() - began,
                refused=own[1].edition.refused,
                flaw=flaw_of(each.edition for each in made.values()),
                worth=pages + worth,
                others={index: each.edition for index, each in others},
                left_out=frozenset(view.index for view in views) - made.keys(),
                fingerprint=fingerprint,
            )
        except IndexesChanged:  # one was begun meanwhile; what was embedded is kept
            continue


async def _make_for_all(
    document: Document,
    views: Sequence[Collection],
    claimed: ClaimedItem,
    embedders: Embedders,
    library: Library,
) -> dict[IndexId, Made]:
    """For the index that serves first. Another one whose model is not configured here is left
    out, and lacks the document from then on: it cannot serve before it was completed.

    Raises:
        ModelUnavailable: the model of the index that serves is not configured here.
    """
    models = {view.index: view.embedding_model for view in views}
    able = [
        view
        for view in views
        if view is views[0] or models[view.index] is None or models[view.index] in embedders
    ]
    chosen = [embedders[model] if (model := models[view.index]) else None for view in able]
    pieces = [
        await asyncio.to_thread(cut, document, view, embedder)
        for view, embedder in zip(able, chosen, strict=True)
    ]
    await asyncio.to_thread(library.jobs.advance, claimed, "chunked")
    return {
        view.index: await make(document, chunks, embedder, library)
        for view, embedder, chunks in zip(able, chosen, pieces, strict=True)
    }


async def survey(
    source: Source, reader: Reader, library: Library, lane: Lane = "direct"
) -> Survey | None:
    """As much of the document as costs nothing to know; None where that is nothing. Kept in the
    batch lane, as `read` does.

    Raises:
        InvalidDocument: as `read`.
    """
    fingerprint = await asyncio.to_thread(getattr, reader, "fingerprint")
    kept = await asyncio.to_thread(library.purchases.reading, source.version, fingerprint)
    if isinstance(kept, Failure):
        raise refusal_of(kept)
    if kept is not None:
        return Survey(kept)
    known = await asyncio.to_thread(library.purchases.survey, source.version, fingerprint)
    if known is not None:
        return known
    if not isinstance(reader, Surveyor):
        return None
    seen = await reader.survey(_bare(source))
    if lane == "batch" and isinstance(reader, Completer):
        await asyncio.to_thread(
            library.purchases.keep_in_passing, source.version, fingerprint, seen
        )
    return seen


async def read(
    source: Source, *, readers: Readers, library: Library, lane: Lane = "direct"
) -> Document:
    """The source as a document; from the kept reading, or from a document with the same bytes,
    where these were read before: a file that was renamed costs nothing. In the batch lane hours
    may pass between two steps of an item: there every reading is kept so long.

    Raises:
        InvalidDocument: now, or when the same reader last refused these bytes.
    """
    reader = readers[source.media_type or ""]
    fingerprint = await asyncio.to_thread(getattr, reader, "fingerprint")  # may ask an engine
    kept = await asyncio.to_thread(library.purchases.reading, source.version, fingerprint)
    if isinstance(kept, Failure):
        raise refusal_of(kept)
    if kept is not None:
        return _as_named(kept, source)
    twin = await asyncio.to_thread(library.documents.twin, source, fingerprint)
    if twin is not None:
        return _as_named(twin, source)
    try:
        document = await _read_on(_bare(source), reader, fingerprint, library)
        if not document.text.strip():
            raise EmptyDocument("it holds no text that could be searched")
    except InvalidDocument as error:
        reason = Failure(error.code, "read", str(error))
        await asyncio.to_thread(library.purchases.keep_reading, source.version, fingerprint, reason)
        raise
    if any(page.reader != TEXT_LAYER for page in document.pages):
        await asyncio.to_thread(
            library.purchases.keep_reading, source.version, fingerprint, document
        )
    elif lane == "batch":
        await asyncio.to_thread(
            library.purchases.keep_in_passing, source.version, fingerprint, document
        )
    return _as_named(document, source)


async def _read_on(source: Source, reader: Reader, fingerprint: str, library: Library) -> Document:
    """From where a survey ended, if one was kept."""
    if isinstance(reader, Completer):
        known = await asyncio.to_thread(library.purchases.survey, source.version, fingerprint)
        if known is not None:
            return await reader.complete(source, known)
    return await reader.read(source)


async def refusals(
    offered: Sequence[tuple[Version, str | None]], *, readers: Readers, library: Library
) -> list[Failure | None]:
    """Why bytes of these media types were refused by the readers that are configured now; None
    where they were not."""
    said: dict[str, dict[Version, Failure]] = {}
    chosen = [readers[media_type or ""] for _, media_type in offered]
    names = {
        id(reader): await asyncio.to_thread(getattr, reader, "fingerprint")
        for reader in {id(each): each for each in chosen}.values()
    }
    for name in set(names.values()):
        said[name] = await asyncio.to_thread(
            library.purchases.refusals, [version for version, _ in offered], name
        )
    return [
        said[names[id(reader)]].get(version)
        for (version, _), reader in zip(offered, chosen, strict=True)
    ]


def cut(document: Document, within: Collection, embedder: Embedder | None) -> tuple[Chunk, ...]:
    """The document's chunks for the index through which the collection is seen: counted with its
    model's tokenizer, or by words where it has none."""
    count_tokens = _count_words if embedder is None else embedder.count_tokens
    chunks = chunk(document, limit=within.chunk_tokens, count_tokens=count_tokens)
    if not chunks:
        raise EmptyDocument("it holds no text that could be searched")
    return chunks


async def make(
    document: Document, chunks: tuple[Chunk, ...], embedder: Embedder | None, library: Library
) -> Made:
    """Texts embedded before are not embedded again; each batch but the last is kept as soon as it
    is there, and publishing keeps the last."""
    if embedder is None:
        return Made(Edition(chunks, None))
    texts = [embedded_text(piece, document.title) for piece in chunks]
    known = await asyncio.to_thread(library.purchases.embeddings, embedder.model, "passage", texts)
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
                library.purchases.keep_embeddings, embedder.model, "passage", batch, vectors
            )
    there = [known[text] for text in texts if text in known]
    left_out = frozenset(n for n, text in enumerate(texts) if text not in known)
    return Made(Edition(chunks, np.stack(there), left_out), tuple(known), embedder)


async def _without(
    refused: InputRefused, batch: Sequence[str], embedder: Embedder, library: Library
) -> dict[str, npt.NDArray[np.float32]]:
    """The vectors of a batch some of whose texts were refused: all others were bought and kept.

    Raises:
        InputRefused: they were not, or none are left.
    """
    vectors = await asyncio.to_thread(
        library.purchases.embeddings, embedder.model, "passage", batch
    )
    others = {text for n, text in enumerate(batch) if n not in refused.positions}
    if not others or others - vectors.keys():
        raise refused
    return vectors


def paid_pages(document: Document, reader: Reader) -> int:
    """Pages that were bought, now or before."""
    if not isinstance(reader, Priced):
        return 0
    return sum(page.reader not in NOT_OCRED for page in document.pages)


def _worth_of_pages(document: Document, reader: Reader, lane: Lane) -> Worth:
    """What a provider would be paid for reading the document, had nothing been known."""
    pages = paid_pages(document, reader)
    return Worth(pages, reader.cost(pages, lane) if isinstance(reader, Priced) else Decimal(0))


def worth_of_tokens(made: Iterable[Made], lane: Lane = "direct") -> Worth:
    """What a provider would be paid for embedding it: a text that several indexes have of one
    model, once."""
    texts: dict[str, dict[str, None]] = {}
    embedders: dict[str, Embedder] = {}
    for each in made:
        if each.embedder is not None:
            embedders[each.embedder.model] = each.embedder
            texts.setdefault(each.embedder.model, {}).update(dict.fromkeys(each.texts))
    total = Worth()
    for model, embedder in embedders.items():
        if isinstance(embedder, PaidEmbedder):
            own = list(texts[model])
            tokens = sum(embedder.count_tokens(own))
            total += Worth(
                tokens=tokens,
                tokens_usd=embedder.cost(tokens, lane),
                most_tokens=embedder.most_tokens(own),
            )
    return total


def flaw_of(editions: Iterable[Edition]) -> Failure | None:
    """What a reader of the item must know although the document is there: of the first index in
    which anything is not as it should be."""
    for edition in editions:
        if edition.refused:
            return _flaw(edition)
    return None


def _flaw(edition: Edition) -> Failure:
    missing = [edition.chunks[n] for n in sorted(edition.refused)]
    pages = sorted({page for chunk in missing for page in chunk.pages})
    where = f" (pages {', '.join(map(str, pages[:PAGES_NAMED]))})" if pages else ""
    return Failure(
        InputRefused.code,
        "embed",
        f"the embedding model refuses {len(missing)} of {len(edition.chunks)} passages{where}:"
        " they are found by their words alone",
    )


def _bare(source: Source) -> Source:
    """Without what the caller says of it: what is read is kept, and may serve another caller."""
    return msgspec.structs.replace(source, title=None, attributes={})


def _as_named(document: Document, source: Source) -> Document:
    """A reading belongs to its bytes; key, title and attributes belong to the source. A title that
    is only the name of the file it was read from goes with that name."""
    own = document.title
    if own == PurePosixPath(document.key).name:
        own = PurePosixPath(source.key).name
    return msgspec.structs.replace(
        document,
        key=source.key,
        title=(source.title or own)[:LONGEST_TITLE],
        attributes={**document.attributes, **source.attributes},
    )


def refusal_of(kept: Failure) -> InvalidDocument:
    error = InvalidDocument(kept.message)
    error.code = kept.code  # type: ignore[misc]  # the kept word, not the class's own
    return error


def _count_words(texts: Sequence[str]) -> list[int]:
    """A stand-in for tokens where there is no tokenizer: English prose has 1.3 a word."""
    return [round(1.3 * len(text.split())) + 2 for text in texts]
