"""What readers made of bytes: reading them again, with the same options, gives the same."""

import zlib

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from rag.domain import Document, Failure, Version
from rag.storage.tables import ReadingRow

COMPRESSION = 1  # zlib's fastest: text shrinks to a third, and more effort buys little


def find_reading(session: Session, version: Version, fingerprint: str) -> Document | Failure | None:
    row = session.execute(
        select(ReadingRow.kind, ReadingRow.content).where(
            ReadingRow.sha256 == version, ReadingRow.fingerprint == fingerprint
        )
    ).first()
    if row is None:
        return None
    kind, content = row
    raw = zlib.decompress(content)
    if kind == "document":
        return msgspec.msgpack.decode(raw, type=Document)
    return msgspec.msgpack.decode(raw, type=Failure)


def keep_reading(
    session: Session, version: Version, fingerprint: str, result: Document | Failure
) -> None:
    """Keeps a result instead of an earlier one."""
    session.execute(
        delete(ReadingRow).where(
            ReadingRow.sha256 == version, ReadingRow.fingerprint == fingerprint
        )
    )
    session.execute(
        insert(ReadingRow).values(
            sha256=version,
            fingerprint=fingerprint,
            kind="document" if isinstance(result, Document) else "failure",
            content=zlib.compress(msgspec.msgpack.encode(result), COMPRESSION),
        )
    )


def remove_readings(session: Session, version: Version) -> None:
    session.execute(delete(ReadingRow).where(ReadingRow.sha256 == version))
