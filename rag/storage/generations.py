"""Which files of the dense index are believed: those that a row names, by their hash."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from rag.storage.database import node_of
from rag.storage.dense.manifest import Published
from rag.storage.tables import GenerationRow
from rag.storage.timestamps import now

KIND = "dense"


def published_segments(session: Session, index_version: int) -> list[Published]:
    """Oldest first."""
    rows = session.scalars(
        select(GenerationRow).where(_of(session, index_version)).order_by(GenerationRow.seq)
    )
    return [Published(row.file, row.sha256, row.rows, row.size, row.first, row.seq) for row in rows]


def publish_segment(
    session: Session, index_version: int, segment: Published, *, instead_of: Sequence[str]
) -> None:
    """One row instead of those of the segments it was written from."""
    session.execute(
        delete(GenerationRow).where(_of(session, index_version), GenerationRow.file.in_(instead_of))
    )
    session.execute(
        insert(GenerationRow).values(
            index_version_id=index_version,
            node=node_of(session),
            kind=KIND,
            file=segment.name,
            sha256=segment.sha256,
            size=segment.size,
            rows=segment.rows,
            first=segment.first,
            seq=segment.last,
            created_at=now(),
        )
    )


def withdraw_segments(session: Session, index_version: int) -> None:
    """None of them is believed any more."""
    session.execute(delete(GenerationRow).where(_of(session, index_version)))


def _of(session: Session, index_version: int) -> ColumnElement[bool]:
    """This node's."""
    return (
        (GenerationRow.index_version_id == index_version)
        & (GenerationRow.node == node_of(session))
        & (GenerationRow.kind == KIND)
    )
