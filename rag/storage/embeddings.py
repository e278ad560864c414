"""Vectors, kept by all that decides them: model, width, type of input and the exact text."""

import hashlib
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from rag.domain import InputType, Vectors
from rag.errors import InvalidRequest, RagError
from rag.storage.batches import batches
from rag.storage.locking import insert_new
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
    rows = dict(zip(map(text_digest, texts), vectors, strict=True))
    dimension = vectors.shape[1]
    known = _ids(session, model, input_type, dimension, list(rows))
    missing = [  # in one order, so that two that keep the same texts do not wait for each other
        {
            "model": model,
            "dimension": dimension,
            "dtype": DTYPE,
            "input_type": input_type,
            "text_sha256": digest,
            "vector": (blob := vector.astype("<f4").tobytes()),
            "crc32": zlib.crc32(blob),
        }
        for digest, vector in sorted(rows.items(), key=lambda row: row[0])
        if digest not in known
    ]
    if not missing:
        return known
    insert_new(session, EmbeddingRow, missing)
    return _ids(session, model, input_type, dimension, list(rows))


def check_vectors(vectors: Vectors, count: int) -> None:
    """
    Raises:
        InvalidRequest: not `count` finite vectors of length 1.
    """
    if vectors.ndim != 2 or len(vectors) != count:
        raise InvalidRequest(f"{count} texts need {count} vectors, not an array {vectors.shape}")
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.all(np.abs(lengths - 1) <= LENGTH_TOLERANCE):  # also false for NaN
        raise InvalidRequest("every vector must be finite and of length 1")


def decoded(vector: bytes, crc32: int) -> npt.NDArray[np.float32]:
    """
    Raises:
        RagError: the bytes are not those that were stored.
    """
    if zlib.crc32(vector) != crc32:
        raise RagError("a stored vector is damaged; restore the database from a backup")
    return np.frombuffer(vector, dtype="<f4")


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


_IDS = select(EmbeddingRow.text_sha256, EmbeddingRow.id).where(
    EmbeddingRow.text_sha256.in_(bindparam("digests", expanding=True)),
    EmbeddingRow.model == bindparam("model"),
    EmbeddingRow.dimension == bindparam("dimension"),
    EmbeddingRow.dtype == DTYPE,
    EmbeddingRow.input_type == bindparam("input_type"),
)


def _ids(
    session: Session, model: str, input_type: InputType, dimension: int, digests: list[bytes]
) -> dict[bytes, int]:
    key = {"model": model, "dimension": dimension, "input_type": input_type}
    found: dict[bytes, int] = {}
    for some in batches(digests):
        for digest, id in session.execute(_IDS, {"digests": list(some), **key}):
            found[digest] = id
    return found


def text_digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
