"""Publishing: the one transaction after which a version answers, whole, from every index."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from rag.domain import (
    Chunk,
    Collection,
    Document,
    DocumentId,
    DocumentSummary,
    IndexId,
    Vectors,
    derived_id,
    document_id,
    embedded_text,
)
from rag.errors import Conflict, IndexesChanged, InvalidDocument
from rag.storage.attributes import add_attributes, attributes_of, remove_attributes
from rag.storage.bulk import Values, insert_rows
from rag.storage.collections import count_documents
from rag.storage.documents import Layout, find_document
from rag.storage.embeddings import check_vectors, keep_digested, text_digest
from rag.storage.indexversions import IndexVersion, maintained_versions
from rag.storage.operations import Turn, take_turn
from rag.storage.tables import ChunkRow, DocumentRow, VersionRow
from rag.storage.timestamps import now

NOT_OCRED = ("text-layer", "blank", "none")
"""Readers of pages on which no character was recognized from pixels."""


class Edition(Struct, frozen=True):
    """A document as one index version has it."""

    chunks: tuple[Chunk, ...]
    vectors: Vectors | None
    """One for each chunk but the refused."""
    refused: frozenset[int] = frozenset()
    """Positions of chunks that the model takes no vector of: they are found by their words."""


class Publication(Struct, frozen=True):
    """A document ready to be searched: cut, embedded, and its bytes kept."""

    document: Document
    editions: Mapping[IndexId, Edition]
    """For each index version of the collection, the one that serves among them."""
    left_out: frozenset[IndexId] = frozenset()
    """Index versions that cannot have one: their model is not there. They lack the document."""
    fingerprint: str | None = None
    """Of the reader that made the document."""


def check_publication(publication: Publication) -> None:
    """
    Raises:
        InvalidDocument: characters that no database can keep.
        InvalidRequest: not one finite vector of length 1 for each chunk.
    """
    document = publication.document
    try:
        kept = document.text.encode() + document.title.encode()
    except UnicodeEncodeError as error:
        raise InvalidDocument("its text has half characters (lone surrogates)") from error
    if b"\0" in kept:
        raise InvalidDocument("its text has NUL characters, which not every database keeps")
    for edition in publication.editions.values():
        check_edition(edition)


def check_edition(edition: Edition) -> None:
    """
    Raises:
        InvalidRequest: not one finite vector of length 1 for each chunk.
    """
    if edition.vectors is not None:
        check_vectors(edition.vectors, len(edition.chunks) - len(edition.refused))


def publish(
    session: Session, collection: Collection, publication: Publication, size: int
) -> tuple[DocumentSummary, bool]:
    """From this transaction on, the document answers with this version, and every former one
    does not; in all index versions at once.

    Args:
        size: of the original, in bytes.

    Returns:
        The document, and whether anything changed.

    Raises:
        IndexesChanged: there is an index version for which it was not made ready.
        Conflict: vectors of another width than an index version's.
    """
    turn = take_turn(session, collection.id)
    versions = _taking(session, collection, publication)
    document = publication.document
    id = document_id(collection.id, document.key)
    is_new = session.connection().scalar(_KNOWN_DOCUMENT, {"id": id}) is None
    if not is_new and _is_published(session, id, publication, versions):
        return find_document(session, id), False

    serving = versions[0]
    chunks = len(publication.editions[serving.index].chunks)
    content = _content(publication, chunks, size)
    if is_new:
        retired = 0
        version_id = _keep_first_version(session, id, collection, document.key, content)
    else:
        retired = _retire_current(session, turn, id, serving)
        version_id = _keep_next_version(session, id, content)
    add_attributes(session, collection.id, version_id, document.attributes)
    for version in versions:
        keep_edition(session, document, version_id, version, publication.editions[version.index])
    turn.record_live_chunks("put", id)
    count_documents(session, collection.id, documents=int(is_new), chunks=chunks - retired)
    return find_document(session, id), True


def keep_edition(
    session: Session, document: Document, version_id: int, version: IndexVersion, edition: Edition
) -> None:
    """Keeps the chunks and vectors that one index version has of a document."""
    id = document_id(version.collection_id, document.key)
    embeddings = _keep_vectors(session, document, edition, version)
    ids = _chunk_ids(id, document, edition, version)
    rows = [
        (chunk_id, embedding, *_chunk_values(chunk))
        for chunk, chunk_id, embedding in zip(edition.chunks, ids, embeddings, strict=True)
    ]
    same = {
        "document_id": id,
        "version_id": version_id,
        "index_version_id": version.id,
        "live": True,
    }
    insert_rows(session, ChunkRow, same, _CHUNK_COLUMNS, rows)


_CHUNK_COLUMNS = (
    *("chunk_id", "embedding_id", "start", "end", "tokens"),
    *("heading_path", "context", "pages", "lines"),
)


def check_width(edition: Edition, version: IndexVersion, collection: Collection) -> None:
    """
    Raises:
        Conflict: vectors of another width than the index version's, or none where it has a model.
    """
    vectors = edition.vectors
    if (vectors is None) != (version.dimension is None):
        held = f"{version.dimension}-wide" if version.dimension else "no"
        offered = "none" if vectors is None else f"{vectors.shape[-1]}"
        raise Conflict(f"collection {collection.name!r} holds {held} vectors, not {offered}")
    if vectors is not None and vectors.shape[-1] != version.dimension:
        raise Conflict(
            f"collection {collection.name!r} holds {version.dimension}-wide vectors, "
            f"but was offered {vectors.shape[-1]}; ingest into a new collection"
        )


def _taking(
    session: Session, collection: Collection, publication: Publication
) -> list[IndexVersion]:
    """The index versions that take the document; the one that serves first."""
    versions = maintained_versions(session, collection.id)
    taking = [version for version in versions if version.index in publication.editions]
    left_out = {version.index for version in versions if version not in taking}
    if versions[0] not in taking or not left_out <= publication.left_out:
        raise IndexesChanged(
            f"an index of collection {collection.name!r} was begun or made to serve meanwhile;"
            " this document has to be made ready for it too"
        )
    for version in taking:
        check_width(publication.editions[version.index], version, collection)
    return taking


def _chunk_ids(
    id: DocumentId, document: Document, edition: Edition, version: IndexVersion
) -> list[str]:
    return [
        derived_id("chk", id, document.version, str(chunk.start), str(chunk.end), version.chunker)
        for chunk in edition.chunks
    ]


def _is_published(
    session: Session, id: DocumentId, publication: Publication, versions: list[IndexVersion]
) -> bool:
    document = publication.document
    current = session.execute(
        select(VersionRow, VersionRow.text, VersionRow.layout).where(
            VersionRow.document_id == id,
            VersionRow.state == "current",
            VersionRow.sha256 == document.version,
        )
    ).first()
    if current is None:
        return False
    row, text, layout = current
    return (
        all(
            _is_as_kept(session, id, document, publication.editions[version.index], version)
            for version in versions
        )
        and text == document.text
        and layout == _layout(document)
        and row.title == document.title
        and attributes_of(row.attributes) == document.attributes
    )


def _is_as_kept(
    session: Session, id: DocumentId, document: Document, edition: Edition, version: IndexVersion
) -> bool:
    """Whether an index version has these chunks, and all vectors but those that are refused:
    one that was damaged and dropped is missing."""
    kept = session.execute(
        select(ChunkRow.chunk_id, ChunkRow.embedding_id)
        .where(ChunkRow.document_id == id, ChunkRow.live, ChunkRow.index_version_id == version.id)
        .order_by(ChunkRow.id)
    ).all()
    refused = len(edition.refused) if version.model else len(kept)
    return [row.chunk_id for row in kept] == _chunk_ids(id, document, edition, version) and sum(
        row.embedding_id is None for row in kept
    ) == refused


def _retire_current(session: Session, turn: Turn, id: DocumentId, serving: IndexVersion) -> int:
    """How many chunks of the index version that serves no longer answer; nor do the others'."""
    live = (ChunkRow.document_id == id) & ChunkRow.live
    served = live & (ChunkRow.index_version_id == serving.id)
    retired = session.scalar(select(func.count()).select_from(ChunkRow).where(served)) or 0
    turn.record_live_chunks("delete", id)
    session.execute(update(ChunkRow).where(live).values(live=False))
    session.execute(
        update(VersionRow)
        .where(VersionRow.document_id == id, VersionRow.state == "current")
        .values(state="superseded")
    )
    remove_attributes(session, id)
    return retired


