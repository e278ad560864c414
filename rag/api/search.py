"""Search within a collection."""

import asyncio
from typing import Annotated

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from rag.ranking.filters import Filter
from rag.retrieval import Mode, Query, SearchResult
from rag.wiring import Services


class Search(Struct, frozen=True, forbid_unknown_fields=True):
    query: Annotated[str, Meta(min_length=1, max_length=10_000)]
    """What is looked for, in words or as a question."""
    k: Annotated[int, Meta(ge=1, le=100)] = 10
    """How many hits to return at most."""
    mode: Mode = "hybrid"
    """By meaning (`dense`), by words, or both."""
    filter: Filter | None = None
    """Only documents whose attributes match."""
    explain: bool = False
    """Say what each leg of the search found."""

    def asked(self) -> Query:
        return Query(self.query, self.k, self.mode, self.filter, self.explain)


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
        within = await asyncio.to_thread(services.library.collections.find, collection)
        return await services.search(data.asked(), within)
