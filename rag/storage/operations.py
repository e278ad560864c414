"""The log of chunks put and deleted, which every derived index follows.

Whoever follows it asks for what came after the last number it knows. So a number must never be
seen before a smaller one: where several transactions may write at once, those of one collection
take turns, from before their first number until their commit.
"""

from typing import Literal

from msgspec import Struct
from sqlalchemy import Insert, Select, String, bindparam, func, insert, select
from sqlalchemy.orm import Session

from rag.domain import CollectionId, DocumentId
from rag.errors import NotFound
from rag.storage.engines.looking import Look, Prepared
from rag.storage.tables import ChunkRow, CollectionRow, OperationRow

STEP = 5_000  # operations applied at once: some 8 MB of vectors


class Changes(Struct, frozen=True):
    """What the next operations come to. A chunk both put and deleted among them is in neither
    list that matters: putting it would be undone."""

    put: tuple[int, ...]
    deleted: tuple[int, ...]
    seq: int
    """Of the last of them."""


_LATEST = Prepared(
    select(OperationRow.seq)
    .where(OperationRow.index_version_id == bindparam("index_version"))
    .order_by(OperationRow.seq.desc())
    .limit(1)
)

_AFTER = (OperationRow.index_version_id == bindparam("index_version")) & (
    OperationRow.seq > bindparam("seq")
)
_NEXT = (
    select(OperationRow.seq, OperationRow.kind, OperationRow.chunk)
    .where(_AFTER)
    .order_by(OperationRow.seq)
    .limit(STEP)
)
_COUNT = select(func.count()).select_from(
    select(OperationRow.seq).where(_AFTER).limit(bindparam("at_most")).subquery()
)


def latest_operation(session: Session, index_version: int) -> int:
    """Sequence number of the last operation; 0 when there is none."""
    return session.connection().scalar(_LATEST.query, {"index_version": index_version}) or 0


def latest_seen(look: Look, index_version: int) -> int:
    """`latest_operation`, for every search."""
    rows = look.rows(_LATEST, index_version=index_version)
    return int(rows[0][0]) if rows else 0


def count_after(session: Session, index_version: int, seq: int, *, at_most: int) -> int:
    """Operations after `seq`, counted no further than told."""
    key = {"index_version": index_version, "seq": seq, "at_most": at_most}
    return session.scalar(_COUNT, key) or 0


def changes_after(session: Session, index_version: int, seq: int) -> Changes | None:
    """The next `STEP` operations after `seq`; None when there are none."""
    rows = session.execute(_NEXT, {"index_version": index_version, "seq": seq}).all()
    if not rows:
        return None
    last = {chunk: kind for _, kind, chunk in rows}
    return Changes(
        put=tuple(chunk for chunk, kind in last.items() if kind == "put"),
        deleted=tuple(chunk for chunk, kind in last.items() if kind == "delete"),
        seq=rows[-1].seq,
    )


def _logging(live: Select[int, str, int]) -> Insert:
    columns = ["index_version_id", "kind", "chunk"]
    return insert(OperationRow).from_select(columns, live.order_by(ChunkRow.id))


_LIVE = select(ChunkRow.index_version_id, bindparam("kind", type_=String), ChunkRow.id).where(
    ChunkRow.document_id == bindparam("document"), ChunkRow.live
)
_LOG_ALL = _logging(_LIVE)
_LOG = _logging(_LIVE.where(ChunkRow.index_version_id == bindparam("index_version")))


class Turn:
    """The collection's log is this transaction's to write, until it ends. What its documents are
    does not change meanwhile either, but by this transaction."""

    def __init__(self, session: Session) -> None:
        """Use `take_turn`."""
        self._session = session

    def record_live_chunks(
        self,
        kind: Literal["put", "delete"],
        document: DocumentId,
        index_version: int | None = None,
    ) -> None:
        """Logs one operation for each live chunk of a document; those of one index version, or
        all."""
        key = {"kind": kind, "document": document}
        if index_version is None:
            self._session.connection().execute(_LOG_ALL, key)
        else:
            self._session.connection().execute(_LOG, key | {"index_version": index_version})


_LOCKED = (
    select(CollectionRow.id)
    .where(CollectionRow.id == bindparam("id"))
    .with_for_update(key_share=True)
)


def take_turn(session: Session, id: CollectionId) -> Turn:
    """Waits for others that write this collection's log.

    Raises:
        NotFound: there is no such collection.
    """
    if session.connection().scalar(_LOCKED, {"id": id}) is None:
        raise NotFound("the collection was deleted")
    return Turn(session)
