"""The ingest jobs of a library, and their items."""

from collections.abc import Callable, Sequence
from collections.abc import Collection as Some

from rag.domain import (
    Collection,
    DeliveryState,
    Failure,
    IndexId,
    IngestItem,
    IngestJob,
    ItemState,
    JobId,
    Lane,
    Listing,
    Retried,
    Source,
)
from rag.errors import NotFound
from rag.storage import (
    claiming,
    claims,
    items,
    jobs,
    leases,
    progress,
    queueing,
    rebuilding,
    retrying,
    tracing,
    webhooks,
    workers,
)
from rag.storage.blobs import Blobs
from rag.storage.claims import ClaimedItem
from rag.storage.database import Database
from rag.storage.forgetting import Forgetting
from rag.storage.items import Work
from rag.storage.leases import Claim
from rag.storage.progress import News, Place
from rag.storage.queueing import Queued, ToFetch
from rag.storage.sources import check_sources
from rag.storage.space import Space
from rag.storage.spooling import Handed
from rag.storage.webhooks import Message


class JobStore:
    """What is queued, what is worked on, and how it ended."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        space: Space,
        forgetting: Forgetting,
        called_off: Callable[[IndexId], None],
        webhook: str | None = None,
    ) -> None:
        """
        Args:
            called_off: to be called when an index was dropped with the job that built it.
            webhook: who is told when a job that is queued here has ended.
        """
        self._database = database
        self._blobs = blobs
        self._space = space
        self._forgetting = forgetting
        self._called_off = called_off
        self._webhook = webhook

    def queue(
        self,
        collection: Collection,
        sources: Sequence[Handed],
        *,
        job: JobId | None = None,
        lane: Lane | None = None,
    ) -> Queued:
        """Keeps the sources and queues them, in a new job or in one that goes on; what is the
        same as published is `unchanged`.

        Args:
            lane: the job's own where None, or the direct one.

        Raises:
            InvalidRequest: a key or attribute that cannot be kept.
            NotFound: no such job.
            Conflict: that job is another collection's, in another lane, or was cancelled.
        """
        check_sources(sources)
        self._space.require_room()
        for source in sources:
            self._blobs.put(source.content)
        with self._database.write() as session:
            for source in sources:
                # again, for a delete may have removed the same bytes in between; no other can
                # while this transaction is open
                self._blobs.keep(session, source.content)
            queued = queueing.queue_sources(session, collection, sources, job, lane)
            if job is None and self._webhook is not None:
                webhooks.set_webhook(session, queued.job.id, self._webhook)
            return queued

    def queue_fetch(
        self,
        collection: Collection,
        wanted: ToFetch,
        *,
        job: JobId | None = None,
        lane: Lane | None = None,
        failure: Failure | None = None,
        state: ItemState = "failed",
    ) -> Queued:
        """Queues what is still to be fetched, in a new job or in one that goes on.

        Args:
            failure: why it could not be fetched, where that was tried: then the item has ended,
                and can be tried again.

        Raises:
            InvalidRequest: a key or attribute that cannot be kept.
            NotFound: no such job.
            Conflict: that job is another collection's, in another lane, or was cancelled.
        """
        check_sources([Source(wanted.key, b"", None, wanted.title, wanted.attributes)])
        self._space.require_room()
        with self._database.write() as session:
            queued, item = queueing.queue_fetch(session, collection, wanted, job, lane)
            if job is None and self._webhook is not None:
                webhooks.set_webhook(session, queued.job.id, self._webhook)
            if failure is not None:
                items.end_item(session, item, state, failure)
            return queued

    def claim_fetch(self, *, lease: float, in_hand: Some[int] = ()) -> ClaimedItem | None:
        """As `claim`, of what is still to be fetched."""
        self._space.require_room()
        with self._database.write() as session:
            return claiming.claim_fetch(session, lease=lease, in_hand=in_hand)

    def keep_fetched(self, claimed: ClaimedItem, source: Source) -> None:
        """Gives an item back with its bytes, to be read; one whose document is the same already
        has ended.

        Raises:
            Conflict: the item was cancelled, or is another worker's by now.
        """
        self._blobs.put(source.content)
        with self._database.write() as session:
            self._blobs.keep(session, source.content)
            row = claims.give_back(session, claimed)
            if queueing.keep_fetched(session, row, source, claimed.lane):
                items.finish_row(session, row, "unchanged")

    def postpone(self, claimed: ClaimedItem, seconds: float, reason: Failure) -> None:
        """Gives an item back that is tried again after a while.

        Raises:
            Conflict: the item was cancelled, or is another worker's by now.
        """
        with self._database.write() as session:
            claims.postpone(session, claimed, seconds, reason)

    def has_come(self, job: JobId, source: Source) -> bool:
        """Whether the job had the same bytes under that key before."""
        with self._database.read() as session:
            return queueing.has_come(session, job, source)

    def create(self, collection: Collection, sources: Sequence[Source]) -> IngestJob:
        """`queue` in a job of their own."""
        return self.queue(collection, sources).job

    def find(self, id: JobId) -> IngestJob:
        with self._database.read() as session:
            return jobs.find_job(session, id)

    def list(self, *, limit: int = 20, after: str | None = None) -> Listing[IngestJob]:
        with self._database.read() as session:
            return jobs.list_jobs(session, limit=limit, after=after)

    def items(
        self,
        job_id: JobId,
        *,
        limit: int = 20,
        after: str | None = None,
        state: ItemState | None = None,
    ) -> Listing[IngestItem]:
        """In the order they were given; those in one state, or all."""
        with self._database.read() as session:
            return items.list_items(session, job_id, limit=limit, after=after, state=state)

    def last_item(self, collection: Collection, key: str) -> IngestItem | None:
        """What became of a source when it was handed in last; None where it never was."""
        with self._database.read() as session:
            return tracing.last_item(session, collection.id, key)

    def changes(self, id: JobId) -> int:
        """Grows with every change of the job; for whoever follows it, who then asks for the news.

        Raises:
            NotFound: no such job.
        """
        with self._database.read() as session:
            return progress.count_changes(session, id)

    def news(self, id: JobId, after: Place, *, limit: int) -> News:
        """The job, and its items that changed since one was at a place, the oldest change first.

        Raises:
            NotFound: no such job.
        """
        with self._database.read() as session:
            job = jobs.find_job(session, id)
            rows = progress.changed_rows(session, id, after, limit + 1)
            changed = tuple(((row.change, row.id), items.item_of(row)) for row in rows[:limit])
            return News(job, changed, len(rows) > limit)

    def cancel(self, id: JobId, keys: Sequence[str] | None = None) -> IngestJob:
        """What is published stays; what is not will not be. An index that is being built goes
        with its job.

        Args:
            keys: of the items to cancel; all where None.
        """
        with self._database.write() as session:
            job = items.cancel_job(session, id, keys)
            gone = rebuilding.call_off(session, id) if keys is None else None
        if gone is not None:
            self._called_off(gone)
        return job

    def retry(self, id: JobId, keys: Sequence[str] | None = None) -> Retried:
        """Queues again what failed, or the items of these keys, also if they were refused or
        cancelled.

        Raises:
            NotFound: no such job.
            InvalidRequest: it has no items of some of the keys.
        """
        self._space.require_room()
        with self._database.write() as session:
            return retrying.retry(session, self._blobs, id, keys)

    def delete(self, id: JobId) -> None:
        """With all it knows of its items, and the bytes of those that never became a document;
        what it published stays.

        Raises:
            NotFound: no such job.
            Conflict: it is not finished.
        """
        with self._database.alone() as session:
            unused = retrying.remove_job(session, id)
            self._forgetting.note(session, unused)
        self._forgetting.forget(unused)

    def claim(
        self,
        *,
        lease: float,
        in_hand: Some[int] = (),
        is_calm: bool = True,
        builds_first: bool = False,
    ) -> ClaimedItem | None:
        """The next item to work on, for `lease` seconds; None when there is none for now.

        Args:
            in_hand: ids of items that the same worker has.
            is_calm: whether the worker's process has lived for a while.
            builds_first: whether what an index is built from comes before what is ingested.
        """
        self._space.require_room()  # before anything is bought for it
        with self._database.write() as session:
            return claiming.claim_item(
                session,
                lease=lease,
                in_hand=in_hand,
                is_calm=is_calm,
                builds_first=builds_first,
            )

    def is_drained(self, in_hand: Some[int] = ()) -> bool:
        """Whether nothing is left that a worker could claim, now or later."""
        with self._database.read() as session:
            return claiming.is_drained(session, in_hand)

    def show_life(
        self, claims: Some[Claim], *, lease: float, paused: Failure | None = None
    ) -> set[int]:
        """What a worker has is its own for `lease` seconds from now.

        Args:
            paused: why it begins nothing at the moment.

        Returns:
            Ids of the items that are its own no more: cancelled, or claimed by another.
        """
        if not claims and not self._database.is_shared:
            return set()  # nobody asks: the disk may sleep
        with self._database.write() as session:
            workers.show_life(session, self._database.node, lease, paused)
            return leases.prolong(session, claims, lease)

    def leave(self) -> None:
        """The worker of this process works no more."""
        with self._database.write() as session:
            workers.leave(session, self._database.node)

    def workers(self) -> tuple[Failure | None, ...]:
        """Of each worker that lives, in whichever process, why it begins nothing; None where it
        goes on."""
        with self._database.read() as session:
            return tuple(workers.living(session))

    def set_webhook(self, id: JobId, url: str) -> IngestJob:
        """Who is told when it has ended, and at once where it has.

        Raises:
            NotFound: no such job.
        """
        with self._database.write() as session:
            jobs.find_job(session, id)
            webhooks.set_webhook(session, id, url)
            return jobs.find_job(session, id)

    def take_message(self, *, lease: float) -> Message | None:
        """The next message to be sent, for `lease` seconds; None when there is none."""
        with self._database.read() as session:
            if not webhooks.is_any_due(session):
                return None
        with self._database.write() as session:
            return webhooks.take_due(session, lease)

    def end_message(
        self, message: Message, state: DeliveryState, said: str | None, wait: float | None
    ) -> None:
        """
        Args:
            said: what went wrong.
            wait: seconds after which it is sent again.
        """
        with self._database.write() as session:
            webhooks.end_sending(session, message, state, said, wait)

    def source(self, claimed: ClaimedItem) -> Source:
        """
        Raises:
            Conflict: the item was cancelled meanwhile, and its bytes are gone.
            NotFound: they are gone, although they are wanted.
        """
        try:
            content = self._blobs.get(claimed.version)
        except NotFound:
            with self._database.write() as session:
                claims.require_claim(session, claimed)
            raise
        return Source(
            key=claimed.key,
            content=content,
            media_type=claimed.media_type,
            title=claimed.title,
            attributes=claimed.attributes,
        )

    def advance(self, claimed: ClaimedItem, state: ItemState) -> None:
        """Records a completed step and prolongs the lease.

        Raises:
            Conflict: the item was cancelled, or is another worker's by now.
        """
        with self._database.write() as session:
            claims.advance(session, claimed, state)

    def finish(
        self,
        claimed: ClaimedItem,
        state: ItemState,
        *,
        error: Failure | None = None,
        pages: int = 0,
        pages_ocred: int = 0,
        chunks: int = 0,
        seconds: float = 0.0,
    ) -> None:
        """Ends an item that was not published.

        Raises:
            Conflict: the item was cancelled, or is another worker's by now.
        """
        work = Work(pages=pages, pages_ocred=pages_ocred, chunks=chunks, seconds=seconds)
        with self._database.write() as session:
            items.finish(session, claimed, state, error=error, work=work)

    def release(self, claimed: ClaimedItem) -> None:
        """Gives an item back untried, as when the service stops."""
        with self._database.write() as session:
            claims.release(session, claimed)
