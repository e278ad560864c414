"""Newer bytes do not wait behind older ones that are being bought in a batch, for hours perhaps:
the older item ends, and what its purchase costs is accounted all the same."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, exists, or_, select
from sqlalchemy.orm import Session, aliased

from rag.domain import CollectionId, Failure, JobId
from rag.storage.batches import batches
from rag.storage.leases import is_free
from rag.storage.memos import forget_memos
from rag.storage.readings import remove_passing
from rag.storage.spooling import Handed
from rag.storage.tables import BatchPurchaseRow, BatchRequestRow, ItemRow
from rag.storage.timestamps import now

SUPERSEDED = Failure(
    "superseded",
    "batch",
    "newer bytes came under this key while these were being bought in a batch; they are read"
    " instead",
)


def supersede(
    session: Session, collection_id: CollectionId, sources: Sequence[Handed]
) -> dict[JobId, list[int]]:
    """Ends items of these keys, with other bytes, that wait for a batch or behind one that does.
    Those that a worker has go on: they are done soon.

    Returns:
        Their ids by their jobs, which are still to be told.
    """
    versions = {source.key: source.version for source in sources}
    ended: dict[JobId, list[int]] = {}
    for some in batches(list(versions)):
        waiting = select(ItemRow).where(_waits_for_a_batch(session, collection_id, some))
        # one that is locked is just being claimed, or is ending
        for row in session.scalars(waiting.with_for_update(skip_locked=True, of=ItemRow)):
            if row.sha256 == versions[row.key]:
                continue  # what is on its way for it is what the new one needs
            ended.setdefault(JobId(row.job_id), []).append(row.id)
            _end(session, row)
    return ended


def _waits_for_a_batch(
    session: Session, collection_id: CollectionId, keys: Sequence[str]
) -> ColumnElement[bool]:
    ahead = aliased(ItemRow)
    is_behind = is_free(session) & exists().where(
        ahead.collection_id == ItemRow.collection_id,
        ahead.key == ItemRow.key,
        ahead.finished_at.is_(None),
        ahead.ahead.is_not(None),
        ahead.id < ItemRow.id,
    )
    return (
        (ItemRow.collection_id == collection_id)
        & ItemRow.key.in_(keys)
        & ItemRow.finished_at.is_(None)
        & ItemRow.index_version_id.is_(None)
        & or_(ItemRow.ahead.is_not(None), is_behind)
    )


def _end(session: Session, row: ItemRow) -> None:
    row.state, row.finished_at, row.lease_until = "superseded", now(), None
    row.error_code, row.error_stage = SUPERSEDED.code, SUPERSEDED.stage
    row.error_message = SUPERSEDED.message
    session.flush()
    remove_passing(session, [row.sha256])
    if not _is_wanted_elsewhere(session, row):
        _give_up_purchases(session, row)


def _is_wanted_elsewhere(session: Session, row: ItemRow) -> bool:
    """The same bytes wait under another key, and for the same purchase."""
    other = select(ItemRow.id).where(
        ItemRow.sha256 == row.sha256, ItemRow.finished_at.is_(None), ItemRow.id != row.id
    )
    return session.scalar(other.limit(1)) is not None


def _give_up_purchases(session: Session, row: ItemRow) -> None:
    """They are paid if they come, and not kept: no document would ever take them along. And
    nobody waits for them instead of buying."""
    request = BatchRequestRow
    mine = exists().where(
        request.batch_id == BatchPurchaseRow.batch_id,
        request.name == BatchPurchaseRow.name,
        request.collection_id == row.collection_id,
        request.document_key == row.key,
    )
    session.execute(delete(BatchPurchaseRow).where(mine))
    forget_memos(session, CollectionId(row.collection_id), row.key)
