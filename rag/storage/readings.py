"""What readers made of bytes: reading them again, with the same options, gives the same. And what
a provider replied on the way there, so that a better reader need not pay for it again."""

import zlib

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from rag.domain import Document, Failure, Version
from rag.spending import OcrReply
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
    kind = "document" if isinstance(result, Document) else "failure"
    _keep(session, version, fingerprint, kind, msgspec.msgpack.encode(result))


def find_reply(session: Session, version: Version, fingerprint: str) -> bytes | None:
    """What OCR made of these bytes, as the provider sent it."""
    content = session.scalar(
        select(ReadingRow.content).where(
            ReadingRow.sha256 == version,
            ReadingRow.fingerprint == fingerprint,
            ReadingRow.kind == "reply",
        )
    )
    return None if content is None else zlib.decompress(content)


def keep_reply(session: Session, reply: OcrReply) -> None:
    """Keeps the first: when two calls bought the same, they are equally good."""
    if find_reply(session, reply.version, reply.fingerprint) is None:
        _keep(session, reply.version, reply.fingerprint, "reply", reply.content)


def remove_readings(session: Session, version: Version) -> None:
    session.execute(delete(ReadingRow).where(ReadingRow.sha256 == version))


def _keep(session: Session, version: Version, fingerprint: str, kind: str, raw: bytes) -> None:
    session.execute(
        insert(ReadingRow).values(
            sha256=version,
            fingerprint=fingerprint,
            kind=kind,
            content=zlib.compress(raw, COMPRESSION),
        )
    )
