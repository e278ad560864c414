"""Search within a collection."""

import asyncio
from typing import Annotated

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from rag.domain import Collection
from rag.questions.rephrasing import MAX_TURNS, Turn
from rag.ranking.boosts import MOST, Boost
from rag.ranking.filters import Filter
from rag.retrieval.chatting import Price
from rag.retrieval.missing import Why
from rag.retrieval.queries import Expansion, Mode, PassagesWanted, Query, SearchResult
from rag.wiring import Services

MOST_AT_ONCE = 100  # searches of one request


class Search(Struct, frozen=True, forbid_unknown_fields=True):
    query: Annotated[str, Meta(min_length=1, max_length=10_000)]
    """What is looked for, in words or as a question. "Quoted words" have to stand in a passage as
    they are, -word, -"quoted words" and NOT "quoted words" must not."""
    k: Annotated[int, Meta(ge=1, le=100)] = 10
    """How many hits to return at most."""
    mode: Mode = "hybrid"
    """By meaning (`dense`), by words, or both."""
    filter: Filter | None = None
    """Only documents whose attributes match."""
    literal: bool = False
    """Take quotation marks and minus signs of the query as text."""
    per_document: Annotated[int, Meta(ge=1, le=100)] | None = None
    """Hits of one document at most."""
    boosts: Annotated[tuple[Boost, ...], Meta(max_length=MOST)] = ()
    """What is added to the score of a passage for its document's attributes."""
    passages: PassagesWanted | None = None
    """Also return the hits grown into passages, each with its section and its blocks."""
    history: Annotated[tuple[Turn, ...], Meta(max_length=MAX_TURNS)] = ()
    """What was said before, oldest first: a chat model makes the query stand by itself."""
    expand: Annotated[tuple[Expansion, ...], Meta(max_length=2)] = ()
    """Let a chat model write other words for the query, or a passage that might answer it."""
    rerank: bool = False
    """Let a chat model put the best candidates in order, in one call."""
    explain: bool = False
    """Say what each stage of the search made of each hit."""

    def asked(self) -> Query:
        return Query(
            self.query,
            self.k,
            self.mode,
            self.filter,
            self.explain,
            self.literal,
            self.per_document,
            self.boosts,
            self.passages,
            self.history,
            self.expand,
            self.rerank,
        )


class SearchMany(Struct, frozen=True, forbid_unknown_fields=True):
    queries: Annotated[tuple[Search, ...], Meta(min_length=1, max_length=MOST_AT_ONCE)]


class SearchWhy(Struct, frozen=True, forbid_unknown_fields=True):
    query: Annotated[str, Meta(min_length=1, max_length=10_000)]
    document: Annotated[str, Meta(min_length=1, max_length=2_000)]
    """Key or id of the document that was expected."""
    k: Annotated[int, Meta(ge=1, le=100)] = 10
    mode: Mode = "hybrid"
    filter: Filter | None = None
    literal: bool = False
    per_document: Annotated[int, Meta(ge=1, le=100)] | None = None
    boosts: Annotated[tuple[Boost, ...], Meta(max_length=MOST)] = ()
    """As of the search that missed it."""

    def asked(self) -> Query:
        return Query(
            self.query,
            self.k,
            self.mode,
            self.filter,
            literal=self.literal,
            per_document=self.per_document,
            boosts=self.boosts,
        )


async def _found(collection: str, services: Services) -> Collection:
    """Looked up in a thread of its own only where the database has to be asked."""
    known = services.library.collections.known(collection)
    if known is not None:
        return known
    return await asyncio.to_thread(services.library.collections.find, collection)


class SearchController(Controller):
    path = "/v1/collections/{collection:str}/search"
    tags = ["Search"]

    @post(status_code=200)
    async def search(
        self,
        collection: FromPath[str],
        data: JSONBody[Search],
        services: NamedDependency[Services],
    ) -> SearchResult:
        """Find the passages that come nearest, best first, by meaning and by words."""
        within = await _found(collection, services)
        return await services.search(data.asked(), within)

    @post("/many", status_code=200)
    async def many(
        self,
        collection: FromPath[str],
        data: JSONBody[SearchMany],
        services: NamedDependency[Services],
    ) -> list[SearchResult]:
        """Search for many things, one result each in their order; all are embedded together."""
        within = await _found(collection, services)
        return await services.search_each([each.asked() for each in data.queries], within)

    @post("/price", status_code=200, sync_to_thread=False)
    def price(
        self,
        collection: FromPath[str],
        data: JSONBody[Search],
        services: NamedDependency[Services],
    ) -> Price:
        """Show what a search would cost at most, beyond embedding its query; nothing is sent."""
        return services.search_price(data.asked())

    @post("/why", status_code=200)
    async def why(
        self,
        collection: FromPath[str],
        data: JSONBody[SearchWhy],
        services: NamedDependency[Services],
    ) -> Why:
        """Show where a document was lost in a search, and what would have found it."""
        within = await _found(collection, services)
        return await services.why(data.asked(), data.document, within)