def _content(publication: Publication, chunks: int, size: int) -> dict[str, Any]:
    """What is kept of a version."""
    document = publication.document
    return {
        "sha256": document.version,
        "state": "current",
        "title": document.title,
        "media_type": document.media_type,
        "size": size,
        "characters": len(document.text),
        "pages": len(document.pages),
        "pages_ocred": sum(page.reader not in NOT_OCRED for page in document.pages),
        "chunks": chunks,
        "attributes": dict(document.attributes),
        "fingerprint": publication.fingerprint,
        "text": document.text,
        "layout": _layout(document),
        "created_at": now(),
    }


def _keep_first_version(
    session: Session, id: DocumentId, collection: Collection, key: str, content: dict[str, Any]
) -> int:
    """The version's id, of a document that is new."""
    at = content["created_at"]
    row = {"collection_id": collection.id, "key": key, "created_at": at, "updated_at": at}
    insert_rows(session, DocumentRow, row, ("id",), [(id,)])
    return _keep_new_version(session, id, content)


def _keep_next_version(session: Session, id: DocumentId, content: dict[str, Any]) -> int:
    """The version's id. The same bytes read anew become the next revision of their version."""
    changed = update(DocumentRow).where(DocumentRow.id == id)
    session.execute(changed.values(updated_at=content["created_at"]))
    mine = (VersionRow.document_id == id) & (VersionRow.sha256 == content["sha256"])
    known = session.execute(select(VersionRow.id, VersionRow.revision).where(mine)).first()
    if known is None:
        return _keep_new_version(session, id, content)
    session.execute(update(VersionRow).where(mine).values(revision=known.revision + 1, **content))
    return int(known.id)


