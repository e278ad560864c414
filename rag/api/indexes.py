"""Indexes: the ways in which a collection is cut and embedded, and moving from one to another."""

import asyncio
from typing import Annotated

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from rag.chunking.chunks import TARGET
from rag.comparing import Comparison, Probe
from rag.domain import Collection, IndexId, IndexSummary, JobId, Listing
from rag.reindexing import Forecast
from rag.wiring import Services


class Reindex(Struct, frozen=True, forbid_unknown_fields=True):
    embedding_model: str | None = None
    """One that this service can load; without it, the collection's own where only the size of
    chunks is named, else the one that new collections get."""
    chunk_tokens: Annotated[int, Meta(ge=32, le=TARGET)] | None = None
    """No chunk has more; without it, as many as a new collection of that model."""


class Begun(Struct, frozen=True):
    """A job builds an index, or completes it."""

    job_id: JobId
    index: IndexId


class Chosen(Struct, frozen=True, forbid_unknown_fields=True):
    index: IndexId


class Compare(Struct, frozen=True, forbid_unknown_fields=True):
    index: IndexId
    """To be compared with the one that serves."""
    queries: Annotated[tuple[Probe | str, ...], Meta(min_length=1, max_length=100)]
    """Questions; `relevant` names the documents that answer one, where that is known."""
    k: Annotated[int, Meta(ge=1, le=100)] = 10


class IndexesController(Controller):
    path = "/v1/collections/{collection:str}"
    tags = ["Indexes"]

    @post("/reindex", status_code=202)
    async def reindex(
        self,
        collection: FromPath[str],
        data: JSONBody[Reindex],
        services: NamedDependency[Services],
        dry_run: Annotated[
            bool, QueryParameter(description="Only tell what it would do and cost.")
        ] = False,
    ) -> Response[Begun | Forecast]:
        """Build another index of a collection, with another model or other chunks.

        Nothing is read or recognized again: stored text is cut and embedded, and what was
        embedded with that model before costs nothing. Questions are answered from the former
        index all the while; what is handed in goes into both, until one is dropped, and costs as
        much as both. Asking again goes on where an earlier job ended.

        A dry run cuts all text, keeps and sends nothing, and answers 200 with documents, chunks,
        tokens and prices. 409 where the index that serves is just that.
        """
        within = await asyncio.to_thread(services.library.collections.find, collection)
        planned = await asyncio.to_thread(
            services.planned_index, within, data.embedding_model, data.chunk_tokens
        )
        if dry_run:
            return Response(await services.foresee_index(planned), status_code=200)
        job = await asyncio.to_thread(services.begin_index, planned)
        services.wake_worker()
        begun = Begun(job.id, job.index or IndexId(""))
        return Response(begun, status_code=202, headers={"Location": f"/v1/jobs/{job.id}"})

    @get("/indexes", sync_to_thread=True)
    def list_all(
        self, collection: FromPath[str], services: NamedDependency[Services]
    ) -> Listing[IndexSummary]:
        """List a collection's indexes, the one that serves first.

        All of them are kept up: each costs its own embedding of everything that is handed in, and
        its own room, until it is dropped.
        """
        within = services.library.collections.find(collection)
        return Listing(services.library.indexes.list(within))

    @put("/indexes/current", sync_to_thread=True)
    def switch(
        self,
        collection: FromPath[str],
        data: JSONBody[Chosen],
        services: NamedDependency[Services],
    ) -> Collection:
        """Make another index serve, from the next question on.

        The former one is kept up, so going back is the same call. 409 while the other lacks
        documents.
        """
        within = services.library.collections.find(collection)
        return services.library.indexes.switch(within, data.index)

    @delete("/indexes/{index:str}", sync_to_thread=True)
    def drop(
        self, collection: FromPath[str], index: FromPath[str], services: NamedDependency[Services]
    ) -> None:
        """Drop an index that does not serve, with its files and the vectors nobody else uses."""
        within = services.library.collections.find(collection)
        services.library.indexes.drop(within, IndexId(index))

    @post("/indexes/compare", status_code=200)
    async def compare(
        self,
        collection: FromPath[str],
        data: JSONBody[Compare],
        services: NamedDependency[Services],
    ) -> Comparison:
        """Ask the same questions of the index that serves and of another one.

        Tells how much their hits have in common and, where relevant documents are named, how good
        each is.
        """
        within = await asyncio.to_thread(services.library.collections.find, collection)
        probes = [Probe(each) if isinstance(each, str) else each for each in data.queries]
        return await services.compare_indexes(probes, within, data.index, data.k)
