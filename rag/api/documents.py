"""Documents: handing them in, and finding them in a collection."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Annotated
from urllib.parse import urlencode

from litestar import Controller, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from rag.api.bodies import ANY_BODY
from rag.api.forms import Spools
from rag.api.keys import normalized_key
from rag.api.listing import DEFAULT_LIMIT, After, Limit
from rag.api.uploads import (
    NewDocument,
    Places,
    UploadRequest,
    declared,
    read_new,
    read_put,
)
from rag.domain import (
    Collection,
    DocumentId,
    DocumentSummary,
    Failure,
    IngestJob,
    JobId,
    Lane,
    Listing,
    Saved,
    Source,
    Version,
    document_id,
)
from rag.errors import InvalidRequest, NotFound
from rag.estimation import Estimate
from rag.fetching import Wanted, page_to_fetch, site_to_crawl
from rag.storage.queueing import Queued, ToFetch
from rag.storage.spooling import Handed, Upload
from rag.wiring import Services

NO_BATCH_LANE = (
    "no provider that takes work in batches reads or embeds here: set MISTRAL_API_KEY, or leave"
    " the batch lane out"
)


class Named(Struct, frozen=True):
    """The id that a document has, or will have once its job is done."""

    key: str
    document_id: DocumentId


class Accepted(Struct, frozen=True):
    """Documents were stored, and a job will read them."""

    job_id: JobId
    documents: tuple[Named, ...]
    items: str
    """Where these documents' items are listed; a job may hold others."""


class Put(Struct, frozen=True):
    """A document was stored under its key, and a job will read it."""

    document_id: DocumentId
    job_id: JobId


class Keys(Struct, frozen=True, forbid_unknown_fields=True):
    """Documents by their keys; those that are not there are worth nothing."""

    keys: Annotated[tuple[str, ...], Meta(max_length=1_000)]


