"""Contents as they are kept: once, with the chunks that they are cut into."""

import zlib
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from rag.storage.batches import batches
from rag.storage.bulk import insert_new_rows
from rag.storage.code.tables import ContentRow
from rag.syntax.cutting import CHUNKER
from rag.syntax.outline import Outline

COMPRESSION = 1  # zlib's fastest: code shrinks to a quarter, and more effort buys little
_PAIRS = 200  # contents asked for in one statement, by two parameters each


class Content(Struct, frozen=True):
    """Bytes that were looked at, and what came of it."""

    oid: str
    outline: Outline
    text: str
    """Empty where it is not searched."""
    unwanted: str | None = None
    generated: bool = False


class Known(Struct, frozen=True):
    id: int
    unwanted: str | None
    chunks: int


def known_contents(
    session: Session, wanted: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Known]:
    """Those that were looked at before, by id and language."""
    found: dict[tuple[str, str], Known] = {}
    for some in batches(list(dict.fromkeys(wanted)), _PAIRS):
        rows = session.execute(
            select(
                ContentRow.oid,
                ContentRow.language,
                ContentRow.id,
                ContentRow.unwanted,
                ContentRow.chunks,
            ).where(
                ContentRow.chunker == CHUNKER,
                tuple_(ContentRow.oid, ContentRow.language).in_(some),
            )
        )
        found |= {
            (oid, language): Known(id, unwanted, chunks)
            for oid, language, id, unwanted, chunks in rows
        }
    return found


def keep_contents(session: Session, contents: Sequence[Content]) -> None:
    """What is known stays as it is."""
    rows = [
        (
            each.oid,
            each.outline.language,
            each.unwanted,
            each.generated,
            len(each.outline.chunks),
            each.text.count("\n") + 1,
            _packed(msgspec.msgpack.encode(each.outline)),
            _packed(each.text.encode("utf-8", errors="surrogatepass")),
        )
        for each in sorted(contents, key=lambda each: (each.oid, each.outline.language))
    ]
    columns = ("oid", "language", "unwanted", "generated", "chunks", "lines", "outline", "text")
    insert_new_rows(session, ContentRow, {"chunker": CHUNKER}, columns, rows)


def outlines_of(session: Session, ids: Sequence[int]) -> dict[int, Outline]:
    return {
        id: msgspec.msgpack.decode(zlib.decompress(packed), type=Outline)
        for some in batches(ids)
        for id, packed in session.execute(
            select(ContentRow.id, ContentRow.outline).where(ContentRow.id.in_(some))
        )
    }


def texts_of(session: Session, ids: Sequence[int]) -> dict[int, str]:
    return {
        id: zlib.decompress(packed).decode("utf-8", errors="surrogatepass")
        for some in batches(ids)
        for id, packed in session.execute(
            select(ContentRow.id, ContentRow.text).where(ContentRow.id.in_(some))
        )
    }


def oids_of(session: Session, ids: Sequence[int]) -> dict[int, str]:
    return {
        id: oid
        for some in batches(ids)
        for id, oid in session.execute(
            select(ContentRow.id, ContentRow.oid).where(ContentRow.id.in_(some))
        )
    }


def _packed(content: bytes) -> bytes:
    return zlib.compress(content, COMPRESSION)
