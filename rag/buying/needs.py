"""What has to be bought before a step of an item is done."""

import asyncio
from collections.abc import Set as AbstractSet

from msgspec import Struct

from rag.domain import Collection, Document, Source, embedded_text
from rag.ingestion import cut, read, survey
from rag.ports import Embedder, Embedders, PaidEmbedder, PaidReader, Readers, Unpacker
from rag.spending import Errand, embedding_purchase
from rag.storage.claims import ClaimedItem
from rag.storage.library import Library


class Passages(Struct, frozen=True):
    """Texts to be embedded for one index, by the digests of their vectors."""

    embedder: PaidEmbedder
    texts: dict[bytes, str]


class Needs(Struct, frozen=True):
    """Pages come as errands; passages become errands once it is known which nobody buys yet."""

    errands: tuple[Errand, ...] = ()
    passages: tuple[Passages, ...] = ()

    @property
    def purchases(self) -> list[bytes]:
        pages = [what for errand in self.errands for what in errand.buys]
        return [*pages, *(what for each in self.passages for what in each.texts)]

    def errands_but(self, others: AbstractSet[bytes]) -> list[Errand]:
        """All but those for what is bought by others; a text that two indexes have, once."""
        errands = [errand for errand in self.errands if not others >= set(errand.buys)]
        taken = set(others)
        for each in self.passages:
            fresh = {what: text for what, text in each.texts.items() if what not in taken}
            taken.update(fresh)
            errands += each.embedder.errands(list(fresh.values()))
        return errands


async def to_be_read(
    claimed: ClaimedItem, readers: Readers, unpacker: Unpacker | None, library: Library
) -> Needs:
    source = await asyncio.to_thread(library.jobs.source, claimed)
    if await _is_archive(source, unpacker):
        return Needs()
    reader = readers[source.media_type or ""]
    if not isinstance(reader, PaidReader):
        return Needs()
    seen = await survey(source, reader, library, "batch")
    if seen is not None and not seen.unread:
        return Needs()
    pages = None if seen is None else seen.unread
    return Needs(tuple([errand async for errand in reader.errands(source, pages)]))


async def to_be_embedded(
    claimed: ClaimedItem,
    readers: Readers,
    embedders: Embedders,
    unpacker: Unpacker | None,
    library: Library,
) -> Needs:
    """For every index that takes the document. It is read first: what the batch failed to read is
    bought at once.

    Raises:
        ModelUnavailable: the model of the index that serves is not configured here.
    """
    views = await asyncio.to_thread(library.indexes.views, claimed.collection.id)
    if not any(_is_paid(view, views[0], embedders) for view in views):
        return Needs()
    source = await asyncio.to_thread(library.jobs.source, claimed)
    if await _is_archive(source, unpacker):
        return Needs()
    document = await read(source, readers=readers, library=library, lane="batch")
    found = [
        await asyncio.to_thread(_missing, document, view, embedders[view.embedding_model], library)
        for view in views
        if view.embedding_model and _is_paid(view, views[0], embedders)
    ]
    return Needs(passages=tuple(found))


async def _is_archive(source: Source, unpacker: Unpacker | None) -> bool:
    """Then what is in it is bought for, file by file."""
    return unpacker is not None and await unpacker.members(source) is not None


def _is_paid(view: Collection, serving: Collection, embedders: Embedders) -> bool:
    """Not where a model is not there: without it, the index lacks the document."""
    model = view.embedding_model
    if model is None or (view is not serving and model not in embedders):
        return False
    return isinstance(embedders[model], PaidEmbedder)


def _missing(
    document: Document, view: Collection, embedder: Embedder, library: Library
) -> Passages:
    assert isinstance(embedder, PaidEmbedder), "it was looked at before"
    texts = [embedded_text(each, document.title) for each in cut(document, view, embedder)]
    known = library.purchases.embeddings(embedder.model, "passage", texts)
    missing = dict.fromkeys(text for text in texts if text not in known)
    named = {embedding_purchase(embedder.model, "passage", text): text for text in missing}
    return Passages(embedder, named)
