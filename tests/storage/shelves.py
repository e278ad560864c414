"""One-line documents, and a collection to put them into."""

import hashlib
from collections.abc import Mapping

import numpy as np
import pytest

from rag.domain import (
    Attribute,
    Block,
    Chunk,
    Collection,
    Document,
    DocumentSummary,
    Hit,
    IndexId,
    Source,
    Vectors,
    embedded_text,
)
from rag.ranking.filters import Filter
from rag.storage.claims import ClaimedItem
from rag.storage.library import Library
from rag.storage.publishing import Edition
from rag.storage.stores.documents import NO_OTHERS

DIMENSION = 32


def vectors_of(texts: list[str]) -> Vectors:
    """Bags of hashed words: texts that share words are near each other."""
    rows = np.full((len(texts), DIMENSION), 1e-3, dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        for word in text.lower().split():
            row[int(hashlib.sha256(word.encode()).hexdigest(), 16) % DIMENSION] += 1
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def read(source: Source) -> Document:
    """Each line is a block."""
    text = source.content.decode()
    starts = [0, *(i + 1 for i, c in enumerate(text) if c == "\n")]
    spans = [(start, start + len(text[start:].split("\n")[0])) for start in starts]
    return Document(
        key=source.key,
        version=source.version,
        media_type="text/plain",
        title=source.title or source.key,
        text=text,
        blocks=tuple(Block("text", start, end) for start, end in spans if end > start),
        attributes=source.attributes,
    )


def cut(document: Document) -> list[Chunk]:
    """Each block is a chunk."""
    return [
        Chunk(
            start=block.start,
            end=block.end,
            text=document.text[block.start : block.end],
            tokens=1,
            lines=(1, 1),
        )
        for block in document.blocks
    ]


class Shelf:
    """One collection of a library, and short ways to use it."""

    def __init__(self, library: Library, collection: Collection) -> None:
        self.library = library
        self.collection = collection

    def put(
        self,
        key: str,
        text: str,
        *,
        title: str | None = None,
        claimed: ClaimedItem | None = None,
        through: Collection | None = None,
        others: Mapping[IndexId, Edition] = NO_OTHERS,
        left_out: frozenset[IndexId] = frozenset(),
        **attributes: Attribute,
    ) -> DocumentSummary:
        """Reads, cuts, embeds and publishes."""
        source = Source(key, text.encode(), title=title, attributes=attributes)
        self.library.originals.put(source.content)
        document = read(source)
        chunks = cut(document)
        vectors = None
        if self.collection.dimension is not None:
            vectors = vectors_of([embedded_text(chunk, document.title) for chunk in chunks])
        return self.library.documents.publish(
            through or self.collection,
            document,
            chunks,
            vectors,
            claimed=claimed,
            seconds=0.5,
            others=others,
            left_out=left_out,
        )

    def hits(
        self,
        question: str,
        *,
        k: int = 10,
        filter: Filter | None = None,
        modes: str = "dense words",
    ) -> list[Hit]:
        vector = None if self.collection.dimension is None else vectors_of([question])
        modes_asked = frozenset(modes.split())
        found = self.library.chunks.search(
            self.collection, question, vector, k=k, filter=filter, modes=modes_asked
        )
        return list(found.hits)

    def texts(self, question: str, **options: object) -> set[str]:
        return {hit.text for hit in self.hits(question, **options)}


only_sqlite = pytest.mark.parametrize(
    "backend", [pytest.param("sqlite", marks=pytest.mark.sqlite)], indirect=True
)
only_postgres = pytest.mark.parametrize(
    "backend", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
