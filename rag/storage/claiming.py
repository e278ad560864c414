"""Which item is next, and for whom.

Attempts are counted when they begin, so that a file that kills its worker is given up after
`MAX_ATTEMPTS`. Items of one key are worked on in the order they came, so that the last put wins.
What builds an index waits while there is something to ingest.
"""

from collections.abc import Collection as Some
from typing import cast

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session, aliased

from rag.domain import (
    Failure,
    JobId,
    Lane,
    Version,
)
from rag.storage.attributes import attributes_of
from rag.storage.claims import ClaimedItem, note_change
from rag.storage.collections import collection_through, find_collection
from rag.storage.database import node_of
from rag.storage.indexversions import index_id
from rag.storage.items import finish_row
from rag.storage.leases import is_free, until
from rag.storage.tables import BatchWaitRow, ItemRow, JobRow

MAX_ATTEMPTS = 3  # the third death of a worker on the same file is no coincidence


def claim_item(session: Session, *, lease: float, in_hand: Some[int] = ()) -> ClaimedItem | None:
    """The next item that nobody works on, for `lease` seconds; None when there is none.

    Args:
        in_hand: ids of items that the same worker has, and which it is not given again though it
            overslept: it goes on with them.
    """
    others = ItemRow.id.not_in(in_hand)
    while (row := _next_item(session, others) or _next_to_build(session, others)) is not None:
        if row.attempts >= MAX_ATTEMPTS:
            finish_row(session, row, "failed", error=_given_up(row.attempts))
            continue
        return _claimed(session, row, lease)
    return None


def claim_ahead(session: Session, job: JobId, step: str, *, lease: float) -> ClaimedItem | None:
    """The next item of a job for which this step is still to be ordered in a batch."""
    while (row := _next_ahead(session, job, step)) is not None:
        if row.attempts >= MAX_ATTEMPTS:
            finish_row(session, row, "failed", error=_given_up(row.attempts))
            continue
        return _claimed(session, row, lease)
    return None


def _claimed(session: Session, row: ItemRow, lease: float) -> ClaimedItem:
    row.attempts += 1
    row.claims += 1
    row.lease = lease
    row.lease_until = until(session, lease)
    row.node = node_of(session)
    note_change(session, row)
    session.flush()
    builds = None if row.index_version_id is None else index_id(row.index_version_id)
    return ClaimedItem(
        item_id=row.id,
        job_id=JobId(row.job_id),
        collection=(
            collection_through(session, builds)
            if builds
            else find_collection(session, row.collection_id)
        ),
        key=row.key,
        version=Version(row.sha256),
        media_type=row.media_type,
        title=row.title,
        attributes=attributes_of(row.attributes),
        attempts=row.attempts,
        number=row.claims,
        lane=cast(Lane, session.get_one(JobRow, row.job_id).lane),  # what we wrote
        builds=builds,
    )


def _next_ahead(session: Session, job: JobId, step: str) -> ItemRow | None:
    return session.scalar(
        select(ItemRow)
        .where(
            ItemRow.job_id == job,
            ItemRow.ahead == step,
            ItemRow.finished_at.is_(None),
            is_free(session),
            ~exists().where(BatchWaitRow.item_id == ItemRow.id),
        )
        .order_by(ItemRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _next_item(session: Session, others: ColumnElement[bool]) -> ItemRow | None:
    earlier = aliased(ItemRow)
    return session.scalar(
        select(ItemRow)
        .where(
            ItemRow.finished_at.is_(None),
            ItemRow.index_version_id.is_(None),
            ItemRow.ahead.is_(None),
            is_free(session),
            others,
            ~exists().where(
                earlier.collection_id == ItemRow.collection_id,
                earlier.key == ItemRow.key,
                earlier.finished_at.is_(None),
                earlier.index_version_id.is_(None),
                earlier.id < ItemRow.id,
            ),
        )
        .order_by(ItemRow.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=ItemRow)
    )


def _next_to_build(session: Session, others: ColumnElement[bool]) -> ItemRow | None:
    """In no order with what is ingested: whichever publishes first, the other sees it."""
    return session.scalar(
        select(ItemRow)
        .where(
            ItemRow.finished_at.is_(None),
            ItemRow.index_version_id.is_not(None),
            is_free(session),
            others,
        )
        .order_by(ItemRow.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=ItemRow)
    )


def _given_up(attempts: int) -> Failure:
    return Failure(
        code="gave_up",
        stage="worker",
        message=f"the worker died {attempts} times on this file; ingest it again to retry",
    )