class Offered(Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes by their hash, and what they would be said to be."""

    version: Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$")]
    media_type: str | None = None


class Offer(Struct, frozen=True, forbid_unknown_fields=True):
    documents: Annotated[tuple[Offered, ...], Meta(max_length=1_000)]


class Refusals(Struct, frozen=True):
    """In the order of the offer."""

    data: tuple[Failure | None, ...]
    """Null where the bytes were never refused, or might be read now."""


class DocumentsController(Controller):
    path = "/v1/collections/{collection:str}/documents"
    tags = ["Documents"]

    @post(status_code=202, opt={ANY_BODY: True})
    async def add(
        self,
        collection: FromPath[str],
        request: UploadRequest,
        services: NamedDependency[Services],
        places: NamedDependency[Places],
        fetches: NamedDependency[Places],
        job: Annotated[
            str | None, QueryParameter(description="An earlier job of the same work, to go on.")
        ] = None,
        lane: Annotated[
            Lane | None,
            QueryParameter(
                description="`batch`: what the provider does costs half, and takes hours; the"
                " job's own where a job is named, else `direct`."
            ),
        ] = None,
        dry_run: Annotated[
            bool, QueryParameter(description="Only tell what it would do and cost.")
        ] = False,
    ) -> Response[Accepted | Estimate]:
        """Hand in files (a form; each file's name is its key), one text, or one address (JSON).

        What is at an address is fetched by the job, again and again for two minutes where its site
        does not answer, and known by that address. Handed in again, it is sent again only if its
        site cannot tell that it is unchanged. With `crawl` it is a site: see there.

        The form's field `attributes` holds for all of its files, and `about`, a JSON object of
        `{key: {title, attributes}}`, for one each.

        They are stored when this returns, and searchable when the job has succeeded. A document
        under a key that exists replaces it; equal bytes change nothing. In the batch lane
        what is handed in within ten seconds is bought together; what waits in the job already
        is not queued again.

        A dry run keeps nothing and buys nothing: it answers 200 with pages, tokens and prices in
        the lane, and what is known already and costs nothing again.
        """
        if lane == "batch" and not services.has_batch_lane:
            raise InvalidRequest(NO_BATCH_LANE)
        within = await asyncio.to_thread(_named, services, collection, dry_run)
        earlier = JobId(job) if job else None
        with places.taken(), Spools(services.library.originals.spool) as spools:
            given = await read_new(request, spools)
            if dry_run:
                sources = await _fetched(given, services, within, fetches)
                return Response(
                    await services.estimate(sources, within, lane or "direct"), status_code=200
                )
            if isinstance(given, NewDocument):
                wanted = _to_fetch(given, services)
                queued = await _queue_fetch(services, within, wanted, earlier, lane)
                keys = [wanted.key]
            else:
                queued = await _queue(services, within, given, earlier, lane)
                keys = [source.key for source in given]
        id = queued.job.id
        named = (Named(key, document_id(within.id, key)) for key in keys)
        listed = f"/v1/jobs/{id}/items?{urlencode({'after': queued.before})}"
        accepted = Accepted(id, tuple(named), listed)
        return Response(accepted, status_code=202, headers=_location(queued.job))

    @put("/{key:path}", opt={ANY_BODY: True}, status_code=202)
    async def put(
        self,
        collection: FromPath[str],
        key: FromPath[str],
        request: UploadRequest,
        services: NamedDependency[Services],
        places: NamedDependency[Places],
    ) -> Response[Put]:
        """Store one document under a key: text as JSON, or the bytes of a file.

        200 where it is there already, unchanged; else 202, and it is searchable, in place of its
        older version, when the job has succeeded. A file that is itself JSON comes by POST.
        """
        within = await asyncio.to_thread(services.library.collections.find, collection)
        with places.taken(), Spools(services.library.originals.spool) as spools:
            source = await read_put(request, normalized_key(key), spools)
            job = (await _queue(services, within, [source])).job
        return Response(
            Put(document_id(within.id, source.key), job.id),
            status_code=200 if job.state == "succeeded" else 202,
            headers=_location(job),
        )

    @post("/worth", status_code=200, sync_to_thread=True)
    def worth(
        self,
        collection: FromPath[str],
        data: JSONBody[Keys],
        services: NamedDependency[Services],
    ) -> Saved:
        """Tell what a provider would be paid for documents that are there: what is saved when
        they are handed in again unchanged. At the prices at which they were made."""
        within = services.library.collections.find(collection)
        worth = services.library.purchases.worth_of(within, data.keys)
        return sum(worth.values(), Saved())

    @post("/refused", status_code=200)
    async def refused(
        self,
        collection: FromPath[str],
        data: JSONBody[Offer],
        services: NamedDependency[Services],
    ) -> Refusals:
        """Tell which bytes were refused before and would be again, so that nobody sends them in
        vain: they are, until what reads them changes."""
        await asyncio.to_thread(services.library.collections.find, collection)
        offered = [
            (Version(each.version), declared(each.media_type or "")) for each in data.documents
        ]
        return Refusals(tuple(await services.refusals(offered)))

    @get(sync_to_thread=True)
    def list_all(
        self,
        collection: FromPath[str],
        services: NamedDependency[Services],
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
        key: Annotated[str | None, QueryParameter(description="Only this one.")] = None,
    ) -> Listing[DocumentSummary]:
        """List a collection's documents, or find one by its key."""
        within = services.library.collections.find(collection)
        if key is None:
            return services.library.documents.list(within, limit=limit, after=after)
        found = services.library.documents.find_by_key(within, normalized_key(key))
        return Listing(() if found is None else (found,))


def _named(services: Services, name: str, dry_run: bool) -> Collection:
    """The collection; for a dry run, also one that would have to be made first."""
    try:
        return services.library.collections.find(name)
    except NotFound:
        if dry_run:
            return services.planned_collection(name)
        raise


def _to_fetch(given: NewDocument, services: Services) -> ToFetch:
    """
    Raises:
        AddressRefused: that is no address, or is not fetched from.
    """
    services.check_address(given.url or "")
    if given.crawl is not None:
        return site_to_crawl(given.url or "", given.crawl, dict(given.attributes))
    return page_to_fetch(_wanted(given))


def _wanted(given: NewDocument) -> Wanted:
    key = None if given.key is None else normalized_key(given.key)
    return Wanted(given.url or "", key, given.title, dict(given.attributes))


async def _fetched(
    given: Sequence[Handed] | NewDocument,
    services: Services,
    within: Collection,
    fetches: Places,
) -> Iterable[Source]:
    """What a dry run weighs, one in memory at a time."""
    if not isinstance(given, NewDocument):
        return (each.source if isinstance(each, Upload) else each for each in given)
    if given.crawl is not None:
        raise InvalidRequest("what a crawl finds cannot be weighed beforehand")
    with fetches.taken():
        return (await services.fetch(_wanted(given), within),)


async def _queue(
    services: Services,
    within: Collection,
    sources: Sequence[Handed],
    job: JobId | None = None,
    lane: Lane | None = None,
) -> Queued:
    queued = await asyncio.to_thread(
        services.library.jobs.queue, within, sources, job=job, lane=lane
    )
    services.wake_worker()
    return queued


async def _queue_fetch(
    services: Services, within: Collection, wanted: ToFetch, job: JobId | None, lane: Lane | None
) -> Queued:
    queued = await asyncio.to_thread(
        services.library.jobs.queue_fetch, within, wanted, job=job, lane=lane
    )
    services.wake_worker()
    return queued


def _location(job: IngestJob) -> dict[str, str]:
    return {"Location": f"/v1/jobs/{job.id}"}
