"""Vectors, kept by all that decides them: model, width, type of input and the exact text."""

import hashlib
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rag.domain import InputType, Vectors
from rag.errors import InvalidRequest, RagError
from rag.storage.batches import batches
from rag.storage.bulk import ids_of_keys, insert_new_rows
from rag.storage.tables import ChunkRow, EmbeddingRow

DTYPE = "float32"
LENGTH_TOLERANCE = 0.01  # of a vector's length of 1: float16 and int8 providers round that much


def known_embeddings(
    session: Session, model: str, input_type: InputType, texts: Sequence[str]
) -> dict[str, npt.NDArray[np.float32]]:
    """Vectors of those texts that were embedded before.

    Raises:
        RagError: a stored vector is damaged.
    """
    by_digest = {text_digest(text): text for text in texts}
    found: dict[str, npt.NDArray[np.float32]] = {}
    for digests in batches(list(by_digest)):
        rows = session.execute(
            select(EmbeddingRow.text_sha256, EmbeddingRow.vector, EmbeddingRow.crc32).where(
                EmbeddingRow.text_sha256.in_(digests),
                EmbeddingRow.model == model,
                EmbeddingRow.dtype == DTYPE,
                EmbeddingRow.input_type == input_type,
            )
        )
        found |= {by_digest[digest]: decoded(vector, crc) for digest, vector, crc in rows}
    return found


def keep_embeddings(
    session: Session, model: str, input_type: InputType, texts: Sequence[str], vectors: Vectors
) -> dict[bytes, int]:
    """Keeps vectors of texts not yet known, and returns the id of each text by its SHA-256.

    What is known stays: rounding must not make two vectors of one text.

    Raises:
        InvalidRequest: not one finite vector of length 1 for each text.
    """
    check_vectors(vectors, len(texts))
    return keep_digested(session, model, input_type, [text_digest(text) for text in texts], vectors)


def keep_digested(
    session: Session, model: str, input_type: InputType, digests: Sequence[bytes], vectors: Vectors
) -> dict[bytes, int]:
    """The same for texts by their SHA-256, and vectors that were checked."""
    kind = {
        "model": model,
        "dimension": vectors.shape[1],
        "dtype": DTYPE,
        "input_type": input_type,
    }
    places = {digest: place for place, digest in enumerate(digests)}
    known = ids_of_keys(session, EmbeddingRow, kind, "text_sha256", list(places))
    # in one order, so that two that keep the same texts do not wait for each other
    missing = sorted(places.keys() - known.keys())
    blobs = [vectors[places[digest]].astype("<f4", copy=False).tobytes() for digest in missing]
    rows = list(zip(missing, blobs, map(zlib.crc32, blobs), strict=True))
    insert_new_rows(session, EmbeddingRow, kind, ("text_sha256", "vector", "crc32"), rows)
    return known | ids_of_keys(session, EmbeddingRow, kind, "text_sha256", missing)


def check_vectors(vectors: Vectors, count: int) -> None:
    """
    Raises:
        InvalidRequest: not `count` finite vectors of length 1.
    """
    if vectors.ndim != 2 or len(vectors) != count:
        raise InvalidRequest(f"{count} texts need {count} vectors, not an array {vectors.shape}")
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    if not np.all(np.abs(lengths - 1) <= LENGTH_TOLERANCE):  # also false for NaN
        raise InvalidRequest("every vector must be finite and of length 1")


def decoded(vector: bytes, crc32: int) -> npt.NDArray[np.float32]:
    """
    Raises:
        RagError: the bytes are not those that were stored.
    """
    return np.frombuffer(sound(vector, crc32), dtype="<f4")


def sound(vector: bytes, crc32: int) -> bytes:
    """The bytes, if they are those that were stored; RagError if not."""
    if zlib.crc32(vector) != crc32:
        raise RagError("a stored vector is damaged; restore the database from a backup")
    return vector


def embeddings_of_document(session: Session, document_id: str) -> list[int]:
    """Ids of the embeddings that its chunks use, of all versions."""
    return list(
        session.scalars(
            select(ChunkRow.embedding_id)
            .where(ChunkRow.document_id == document_id, ChunkRow.embedding_id.is_not(None))
            .distinct()
        )
    )


def remove_unused(session: Session, ids: Sequence[int]) -> None:
    """Removes those of the embeddings that no chunk uses: a vector gives away much of its text.
    The transaction must be alone, for a chunk may be about to use one."""
    for some in batches(ids):
        used = select(ChunkRow.embedding_id).where(ChunkRow.embedding_id.in_(some))
        session.execute(
            delete(EmbeddingRow).where(EmbeddingRow.id.in_(some), EmbeddingRow.id.not_in(used))
        )


def text_digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
