"""What is remembered of a batch's requests, which may be text of documents."""

import zlib

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
    session.execute(update(BatchRequestRow).where(mine).values(memo=None))


def packed(memo: bytes) -> bytes:
    return zlib.compress(memo, _COMPRESSION)


def unpacked(memo: bytes | None) -> bytes | None:
    return None if memo is None else zlib.decompress(memo)
