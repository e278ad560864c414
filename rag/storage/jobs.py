"""Requests to ingest. A job's state is what its items' states come to."""

import secrets
from collections.abc import Sequence
from typing import Any, cast

import msgspec
from msgspec import Struct
from sqlalchemy import Select, case, exists, func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from rag.domain import (
    Collection,
    CollectionId,
    Failure,
    IngestJob,
    ItemCounts,
    ItemState,
    JobId,
    JobState,
    Lane,
    Listing,
    Saved,
    Source,
    document_id,
)
from rag.errors import Conflict, NotFound
from rag.storage.attributes import attributes_of
from rag.storage.batches import batches
from rag.storage.changes import note_changes
from rag.storage.cursors import checked_limit, cursor, position
from rag.storage.indexversions import index_id
from rag.storage.ledger import committed, nanodollars, usd
from rag.storage.progress import seconds_left
from rag.storage.savings import worth_of
from rag.storage.superseding import supersede
from rag.storage.tables import (
    CollectionRow,
    DocumentRow,
    ItemRow,
    JobRow,
    LedgerRow,
    VersionRow,
)
from rag.storage.timestamps import now
from rag.storage.webhooks import call_off, find_delivery, make_due

FIRST_AHEAD = "read"
"""What is bought first for an item in the batch lane."""


class Queued(Struct, frozen=True):
    """What became of sources that were handed in together."""

    job: IngestJob
    before: str
    """Cursor of the job's list of items: these sources' items are the first after it."""


def queue_sources(
    session: Session,
    collection: Collection,
    sources: Sequence[Source],
    job: JobId | None,
    lane: Lane | None = None,
) -> Queued:
    """Queues the sources, in a new job or one more time in an earlier one, which then goes on;
    those whose document is the same already are `unchanged` at once, and those that wait in that
    very job, with the same bytes, are not queued again. Older bytes that wait for a batch end.

    Raises:
        NotFound: no such job.
        Conflict: that job is another collection's, or in another lane, or was cancelled.
    """
    at = now()
    if job:
        id, lane = _reopened(session, collection, job, lane)
        sources = _not_waiting(session, id, sources)
    else:
        lane = lane or "direct"
        id = new_job(session, collection.id, lane)
    ended = supersede(session, collection.id, sources)
    rows = [_in_job(row, id, lane, at) for row in _new_items(session, collection.id, sources)]
    last = session.scalar(select(func.max(ItemRow.id)).where(ItemRow.job_id == id))
    if rows:
        session.execute(insert(ItemRow), rows)
    new = (ItemRow.id > (last or 0)) & (ItemRow.job_id == id)
    for job_id in sorted({id, *ended}):
        note_changes(session, [job_id], new | ItemRow.id.in_(ended.get(job_id, [])))
        if job_id == id:
            reopen_job(session, id)
        close_job_if_done(session, job_id)
    return Queued(find_job(session, id), cursor(last or 0))


def new_job(
    session: Session,
    collection_id: CollectionId,
    lane: Lane = "direct",
    *,
    index_version: int | None = None,
) -> JobId:
    """
    Args:
        index_version: that it builds; None where it ingests.
    """
    id = JobId(f"job_{secrets.token_hex(12)}")
    session.execute(
        insert(JobRow).values(
            id=id,
            collection_id=collection_id,
            lane=lane,
            index_version_id=index_version,
            created_at=now(),
        )
    )
    return id


def _reopened(
    session: Session, collection: Collection, id: JobId, lane: Lane | None
) -> tuple[JobId, Lane]:
    job = find_job(session, id)
    if job.collection != collection.name:
        raise Conflict(f"job {id} is of collection {job.collection!r}, not {collection.name!r}")
    if job.kind != "ingest":
        raise Conflict(f"job {id} builds an index, and takes no documents; begin another")
    if job.state == "cancelled":
        raise Conflict(f"job {id} was cancelled; begin another")
    if lane not in (None, job.lane):
        raise Conflict(f"job {id} is in the {job.lane} lane; begin another")
    return id, job.lane


def _not_waiting(session: Session, id: JobId, sources: Sequence[Source]) -> list[Source]:
    """Those of the sources that are not the last to wait in the job under their key."""
    last: dict[str, tuple[str, str | None, str | None, dict[str, Any]]] = {}
    for some in batches([source.key for source in sources]):
        rows = session.execute(
            select(
                ItemRow.key, ItemRow.sha256, ItemRow.media_type, ItemRow.title, ItemRow.attributes
            )
            .where(ItemRow.job_id == id, ItemRow.key.in_(some), ItemRow.finished_at.is_(None))
            .order_by(ItemRow.id)
        )
        last |= {key: (sha256, kind, title, own) for key, sha256, kind, title, own in rows}
    return [source for source in sources if last.get(source.key) != _identity(source)]


def _identity(source: Source) -> tuple[str, str | None, str | None, dict[str, Any]]:
    own = msgspec.json.decode(msgspec.json.encode(source.attributes))  # as it comes back
    return source.version, source.media_type, source.title, own


