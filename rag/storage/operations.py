"""The log of chunks put and deleted, which every derived index follows."""

from msgspec import Struct
from sqlalchemy import bindparam, insert, literal, select
from sqlalchemy.orm import Session

from rag.domain import DocumentId
from rag.storage.tables import ChunkRow, OperationRow

STEP = 5_000  # operations applied at once: some 8 MB of vectors


class Changes(Struct, frozen=True):
    """What the next operations come to. A chunk both put and deleted among them is in neither
    list that matters: putting it would be undone."""

    put: tuple[int, ...]
    deleted: tuple[int, ...]
    seq: int
    """Of the last of them."""


_LATEST = (
    select(OperationRow.seq)
    .where(OperationRow.index_version_id == bindparam("index_version"))
    .order_by(OperationRow.seq.desc())
    .limit(1)
)


def latest_operation(session: Session, index_version: int) -> int:
    """Sequence number of the last operation; 0 when there is none."""
    return session.scalar(_LATEST, {"index_version": index_version}) or 0


def changes_after(session: Session, index_version: int, seq: int) -> Changes | None:
    """The next `STEP` operations after `seq`; None when there are none."""
    rows = session.execute(
        select(OperationRow.seq, OperationRow.kind, OperationRow.chunk)
        .where(OperationRow.index_version_id == index_version, OperationRow.seq > seq)
        .order_by(OperationRow.seq)
        .limit(STEP)
    ).all()
    if not rows:
        return None
    last = {chunk: kind for _, kind, chunk in rows}
    return Changes(
        put=tuple(chunk for chunk, kind in last.items() if kind == "put"),
        deleted=tuple(chunk for chunk, kind in last.items() if kind == "delete"),
        seq=rows[-1].seq,
    )


def record_live_chunks(session: Session, kind: str, document: DocumentId) -> None:
    """Logs one operation for each live chunk of a document."""
    live = (
        select(ChunkRow.index_version_id, literal(kind), ChunkRow.id)
        .where(ChunkRow.document_id == document, ChunkRow.live)
        .order_by(ChunkRow.id)
    )
    session.execute(insert(OperationRow).from_select(["index_version_id", "kind", "chunk"], live))
