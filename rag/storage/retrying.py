"""Trying items again that ended badly, from the bytes that came for them.

These are kept as long as their job, unless their document is deleted before. Newer bytes under the
same key make them obsolete: an old version must not come back over a new one.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Row, and_, delete, exists, or_, select
from sqlalchemy.orm import Session, aliased

from rag.domain import JobId, Retried, Version
from rag.errors import Conflict, InvalidRequest
from rag.storage.batches import batches
from rag.storage.blobs import Blobs
from rag.storage.changes import next_change
from rag.storage.jobs import find_job, reopen_job
from rag.storage.queueing import FIRST_AHEAD
from rag.storage.tables import IndexVersionRow, ItemRow, JobRow, VersionRow
from rag.storage.webhooks import remove_webhook

RETRIABLE = ("failed", "refused", "cancelled")
KEYS_NAMED = 5  # in a message


def is_wanted() -> ColumnElement[bool]:
    """The item's bytes are here, and still to be read, or may be once more."""
    ended_badly = ItemRow.state.in_(RETRIABLE) & ~ItemRow.is_forgotten
    return (ItemRow.sha256 != "") & or_(ItemRow.finished_at.is_(None), ended_badly)


def retry(session: Session, blobs: Blobs, id: JobId, keys: Sequence[str] | None) -> Retried:
    """Queues items again: those that failed, or those of these keys, also if they were refused or
    cancelled. Of what ended otherwise nothing is done again.

    Raises:
        NotFound: no such job.
        InvalidRequest: it has no items of some of the keys.
    """
    job = find_job(session, id)
    queued: list[ItemRow] = []
    obsolete = gone = 0
    for row, is_obsolete in _ended_badly(session, id, keys):
        if is_obsolete:
            obsolete += 1
        elif _is_gone(session, blobs, row):
            gone += 1
        else:
            queued.append(row)
    if queued:
        change = next_change(session, id)
        reopen_job(session, id)
        for row in queued:
            _queue_again(row, FIRST_AHEAD if job.lane == "batch" else None, change)
        session.flush()
    return Retried(find_job(session, id), len(queued), obsolete, gone)


def remove_job(session: Session, id: JobId) -> list[Version]:
    """With its items. The transaction must be alone, for others may be about to use their bytes.

    Returns:
        Versions that no document and no other item has.

    Raises:
        NotFound: no such job.
        Conflict: it is not finished.
    """
    job = find_job(session, id)
    if job.finished_at is None:
        raise Conflict(f"job {id} is not finished; cancel it first")
    mine = (ItemRow.job_id == id) & (ItemRow.sha256 != "")
    came = session.scalars(select(ItemRow.sha256).where(mine).distinct()).all()
    session.execute(delete(ItemRow).where(ItemRow.job_id == id))
    session.execute(delete(JobRow).where(JobRow.id == id))
    remove_webhook(session, id)
    return unused_versions(session, [Version(sha256) for sha256 in came])


def unused_versions(session: Session, versions: Sequence[Version]) -> list[Version]:
    """Those whose bytes belong to no document and to no item that may need them."""
    used: set[str] = set()
    for some in batches(versions):
        used |= set(session.scalars(select(VersionRow.sha256).where(VersionRow.sha256.in_(some))))
        wanted = select(ItemRow.sha256).where(ItemRow.sha256.in_(some), is_wanted())
        used |= set(session.scalars(wanted))
    return [version for version in versions if version not in used]


def _ended_badly(
    session: Session, id: JobId, keys: Sequence[str] | None
) -> list[Row[ItemRow, bool]]:
    bad = select(ItemRow, _is_obsolete()).where(ItemRow.job_id == id).order_by(ItemRow.id)
    bad = bad.with_for_update(of=ItemRow)
    if keys is None:
        return list(session.execute(bad.where(ItemRow.state == "failed")).all())
    _require_keys(session, id, keys)
    return [
        row
        for some in batches(sorted(set(keys)))
        for row in session.execute(
            bad.where(ItemRow.state.in_(RETRIABLE), ItemRow.key.in_(some))
        ).all()
    ]


def _is_obsolete() -> ColumnElement[bool]:
    newer = aliased(ItemRow)
    came_since = exists().where(
        newer.collection_id == ItemRow.collection_id,
        newer.key == ItemRow.key,
        newer.id > ItemRow.id,
        newer.index_version_id.is_(None),
        newer.state != "cancelled",
    )
    is_kept_up = exists().where(
        IndexVersionRow.id == ItemRow.index_version_id, ~IndexVersionRow.is_dropped
    )
    return or_(
        ItemRow.is_forgotten,
        and_(ItemRow.index_version_id.is_(None), came_since),
        and_(ItemRow.index_version_id.is_not(None), ~is_kept_up),
    )


def _is_gone(session: Session, blobs: Blobs, row: ItemRow) -> bool:
    """Neither are its bytes here, nor could they be had."""
    if row.index_version_id is not None or row.fetch is not None:
        return False
    return blobs.size(session, Version(row.sha256)) is None


def _require_keys(session: Session, id: JobId, keys: Sequence[str]) -> None:
    known = {
        key
        for some in batches(keys)
        for key in session.scalars(
            select(ItemRow.key).where(ItemRow.job_id == id, ItemRow.key.in_(some))
        )
    }
    if missing := [key for key in keys if key not in known]:
        named = ", ".join(repr(key) for key in missing[:KEYS_NAMED])
        more = ", ..." if len(missing) > KEYS_NAMED else ""
        raise InvalidRequest(f"job {id} has no items of the keys {named}{more}")


def _queue_again(row: ItemRow, ahead: str | None, change: int) -> None:
    row.state, row.attempts, row.tries = "queued", 0, 0
    row.ahead = ahead if row.fetch is None else None
    row.finished_at = row.lease_until = row.document_id = None
    row.error_code = row.error_stage = row.error_message = None
    row.pages = row.pages_ocred = row.chunks = 0
    row.seconds = 0.0
    row.change = change