def _keep_new_version(session: Session, id: DocumentId, content: dict[str, Any]) -> int:
    first = {"document_id": id, "revision": 1}
    return int(session.connection().execute(_NEW_VERSION, first | content).scalar_one())


_KNOWN_DOCUMENT = select(DocumentRow.id).where(DocumentRow.id == bindparam("id"))
_NEW_VERSION = insert(VersionRow).returning(VersionRow.id)


def _keep_vectors(
    session: Session, document: Document, edition: Edition, version: IndexVersion
) -> list[int | None]:
    """Ids of the chunks' embeddings."""
    if edition.vectors is None or version.model is None:
        return [None] * len(edition.chunks)
    if not edition.chunks:
        return []
    digests = [text_digest(embedded_text(chunk, document.title)) for chunk in edition.chunks]
    embedded = [digest for n, digest in enumerate(digests) if n not in edition.refused]
    ids = keep_digested(session, version.model, "passage", embedded, edition.vectors)
    return [ids.get(digest) for digest in digests]


def _chunk_values(chunk: Chunk) -> Values:
    """Of the columns from `start` on."""
    return (
        chunk.start,
        chunk.end,
        chunk.tokens,
        _json(chunk.heading_path),
        chunk.context,
        _json(chunk.pages),
        _json(chunk.lines),
    )


def _json(value: tuple[str | int, ...] | None) -> str:
    return msgspec.json.encode(value).decode()


def _layout(document: Document) -> bytes:
    return msgspec.msgpack.encode(Layout(document.blocks, document.pages))
