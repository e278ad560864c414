"""What readers made of bytes: reading them again, with the same options, gives the same. And what
a provider replied on the way there, so that a better reader need not pay for it again.

What was dear to read is kept with its document. What any parser can do again is kept in passing:
for an item that waits for a batch, until it ends."""

import zlib
from collections.abc import Sequence

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rag.domain import Document, Failure, Survey, Version
from rag.spending import OcrReply
from rag.storage.batches import batches
from rag.storage.locking import insert_new
from rag.storage.tables import ItemRow, ReadingRow, VersionRow

COMPRESSION = 1  # zlib's fastest: text shrinks to a third, and more effort buys little


_IN_PASSING = ("survey", "passing")
"""Kinds of what goes with its item."""


def find_reading(session: Session, version: Version, fingerprint: str) -> Document | Failure | None:
    row = _find(session, version, fingerprint, "document", "passing", "failure")
    if row is None:
        return None
    kind, raw = row
    if kind == "failure":
        return msgspec.msgpack.decode(raw, type=Failure)
    return msgspec.msgpack.decode(raw, type=Document)


def find_refusals(
    session: Session, versions: Sequence[Version], fingerprint: str
) -> dict[Version, Failure]:
    return {
        Version(sha256): msgspec.msgpack.decode(zlib.decompress(content), type=Failure)
        for some in batches(versions)
        for sha256, content in session.execute(
            select(ReadingRow.sha256, ReadingRow.content).where(
                ReadingRow.sha256.in_(some),
                ReadingRow.fingerprint == fingerprint,
                ReadingRow.kind == "failure",
            )
        )
    }


def find_survey(session: Session, version: Version, fingerprint: str) -> Survey | None:
    row = _find(session, version, fingerprint, "survey")
    return None if row is None else msgspec.msgpack.decode(row[1], type=Survey)


def keep_reading(
    session: Session, version: Version, fingerprint: str, result: Document | Failure
) -> None:
    """Keeps a result instead of an earlier one."""
    kind = "document" if isinstance(result, Document) else "failure"
    _replace(session, version, fingerprint, kind, result)


def keep_in_passing(
    session: Session, version: Version, fingerprint: str, result: Document | Survey
) -> None:
    """Until an item with these bytes ends; unless something better is kept."""
    if find_reading(session, version, fingerprint) is None:
        kind = "passing" if isinstance(result, Document) else "survey"
        _replace(session, version, fingerprint, kind, result)


def find_reply(session: Session, version: Version, fingerprint: str) -> bytes | None:
    """What OCR made of these bytes, as the provider sent it."""
    row = _find(session, version, fingerprint, "reply")
    return None if row is None else row[1]


def keep_reply(session: Session, reply: OcrReply) -> None:
    """Keeps the first: when two calls bought the same, they are equally good."""
    if find_reply(session, reply.version, reply.fingerprint) is None:
        _keep(session, reply.version, reply.fingerprint, "reply", reply.content)


def remove_readings(session: Session, version: Version) -> None:
    session.execute(delete(ReadingRow).where(ReadingRow.sha256 == version))


def remove_unused_readings(session: Session, versions: Sequence[str]) -> None:
    """Of bytes that belong to no document and to no item that is still to be done."""
    for some in batches(versions):
        used = {
            *session.scalars(select(VersionRow.sha256).where(VersionRow.sha256.in_(some))),
            *session.scalars(
                select(ItemRow.sha256).where(
                    ItemRow.sha256.in_(some), ItemRow.finished_at.is_(None)
                )
            ),
        }
        unused = [version for version in some if version not in used]
        session.execute(delete(ReadingRow).where(ReadingRow.sha256.in_(unused)))


def remove_passing(session: Session, versions: Sequence[str]) -> None:
    for some in batches(versions):
        session.execute(
            delete(ReadingRow).where(ReadingRow.sha256.in_(some), ReadingRow.kind.in_(_IN_PASSING))
        )


def _find(
    session: Session, version: Version, fingerprint: str, *kinds: str
) -> tuple[str, bytes] | None:
    row = session.execute(
        select(ReadingRow.kind, ReadingRow.content).where(
            ReadingRow.sha256 == version,
            ReadingRow.fingerprint == fingerprint,
            ReadingRow.kind.in_(kinds),
        )
    ).first()
    return None if row is None else (row[0], zlib.decompress(row[1]))


def _replace(
    session: Session,
    version: Version,
    fingerprint: str,
    kind: str,
    result: Document | Survey | Failure,
) -> None:
    session.execute(
        delete(ReadingRow).where(
            ReadingRow.sha256 == version, ReadingRow.fingerprint == fingerprint
        )
    )
    _keep(session, version, fingerprint, kind, msgspec.msgpack.encode(result))


def _keep(session: Session, version: Version, fingerprint: str, kind: str, raw: bytes) -> None:
    row = {
        "sha256": version,
        "fingerprint": fingerprint,
        "kind": kind,
        "content": zlib.compress(raw, COMPRESSION),
    }
    insert_new(session, ReadingRow, [row])  # another may keep as good a one at this moment