def find_job(session: Session, id: JobId) -> IngestJob:
    """
    Raises:
        NotFound: no such job.
    """
    row = session.execute(_jobs().where(JobRow.id == id)).first()
    if row is None:
        raise NotFound("there is no such job")
    return _job(session, *row)


def list_jobs(session: Session, *, limit: int, after: str | None) -> Listing[IngestJob]:
    """Newest first."""
    query = _jobs().order_by(JobRow.created_at.desc(), JobRow.id.desc())
    if place := position(after, str, str):
        query = query.where(tuple_(JobRow.created_at, JobRow.id) < tuple_(*place))
    rows = session.execute(query.limit(checked_limit(limit) + 1)).all()
    data = tuple(_job(session, *row) for row in rows[:limit])
    has_more = len(rows) > limit
    return Listing(data, has_more, cursor(data[-1].created_at, data[-1].id) if has_more else None)


def close_job_if_done(session: Session, id: JobId) -> None:
    """A job is finished by its last item."""
    # who ends the last but one item at this moment would leave the job to us, and we to him
    session.execute(select(JobRow.id).where(JobRow.id == id).with_for_update(key_share=True))
    open_items = exists().where(ItemRow.job_id == id, ItemRow.finished_at.is_(None))
    closed = session.execute(
        update(JobRow)
        .where(JobRow.id == id, JobRow.finished_at.is_(None), ~open_items)
        .values(finished_at=now())
        .returning(JobRow.id)
    )
    if closed.first() is not None:
        make_due(session, id)


def reopen_job(session: Session, id: JobId) -> None:
    """Some of its items wait again."""
    session.execute(update(JobRow).where(JobRow.id == id).values(finished_at=None))
    call_off(session, id)


def failure_of(row: ItemRow) -> Failure | None:
    if row.error_code is None:
        return None
    return Failure(row.error_code, row.error_stage or "", row.error_message or "")


def _new_items(
    session: Session, collection_id: CollectionId, sources: Sequence[Source]
) -> list[dict[str, Any]]:
    """Rows that belong to no job yet; those whose document is the same already have ended."""
    keys = [source.key for source in sources]
    # in this order: what waited and is published in between is then current
    waiting = _waiting_keys(session, collection_id, keys)
    current = _current(session, collection_id, keys)
    rows = []
    for source in sources:
        is_same = source.key not in waiting and _is_current(source, current.get(source.key))
        if not is_same:
            waiting.add(source.key)
        rows.append(_new_item(collection_id, source, "unchanged" if is_same else "queued"))
    worth = worth_of(
        session, collection_id, [row["key"] for row in rows if row["state"] == "unchanged"]
    )
    return [row | _all_saved(worth.get(row["key"], Saved())) for row in rows]


def _new_item(collection_id: CollectionId, source: Source, state: ItemState) -> dict[str, Any]:
    return {
        "collection_id": collection_id,
        "key": source.key,
        "sha256": source.version,
        "media_type": source.media_type,
        "title": source.title,
        "attributes": dict(source.attributes),
        "state": state,
        "document_id": document_id(collection_id, source.key) if state == "unchanged" else None,
    }


def _in_job(row: dict[str, Any], id: JobId, lane: Lane, at: str) -> dict[str, Any]:
    is_over = row["state"] == "unchanged"
    return row | {
        "job_id": id,
        "ahead": FIRST_AHEAD if lane == "batch" and not is_over else None,
        "finished_at": at if is_over else None,
    }


def _all_saved(worth: Saved) -> dict[str, int]:
    """Of an item that is unchanged at once."""
    columns = (
        ("pages", worth.pages),
        ("tokens", worth.tokens),
        ("nanodollars", nanodollars(worth.usd)),
    )
    return {f"{of}_{name}": value for name, value in columns for of in ("worth", "saved")}


Current = tuple[str, str, dict[str, Any]]
"""Bytes (as SHA-256), title and attributes of a document: those it was given, where that is still
known, else all, with those that were read in it."""


def _current(
    session: Session, collection_id: CollectionId, keys: Sequence[str]
) -> dict[str, Current]:
    found: dict[str, Current] = {}
    for some in batches(keys):
        rows = session.execute(
            select(DocumentRow.key, VersionRow.sha256, VersionRow.title, VersionRow.attributes)
            .join(VersionRow, VersionRow.document_id == DocumentRow.id)
            .where(
                DocumentRow.collection_id == collection_id,
                DocumentRow.key.in_(some),
                VersionRow.state == "current",
            )
        )
        given = _given(session, collection_id, some)
        found |= {
            key: (sha256, title, given.get((key, sha256), attributes))
            for key, sha256, title, attributes in rows
        }
    return found


