"""Which item is next, and for whom.

Items of one key are worked on in the order they came, so that the last put wins. Attempts are
counted when they begin: one that was neither ended nor given back took its worker along, or was
only in hand when that died. Which of the two is found out by trying the item alone, before all
others; at last only where the process has lived for a while, so that whoever kills it again and
again from outside convicts nobody. What dies there too is given up.
"""

from collections.abc import Collection as Some
from typing import cast

from sqlalchemy import ColumnElement, UnaryExpression, exists, literal_column, or_, select, true
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

SUSPECTED = 3
"""Deaths in which an item was in hand, from which on it is tried in a calm process only."""

SUSPECTS = 100
"""Looked at together; each death makes as many as one process has in hand."""

MAX_ATTEMPTS = 5
"""The second death of a calm process that had nothing else in hand is no coincidence."""


def claim_item(
    session: Session,
    *,
    lease: float,
    in_hand: Some[int] = (),
    is_calm: bool = True,
    builds_first: bool = False,
) -> ClaimedItem | None:
    """The next item that nobody works on, for `lease` seconds; None when there is none for now.

    Args:
        in_hand: ids of items that the same worker has, and which it is not given again though it
            overslept: it goes on with them.
        is_calm: whether the worker's process has lived for a while.
        builds_first: whether what an index is built from comes before what is ingested.
    """
    if _has_suspect(session, in_hand):
        return None
    while (row := _next_suspect(session, in_hand, is_calm)) is not None:
        if row.attempts >= MAX_ATTEMPTS:
            finish_row(session, row, "failed", error=_given_up(row.attempts))
            continue
        return None if in_hand else _claimed(session, row, lease)
    fresh = ItemRow.id.not_in(in_hand) & (ItemRow.attempts == 0)
    in_turn = (_next_to_build, _next_item) if builds_first else (_next_item, _next_to_build)
    row = in_turn[0](session, fresh) or in_turn[1](session, fresh)
    return None if row is None else _claimed(session, row, lease)


def claim_ahead(
    session: Session,
    job: JobId,
    step: str,
    *,
    lease: float,
    in_hand: Some[int] = (),
    is_calm: bool = True,
) -> ClaimedItem | None:
    """The next item of a job for which this step is still to be ordered in a batch. Those that
    have to be alone wait until they can be."""
    if _has_suspect(session, in_hand):
        return None
    while (row := _next_ahead(session, job, step, _may_be_tried(in_hand, is_calm))) is not None:
        if row.attempts >= MAX_ATTEMPTS:
            finish_row(session, row, "failed", error=_given_up(row.attempts))
            continue
        return _claimed(session, row, lease)
    return None


def claim_fetch(session: Session, *, lease: float, in_hand: Some[int] = ()) -> ClaimedItem | None:
    """The next item whose bytes are to be fetched. Fetching parses nothing, and takes no process
    along: what died while it did is not counted.

    Args:
        in_hand: as for `claim_item`.
    """
    which = ItemRow.id.not_in(in_hand)
    row = _next_item(session, which, is_here=False)
    if row is None:
        return None
    row.attempts = 0
    return _claimed(session, row, lease)


def is_drained(session: Session, in_hand: Some[int] = ()) -> bool:
    """Whether nothing is left to be claimed, now or later."""
    left = select(ItemRow.id).where(
        ItemRow.finished_at.is_(None),
        ItemRow.ahead.is_(None),
        is_free(session),
        ItemRow.id.not_in(in_hand),
    )
    return session.scalar(left.limit(1)) is None


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
        fetch=row.fetch,
        tries=row.tries,
    )


_IS_SUSPECT = ItemRow.finished_at.is_(None) & (ItemRow.attempts > literal_column("0"))
"""As the index has it: no parameters."""


def _has_suspect(session: Session, in_hand: Some[int]) -> bool:
    """Whether one of these is being tried alone."""
    mine = select(ItemRow.id).where(ItemRow.id.in_(in_hand), ItemRow.attempts > 1)
    return bool(in_hand) and session.scalar(mine.limit(1)) is not None


def _next_suspect(session: Session, in_hand: Some[int], is_calm: bool) -> ItemRow | None:
    """The one that was in hand most often when a worker died: where each lives for seconds only,
    it has the most of them."""
    others = ItemRow.id.not_in(in_hand)
    known = select(ItemRow.id).where(_IS_SUSPECT, others, is_free(session), _is_timely(is_calm))
    which = ItemRow.id.in_(session.scalars(known.limit(SUSPECTS)).all())
    most = ItemRow.attempts.desc()
    return _next_item(session, which, most) or _next_to_build(session, which, most)


def _may_be_tried(in_hand: Some[int], is_calm: bool) -> ColumnElement[bool]:
    return ItemRow.attempts == 0 if in_hand else _is_timely(is_calm)


def _is_timely(is_calm: bool) -> ColumnElement[bool]:
    if is_calm:
        return true()
    return or_(ItemRow.attempts < SUSPECTED, ItemRow.attempts >= MAX_ATTEMPTS)


def _next_ahead(
    session: Session, job: JobId, step: str, which: ColumnElement[bool]
) -> ItemRow | None:
    return session.scalar(
        select(ItemRow)
        .where(
            ItemRow.job_id == job,
            ItemRow.ahead == step,
            ItemRow.finished_at.is_(None),
            is_free(session),
            ~exists().where(BatchWaitRow.item_id == ItemRow.id),
            which,
        )
        .order_by(ItemRow.attempts.desc(), ItemRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _next_item(
    session: Session,
    which: ColumnElement[bool],
    *first: UnaryExpression[int],
    is_here: bool = True,
) -> ItemRow | None:
    """
    Args:
        is_here: whether its bytes are, or are still to be fetched.
    """
    earlier = aliased(ItemRow)
    return session.scalar(
        select(ItemRow)
        .where(
            ItemRow.finished_at.is_(None),
            ItemRow.index_version_id.is_(None),
            ItemRow.ahead.is_(None),
            ItemRow.fetch.is_(None) if is_here else ItemRow.fetch.is_not(None),
            is_free(session),
            which,
            ~exists().where(
                earlier.collection_id == ItemRow.collection_id,
                earlier.key == ItemRow.key,
                earlier.finished_at.is_(None),
                earlier.index_version_id.is_(None),
                earlier.id < ItemRow.id,
            ),
        )
        .order_by(*first, ItemRow.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=ItemRow)
    )


def _next_to_build(
    session: Session, which: ColumnElement[bool], *first: UnaryExpression[int]
) -> ItemRow | None:
    """In no order with what is ingested: whichever publishes first, the other sees it."""
    return session.scalar(
        select(ItemRow)
        .where(
            ItemRow.finished_at.is_(None),
            ItemRow.index_version_id.is_not(None),
            is_free(session),
            which,
        )
        .order_by(*first, ItemRow.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=ItemRow)
    )


def _given_up(attempts: int) -> Failure:
    return Failure(
        code="gave_up",
        stage="worker",
        message=f"the worker died {attempts} times while it had this file in hand, and at last with"
        " nothing else in hand; ingest it again to retry",
    )
