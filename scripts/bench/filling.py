"""A library of any size in minutes: rows by the thousand, as publishing would have left them.

Texts are a hundred words drawn by Zipf's law, the commonest of them English function words, as
in running text. Vectors are those of `dense.py`. What is there already is kept, so that a build
that was interrupted goes on.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt
from dense import D, vectors
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from rag.domain import (
    Block,
    Chunk,
    Collection,
    Document,
    Vectors,
    derived_id,
    document_id,
    embedded_text,
    version_of,
)
from rag.errors import NotFound
from rag.ranking.analysis.stopwords import STOP_WORDS
from rag.storage.collections import count_documents
from rag.storage.database import Database
from rag.storage.documents import Layout
from rag.storage.embeddings import DTYPE, text_digest
from rag.storage.indexversions import IndexVersion, serving_version
from rag.storage.library import Library, sqlite_url
from rag.storage.tables import (
    ChunkRow,
    DocumentRow,
    EmbeddingRow,
    OperationRow,
    VersionRow,
)
from rag.storage.timestamps import now

MODEL, NAME = "given", "million"
CHUNKS, WORDS = 20, 100  # of a document, of a chunk
DOCUMENTS = 1_000  # of a transaction: 20,000 chunks, 100 MB
VOCABULARY, FLATTENED, STEEPNESS = 200_000, 2.7, 1.07  # Mandelbrot's form of Zipf's law
BLOCK = CHUNKS * DOCUMENTS

Words = npt.NDArray[np.object_]


def fill(folder: Path, chunks: int) -> None:
    """Puts rows into the library in a folder until it has as many chunks."""
    with Library.open(folder) as library:
        collection = _collection(library)
    # not through the library, whose upkeep would follow each transaction
    database = Database(sqlite_url(folder))
    words, began = vocabulary(), time.perf_counter()
    with database.read() as session:
        version = serving_version(session, collection.id)
        mine = DocumentRow.collection_id == collection.id
        there = session.scalar(select(func.count()).select_from(DocumentRow).where(mine)) or 0
    for first in range(there, chunks // CHUNKS, DOCUMENTS):
        rows, made = vectors(BLOCK, seed=first), list(documents(first, DOCUMENTS, words))
        with database.write() as session:
            _put(session, version, made, rows)
        print(f"{(first + DOCUMENTS) * CHUNKS:,} chunks, {time.perf_counter() - began:.0f} s")
    database.close()


def _collection(library: Library) -> Collection:
    try:
        return library.collections.find(NAME)
    except NotFound:
        return library.collections.create(
            NAME, embedding_model=MODEL, dimension=D, chunk_tokens=256
        )


def vocabulary() -> Words:
    """Words by rank: the function words of English, and then pronounceable ones."""
    syllables = [c + v for c in "bcdfghklmnprstvw" for v in ("a", "e", "i", "o", "u", "ar", "en")]
    random = np.random.default_rng(1)
    found = dict.fromkeys(sorted(STOP_WORDS["en"], key=lambda word: (len(word), word)))
    lengths = 2 + np.minimum(2, np.arange(2 * VOCABULARY) // 5_000)  # the frequent ones are short
    for drawn, length in zip(random.choice(syllables, (len(lengths), 5)), lengths, strict=True):
        found["".join(drawn[: length + random.integers(0, 2)])] = None
    return np.array(list(found)[:VOCABULARY], dtype=object)


def documents(first: int, count: int, words: Words) -> Iterator[tuple[Document, list[Chunk]]]:
    """The same for the same numbers."""
    share = 1 / (np.arange(len(words)) + FLATTENED) ** STEEPNESS
    upto = np.cumsum(share / share.sum())
    drawn = np.random.default_rng(first).random((count, CHUNKS, WORDS))
    chosen = words[np.minimum(np.searchsorted(upto, drawn), len(words) - 1)]
    for number, of_document in enumerate(chosen, start=first):
        passages = [" ".join(passage) for passage in of_document]
        text, chunks, start = "\n\n".join(passages), [], 0
        for line, passage in enumerate(passages):
            end, at = start + len(passage), 2 * line + 1
            chunks.append(Chunk(start, end, passage, tokens=140, lines=(at, at)))
            start = end + 2
        blocks = tuple(Block("text", chunk.start, chunk.end) for chunk in chunks)
        version, title = version_of(text.encode()), " ".join(of_document[0][-4:])
        yield Document(f"{number}.md", version, "text/markdown", title, text, blocks), chunks


def _put(
    session: Session,
    version: IndexVersion,
    made: list[tuple[Document, list[Chunk]]],
    rows: Vectors,
) -> None:
    """The rows that publishing these documents would have added, in a few statements."""
    first = {
        row: (session.scalar(select(func.max(row.id))) or 0) + 1
        for row in (VersionRow, EmbeddingRow, ChunkRow)
    }
    ids = [document_id(version.collection_id, document.key) for document, _ in made]
    session.execute(insert(DocumentRow), [_document(version, d) for d, _ in made])
    session.execute(
        insert(VersionRow),
        [
            _version(first[VersionRow] + n, id, document)
            for n, (id, (document, _)) in enumerate(zip(ids, made, strict=True))
        ],
    )
    pieces = [(n, chunk) for n, (_, chunks) in enumerate(made) for chunk in chunks]
    session.execute(
        insert(EmbeddingRow),
        [
            _embedding(first[EmbeddingRow] + place, embedded_text(chunk, made[n][0].title), vector)
            for place, ((n, chunk), vector) in enumerate(zip(pieces, rows, strict=True))
        ],
    )
    session.execute(
        insert(ChunkRow),
        [
            {
                "id": first[ChunkRow] + place,
                "version_id": first[VersionRow] + n,
                "embedding_id": first[EmbeddingRow] + place,
                **_chunk(version, made[n][0], chunk),
            }
            for place, (n, chunk) in enumerate(pieces)
        ],
    )
    put = {"index_version_id": version.id, "kind": "put"}
    numbers = range(first[ChunkRow], first[ChunkRow] + len(pieces))
    session.execute(insert(OperationRow), [{"chunk": number, **put} for number in numbers])
    count_documents(session, version.collection_id, documents=len(made), chunks=len(pieces))


def _document(version: IndexVersion, document: Document) -> dict[str, Any]:
    return {
        "id": document_id(version.collection_id, document.key),
        "collection_id": version.collection_id,
        "key": document.key,
        "created_at": now(),
        "updated_at": now(),
    }


def _version(number: int, id: str, document: Document) -> dict[str, Any]:
    return {
        "id": number,
        "document_id": id,
        "sha256": document.version,
        "state": "current",
        "revision": 1,
        "title": document.title,
        "media_type": document.media_type,
        "size": len(document.text.encode()),
        "characters": len(document.text),
        "pages": 0,
        "pages_ocred": 0,
        "chunks": CHUNKS,
        "attributes": {},
        "created_at": now(),
        "text": document.text,
        "layout": msgspec.msgpack.encode(Layout(document.blocks, document.pages)),
    }


def _embedding(number: int, text: str, vector: npt.NDArray[np.float32]) -> dict[str, Any]:
    content = vector.astype("<f4").tobytes()
    return {
        "id": number,
        "model": MODEL,
        "dimension": D,
        "dtype": DTYPE,
        "input_type": "passage",
        "text_sha256": text_digest(text),
        "vector": content,
        "crc32": crc32(content),
    }


def _chunk(version: IndexVersion, document: Document, chunk: Chunk) -> dict[str, Any]:
    id = document_id(version.collection_id, document.key)
    span = str(chunk.start), str(chunk.end)
    return {
        "chunk_id": derived_id("chk", id, document.version, *span, version.chunker),
        "document_id": id,
        "index_version_id": version.id,
        "live": True,
        "start": chunk.start,
        "end": chunk.end,
        "tokens": chunk.tokens,
        "heading_path": [],
        "context": "",
        "pages": [],
        "lines": list(chunk.lines or ()),
    }
