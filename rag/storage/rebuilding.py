"""Another index version of a collection: begun, filled from what is stored, made to serve, dropped.

From the transaction that begins one, whatever is published goes into it too; what was there before
is the work of one job. So each document comes into it exactly once, by whichever way is first.
"""

from typing import Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import JSON, delete, exists, func, insert, literal, select, update
from sqlalchemy.orm import Session

from rag.domain import (
    Collection,
    CollectionId,
    Document,
    DocumentId,
    IndexId,
    JobId,
    document_id,
)
from rag.errors import Conflict
from rag.ranking.selfcheck import PRIOR_WEIGHT
from rag.storage.batches import batches
from rag.storage.documents import read_document
from rag.storage.embeddings import DTYPE, remove_unused
from rag.storage.indexversions import (
    IndexVersion,
    count_chunks,
    count_lacking,
    find_version,
    index_id,
    lacking_documents,
    maintained_versions,
)
from rag.storage.items import cancel_items_for
from rag.storage.jobs import close_job_if_done, new_job
from rag.storage.operations import take_turn
from rag.storage.publishing import Edition, check_width, keep_edition
from rag.storage.tables import (
    ChunkRow,
    CollectionRow,
    DocumentRow,
    GenerationRow,
    IndexVersionRow,
    ItemRow,
    JobRow,
    OperationRow,
    VersionRow,
)
from rag.storage.timestamps import now

PURGED = 2_000
"""Rows removed in one transaction, some 0.2 s: what is published waits no longer than that."""

Rebuilt: TypeAlias = Literal["indexed", "unchanged", "superseded"]
"""What became of a document's item. `superseded`: newer bytes were published meanwhile, and that
put them into every index."""


class Recipe(Struct, frozen=True):
    """How a collection is to be cut and embedded."""

    model: str | None
    dimension: int | None
    chunk_tokens: int
    chunker: str


class Stored(Struct, frozen=True):
    """A document as it was read from the database."""

    document: Document
    version_id: int
    revision: int


# --- begin ---------------------------------------------------------------------------------------


def begin(session: Session, id: CollectionId, recipe: Recipe) -> tuple[IndexVersion, JobId]:
    """A job that brings an index version to all that it lacks; the one under way where there is
    one.

    Raises:
        Conflict: such an index serves already.
    """
    take_turn(session, id)
    versions = maintained_versions(session, id)
    serving = versions[0]
    if _recipe_of(serving) == recipe:
        raise Conflict(
            f"{serving.index} serves, and is just that: embedded with"
            f" {recipe.model or 'no model'}, in chunks of at most {recipe.chunk_tokens} tokens;"
            " name another model or size"
        )
    known = [version for version in versions if _recipe_of(version) == recipe]
    version = known[0] if known else _new_version(session, serving, recipe)
    under_way = session.scalar(
        select(JobRow.id).where(JobRow.index_version_id == version.id, JobRow.finished_at.is_(None))
    )
    job = JobId(under_way or _queue(session, version))
    own = update(IndexVersionRow).where(IndexVersionRow.id == version.id)
    if known:  # one that has served is nobody's to call off
        own = own.where(IndexVersionRow.begun_by.is_not(None))
    session.execute(own.values(begun_by=job))
    return version, job


def _recipe_of(version: IndexVersion) -> Recipe:
    return Recipe(version.model, version.dimension, version.chunk_tokens, version.chunker)


def _new_version(session: Session, serving: IndexVersion, recipe: Recipe) -> IndexVersion:
    """With the weight of the one that serves, until its own is measured."""
    is_like = serving.model is not None and recipe.model is not None
    number = session.scalar(
        insert(IndexVersionRow)
        .values(
            collection_id=serving.collection_id,
            model=recipe.model,
            dimension=recipe.dimension,
            dtype=DTYPE,
            chunker=recipe.chunker,
            chunk_tokens=recipe.chunk_tokens,
            dense_weight=serving.dense_weight if is_like else PRIOR_WEIGHT,
            serves=False,
            created_at=now(),
        )
        .returning(IndexVersionRow.id)
    )
    versions = maintained_versions(session, serving.collection_id)
    return next(version for version in versions if version.id == number)


def _queue(session: Session, version: IndexVersion) -> JobId:
    """One item for each document that the index version lacks."""
    id = new_job(session, version.collection_id, index_version=version.id)
    columns = {
        "job_id": literal(id),
        "collection_id": DocumentRow.collection_id,
        "index_version_id": literal(version.id),
        "key": DocumentRow.key,
        "sha256": VersionRow.sha256,
        "attributes": literal({}, JSON),
        "state": literal("queued"),
    }
    documents = (
        select(*columns.values())
        .join(VersionRow, VersionRow.document_id == DocumentRow.id)
        .where(VersionRow.state == "current", lacking_documents(session, version))
        .order_by(DocumentRow.key)
    )
    session.execute(insert(ItemRow).from_select(list(columns), documents))
    close_job_if_done(session, id)
    return id


# --- fill ----------------------------------------------------------------------------------------


def read_stored(session: Session, id: DocumentId) -> Stored | None:
    """The document as it is now; None where it was deleted."""
    row = session.execute(_CURRENT.where(VersionRow.document_id == id)).first()
    if row is None:
        return None
    return Stored(read_document(session, id, None), row.id, row.revision)