def _given(
    session: Session, collection_id: CollectionId, keys: Sequence[str]
) -> dict[tuple[str, str], dict[str, Any]]:
    """Attributes with which documents were handed in last, by key and bytes."""
    last = (
        select(func.max(ItemRow.id))
        .where(
            ItemRow.collection_id == collection_id,
            ItemRow.key.in_(keys),
            ItemRow.state.in_(("indexed", "unchanged")),
            ItemRow.index_version_id.is_(None),
        )
        .group_by(ItemRow.key)
    )
    rows = session.execute(
        select(ItemRow.key, ItemRow.sha256, ItemRow.attributes).where(ItemRow.id.in_(last))
    )
    return {(key, sha256): attributes for key, sha256, attributes in rows}


def _is_current(source: Source, current: Current | None) -> bool:
    if current is None:
        return False
    sha256, title, attributes = current
    return (
        source.version == sha256
        and source.title in (None, title)
        and dict(source.attributes) == attributes_of(attributes)
    )


def _waiting_keys(session: Session, collection_id: CollectionId, keys: Sequence[str]) -> set[str]:
    """Keys for which an earlier put is not final yet, so that what is current says nothing."""
    return {
        key
        for some in batches(keys)
        for key in session.scalars(
            select(ItemRow.key).where(
                ItemRow.collection_id == collection_id,
                ItemRow.key.in_(some),
                ItemRow.finished_at.is_(None),
                ItemRow.index_version_id.is_(None),
            )
        )
    }


def _jobs() -> Select[JobRow, str]:
    return select(JobRow, CollectionRow.name).join(
        CollectionRow, CollectionRow.id == JobRow.collection_id
    )


def _job(session: Session, row: JobRow, collection: str) -> IngestJob:
    tally = _tally(session, row.id)
    return IngestJob(
        id=JobId(row.id),
        collection=collection,
        state=_state(tally, finished=row.finished_at is not None),
        lane=cast(Lane, row.lane),  # what we wrote
        kind="ingest" if row.index_version_id is None else "reindex",
        index=None if row.index_version_id is None else index_id(row.index_version_id),
        items=ItemCounts(
            total=sum(tally.states.values()),
            done=tally.of("indexed", "unchanged", "superseded"),
            failed=tally.of("failed", "refused"),
        ),
        progress={
            **tally.states,
            "pages": tally.pages,
            "pages_ocred": tally.pages_ocred,
            "chunks": tally.chunks,
            **({"waiting_for_batch": tally.ahead} if tally.ahead else {}),
        },
        saved=Saved(tally.saved_pages, tally.saved_tokens, usd(tally.saved_nanodollars)),
        spent_usd=committed(session, LedgerRow.job_id == row.id),
        seconds_left=(
            None
            if row.finished_at is not None or tally.ahead
            else seconds_left(session, row.id, tally.waiting)
        ),
        last_error=_last_error(session, row.id) if tally.of("failed", "refused") else None,
        webhook=find_delivery(session, row.id),
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


class _Tally(Struct):
    """Items of a job, counted by state, and what they came to."""

    states: dict[str, int] = {}
    started: int = 0
    waiting: int = 0
    """That have not ended."""
    ahead: int = 0
    """For which a batch is under way, or about to be."""
    pages: int = 0
    pages_ocred: int = 0
    chunks: int = 0
    saved_pages: int = 0
    saved_tokens: int = 0
    saved_nanodollars: int = 0

    def of(self, *states: str) -> int:
        return sum(self.states.get(state, 0) for state in states)


def _tally(session: Session, job_id: str) -> _Tally:
    rows = session.execute(
        select(ItemRow.state, func.count(), *(func.sum(each) for each in _SUMS.values()))
        .where(ItemRow.job_id == job_id)
        .group_by(ItemRow.state)
    ).all()
    sums = (sum(column) for column in zip(*(row[2:] for row in rows), strict=True))
    return _Tally({row[0]: row[1] for row in rows}, **dict(zip(_SUMS, sums, strict=False)))


_IS_AHEAD = ItemRow.ahead.is_not(None) & ItemRow.finished_at.is_(None)

_SUMS = {
    "started": case((ItemRow.attempts > 0, 1), else_=0),
    "waiting": case((ItemRow.finished_at.is_(None), 1), else_=0),
    "ahead": case((_IS_AHEAD, 1), else_=0),
    "pages": ItemRow.pages,
    "pages_ocred": ItemRow.pages_ocred,
    "chunks": ItemRow.chunks,
    "saved_pages": ItemRow.saved_pages,
    "saved_tokens": ItemRow.saved_tokens,
    "saved_nanodollars": ItemRow.saved_nanodollars,
}
"""Of each item, what `_Tally` counts of a job."""


def _state(tally: _Tally, *, finished: bool) -> JobState:
    if finished:
        if tally.of("cancelled"):
            return "cancelled"
        return "failed" if tally.of("failed", "refused") else "succeeded"
    return "running" if tally.started or tally.ahead or tally.of("unchanged") else "queued"


def _last_error(session: Session, job_id: str) -> Failure | None:
    row = session.scalar(
        select(ItemRow)
        .where(ItemRow.job_id == job_id, ItemRow.state.in_(("failed", "refused")))
        .order_by(ItemRow.finished_at.desc(), ItemRow.id.desc())
        .limit(1)
    )
    return failure_of(row) if row else None
