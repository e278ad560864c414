"""What is remembered of a batch's requests, as far as it is text of documents."""

import zlib
from collections.abc import Sequence

import msgspec
from sqlalchemy import update
from sqlalchemy.orm import Session

from rag.domain import CollectionId
from rag.storage.tables import BatchRequestRow

_COMPRESSION = 1  # zlib's fastest


def forget_memos(session: Session, collection_id: CollectionId, key: str | None = None) -> None:
    """Of one document, or of all in a collection. What its requests buy is then paid, for that
    cannot be undone, and not kept."""
    mine = BatchRequestRow.collection_id == collection_id
    if key is not None:
        mine &= BatchRequestRow.document_key == key
    session.execute(update(BatchRequestRow).where(mine).values(texts=None))


def packed(texts: Sequence[str]) -> bytes:
    return zlib.compress(msgspec.msgpack.encode(texts), _COMPRESSION)


def unpacked(texts: bytes | None) -> tuple[str, ...] | None:
    if texts is None:
        return None
    return msgspec.msgpack.decode(zlib.decompress(texts), type=tuple[str, ...])
