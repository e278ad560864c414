"""Files of the dense index: written whole, published by a row, believed only by their hash."""

import logging
from pathlib import Path

from msgspec import Struct
from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from rag.storage.collections import IndexVersion
from rag.storage.database import Database, node_of
from rag.storage.durable import aside_of, make_private_folder, settle, sha256_of_file
from rag.storage.tables import GenerationRow
from rag.storage.timestamps import now
from rag.storage.vectors import VectorIndex, read_vectors

log = logging.getLogger(__name__)


class Generation(Struct, frozen=True):
    """One immutable file, as the catalog knows it."""

    file: str
    sha256: str
    size: int
    rows: int
    seq: int


def load_vectors(
    database: Database, folder: Path, serving: IndexVersion, dimension: int
) -> VectorIndex | None:
    """The saved index; None when there is none, or its file is not the one that was saved."""
    with database.read() as session:
        generation = _latest(session, serving.id)
    if generation is None:
        return None
    found = _believed(folder / generation.file, generation, dimension)
    if found is not None:
        return found
    log.warning(
        "a saved index is missing or damaged, and is built again from the database",
        extra={"action": "index_rebuilt", "index": "dense", "index_version": serving.id},
    )
    return None


def _believed(path: Path, generation: Generation, dimension: int) -> VectorIndex | None:
    if not path.is_file() or path.stat().st_size != generation.size:
        return None
    if sha256_of_file(path) != generation.sha256:
        return None
    return read_vectors(path, dimension=dimension, rows=generation.rows, seq=generation.seq)


def save_vectors(
    database: Database, folder: Path, serving: IndexVersion, index: VectorIndex
) -> None:
    """Writes a new generation; the one before goes when the new one is in the catalog."""
    make_private_folder(folder)
    aside = aside_of(folder / f"dense-{serving.id}")
    try:
        index.write(aside)
        digest = sha256_of_file(aside)  # of what was written, read back
        path = folder / f"dense-{serving.id}-{digest[:16]}.faiss"
        settle(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    with database.write() as session:
        former = session.scalars(
            select(GenerationRow.file).where(
                _of(session, serving.id), GenerationRow.file != path.name
            )
        ).all()
        session.execute(delete(GenerationRow).where(_of(session, serving.id)))
        session.execute(
            insert(GenerationRow).values(
                index_version_id=serving.id,
                node=node_of(session),
                kind=VectorIndex.kind,
                file=path.name,
                sha256=digest,
                size=path.stat().st_size,
                rows=len(index),
                seq=index.seq,
                created_at=now(),
            )
        )
    for name in former:
        (folder / name).unlink(missing_ok=True)


def _latest(session: Session, index_version: int) -> Generation | None:
    row = session.scalar(
        select(GenerationRow)
        .where(_of(session, index_version))
        .order_by(GenerationRow.id.desc())
        .limit(1)
    )
    return Generation(row.file, row.sha256, row.size, row.rows, row.seq) if row else None


def _of(session: Session, index_version: int) -> ColumnElement[bool]:
    """This node's."""
    return (
        (GenerationRow.index_version_id == index_version)
        & (GenerationRow.node == node_of(session))
        & (GenerationRow.kind == VectorIndex.kind)
    )