def publish_edition(
    session: Session, view: Collection, stored: Stored, edition: Edition
) -> Rebuilt:
    """Puts a document into one index version, unless it is there or is another by now.

    Raises:
        IndexGone: the index was dropped.
        NotFound: the collection was deleted.
    """
    turn = take_turn(session, view.id)
    version = find_version(session, view.index)
    id = document_id(view.id, stored.document.key)
    current = session.execute(_CURRENT.where(VersionRow.document_id == id)).first()
    if current is None or tuple(current) != (stored.version_id, stored.revision):
        return "superseded"
    own = (ChunkRow.document_id == id) & ChunkRow.live & (ChunkRow.index_version_id == version.id)
    if session.scalar(select(exists().where(own))):
        return "unchanged"
    check_width(edition, version, view)
    keep_edition(session, stored.document, stored.version_id, version, edition)
    turn.record_live_chunks("put", id, version.id)
    return "indexed"


_CURRENT = select(VersionRow.id, VersionRow.revision).where(VersionRow.state == "current")


# --- switch --------------------------------------------------------------------------------------


def switch(session: Session, id: CollectionId, version: IndexVersion) -> None:
    """Makes it serve. The former one is kept up, so that going back is the same.

    Raises:
        Conflict: it lacks documents.
    """
    take_turn(session, id)
    lacking = count_lacking(session, version)
    if lacking:
        raise Conflict(
            f"{version.index} still lacks {lacking} documents, which would be found no more: the"
            " former index goes on serving. Wait for the job that builds it, or begin it again"
            " with `rag reindex` and see why its items fail"
        )
    mine = IndexVersionRow.collection_id == id
    session.execute(update(IndexVersionRow).where(mine).values(serves=False))
    session.execute(
        update(IndexVersionRow)
        .where(mine, IndexVersionRow.id == version.id)
        .values(serves=True, begun_by=None)
    )
    _count_again(session, id, version)


def _count_again(session: Session, id: CollectionId, version: IndexVersion) -> None:
    """What is told of documents and of the collection is what the index that serves has."""
    session.execute(
        update(CollectionRow)
        .where(CollectionRow.id == id)
        .values(chunks=count_chunks(session, version))
    )
    own = (
        select(func.count())
        .select_from(ChunkRow)
        .where(
            ChunkRow.document_id == VersionRow.document_id,
            ChunkRow.live,
            ChunkRow.index_version_id == version.id,
        )
        .scalar_subquery()
    )
    documents = select(DocumentRow.id).where(DocumentRow.collection_id == id)
    session.execute(
        update(VersionRow)
        .where(
            VersionRow.document_id.in_(documents),
            VersionRow.state == "current",
            VersionRow.chunks != own,
        )
        .values(chunks=own)
        .execution_options(synchronize_session=False)
    )


# --- drop ----------------------------------------------------------------------------------------


def drop(session: Session, id: CollectionId, version: IndexVersion) -> None:
    """It is an index version no more; `purge` removes what is left of it.

    Raises:
        Conflict: it serves.
    """
    take_turn(session, id)
    serves = select(IndexVersionRow.serves).where(IndexVersionRow.id == version.id)
    if session.scalar(serves):
        raise Conflict(f"{version.index} serves: make another one serve before it is dropped")
    cancel_items_for(session, version.id)
    session.execute(
        update(IndexVersionRow).where(IndexVersionRow.id == version.id).values(is_dropped=True)
    )


def call_off(session: Session, job: JobId) -> IndexId | None:
    """What a cancelled job was building goes with it, unless it is complete or has served.

    Returns:
        The index that is one no more.
    """
    row = session.execute(
        select(IndexVersionRow.id, IndexVersionRow.collection_id).where(
            IndexVersionRow.begun_by == job, ~IndexVersionRow.is_dropped
        )
    ).first()
    if row is None:
        return None
    version = find_version(session, index_id(row.id))
    if version.serves or count_lacking(session, version) == 0:
        return None
    drop(session, CollectionId(row.collection_id), version)
    return version.index


def purge(session: Session) -> bool:
    """Removes some of what dropped index versions left; False when nothing was left. The
    transaction must be alone, for others may be about to use a vector that nobody uses now."""
    number = session.scalar(select(IndexVersionRow.id).where(IndexVersionRow.is_dropped).limit(1))
    if number is None:
        return False
    chunks = session.execute(
        select(ChunkRow.id, ChunkRow.embedding_id)
        .where(ChunkRow.index_version_id == number)
        .limit(PURGED)
    ).all()
    if chunks:
        _remove_chunks(session, [row.id for row in chunks])
        remove_unused(session, sorted({row.embedding_id for row in chunks} - {None}))
        return True
    logged = session.scalars(
        select(OperationRow.seq)
        .where(OperationRow.index_version_id == number)
        .order_by(OperationRow.seq)
        .limit(PURGED)
    ).all()
    if logged:
        last = max(logged)
        mine = (OperationRow.index_version_id == number) & (OperationRow.seq <= last)
        session.execute(delete(OperationRow).where(mine))
        return True
    session.execute(delete(GenerationRow).where(GenerationRow.index_version_id == number))
    session.execute(delete(IndexVersionRow).where(IndexVersionRow.id == number))
    return True


def _remove_chunks(session: Session, ids: list[int]) -> None:
    for some in batches(ids):
        session.execute(delete(ChunkRow).where(ChunkRow.id.in_(some)))
