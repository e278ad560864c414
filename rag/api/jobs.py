"""Jobs: what became of documents that were handed in."""

import asyncio
from typing import Annotated, TypeAlias

import msgspec
from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import ServerSentEvent
from msgspec import Meta, Struct

from rag.api.events import LastEvent, events_of, news_of, place_of
from rag.api.listing import DEFAULT_LIMIT, After, Limit
from rag.domain import IngestItem, IngestJob, ItemState, JobId, Listing, Retried
from rag.wiring import Services


class Which(Struct, frozen=True, forbid_unknown_fields=True):
    """Items of a job."""

    keys: (
        Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(max_length=1000)] | None
    ) = None
    """Under which they were handed in; all where it is left out."""


class Webhook(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told."""

    url: Annotated[str, Meta(min_length=1, max_length=2000)]


InState: TypeAlias = Annotated[
    ItemState | None, QueryParameter(name="state", description="Only those in this state.")
]


class JobsController(Controller):
    path = "/v1/jobs"
    tags = ["Jobs"]

    @get(sync_to_thread=True)
    def list_all(
        self,
        services: NamedDependency[Services],
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Listing[IngestJob]:
        """List jobs, newest first."""
        found = services.library.jobs.list(limit=limit, after=after)
        return msgspec.structs.replace(found, data=tuple(map(services.told, found.data)))

    @get("/{job:str}", sync_to_thread=True)
    def show(self, job: FromPath[str], services: NamedDependency[Services]) -> IngestJob:
        """Show a job: its state, and how many of its items are done."""
        return services.job(JobId(job))

    @get("/{job:str}/items", sync_to_thread=True)
    def items(
        self,
        job: FromPath[str],
        services: NamedDependency[Services],
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
        in_state: InState = None,
    ) -> Listing[IngestItem]:
        """List a job's items, each with its state and, where it failed, the reason."""
        return services.library.jobs.items(JobId(job), limit=limit, after=after, state=in_state)

    @get("/{job:str}/events", media_type="text/event-stream")
    async def events(
        self, job: FromPath[str], services: NamedDependency[Services], last: LastEvent = None
    ) -> ServerSentEvent | Response[None]:
        """Follow a job as server-sent events, until it ends.

        `item` is an item that changed, and `job` the job with its progress, after every change
        and every 15 seconds. Whoever comes back with the header `Last-Event-ID` gets each item
        that changed since, as it is then; 204 says that the job has ended and there is none.
        """
        id = JobId(job)
        news = await asyncio.to_thread(news_of, id, place_of(last), services)
        if last is not None and news.job.finished_at is not None and not news.items:
            return Response(None, status_code=204)
        return ServerSentEvent(events_of(id, place_of(last), services))

    @post("/{job:str}/cancel", status_code=200, sync_to_thread=True)
    def cancel(
        self,
        job: FromPath[str],
        services: NamedDependency[Services],
        data: JSONBody[Which] = Which(),  # noqa: B008 - frozen
    ) -> IngestJob:
        """Cancel what is not done, or the items of these keys; what is published stays.

        An index that the job builds goes with it, unless it is complete or has served; what was
        embedded for it is forgotten. A document that is being read is dropped within seconds.
        Batches that nothing else waits for are cancelled at the provider; what was done of them
        by then is billed, and kept.
        """
        services.library.jobs.cancel(JobId(job), data.keys)
        return services.job(JobId(job))

    @post("/{job:str}/retry", status_code=202)
    async def retry(
        self,
        job: FromPath[str],
        services: NamedDependency[Services],
        data: JSONBody[Which] = Which(),  # noqa: B008 - frozen
    ) -> Retried:
        """Try again what failed, or the items of these keys, also if refused or cancelled.

        They are read from the bytes that came for them, which stay as long as the job. An item is
        left alone when newer bytes came under its key since, or its document was deleted.
        """
        retried = await asyncio.to_thread(services.library.jobs.retry, JobId(job), data.keys)
        services.wake_worker()
        return msgspec.structs.replace(retried, job=services.told(retried.job))

    @put("/{job:str}/webhook", sync_to_thread=True)
    def webhook(
        self, job: FromPath[str], data: JSONBody[Webhook], services: NamedDependency[Services]
    ) -> IngestJob:
        """Name an address that is told when the job has ended, and at once if it has.

        It gets `{"type": "job.succeeded", "timestamp", "data": job}`, signed as Standard Webhooks
        has it with the operator's secret, again and again for 18 hours until it answers with 2xx.
        """
        return services.set_webhook(JobId(job), data.url)

    @delete("/{job:str}", sync_to_thread=True)
    def remove(self, job: FromPath[str], services: NamedDependency[Services]) -> None:
        """Delete a finished job, with its items and the bytes of those that never became a
        document; what it published stays, and cannot be tried again."""
        services.library.jobs.delete(JobId(job))
