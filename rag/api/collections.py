"""Collections: documents searched together."""

from typing import Annotated

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from rag.api.listing import DEFAULT_LIMIT, After, Limit
from rag.domain import Collection, Listing
from rag.wiring import Services


class NewCollection(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    """1 to 64 of `a-z 0-9 _ -`, beginning with a letter or digit."""


class CollectionChange(Struct, frozen=True, forbid_unknown_fields=True):
    dense_weight: Annotated[float, Meta(ge=0, le=1)]
    """Share of meaning against words in the ranking; the self-check sets it after an ingest."""


class CollectionsController(Controller):
    path = "/v1/collections"
    tags = ["Collections"]

    @post(sync_to_thread=True)
    def create(
        self, data: JSONBody[NewCollection], services: NamedDependency[Services]
    ) -> Response[Collection]:
        """Make an empty collection, embedded with the model this service is configured for."""
        made = services.create_collection(data.name)
        return Response(made, status_code=201, headers={"Location": f"/v1/collections/{made.id}"})

    @get(sync_to_thread=True)
    def list_all(
        self,
        services: NamedDependency[Services],
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Listing[Collection]:
        """List collections."""
        return services.library.collections.list(limit=limit, after=after)

    @get("/{collection:str}", sync_to_thread=True)
    def show(self, collection: FromPath[str], services: NamedDependency[Services]) -> Collection:
        """Show one collection, by name or id."""
        return services.library.collections.find(collection)

    @patch("/{collection:str}", sync_to_thread=True)
    def change(
        self,
        collection: FromPath[str],
        data: JSONBody[CollectionChange],
        services: NamedDependency[Services],
    ) -> Collection:
        """Set how much meaning weighs against words when this collection is searched."""
        chosen = services.library.collections.find(collection)
        services.library.collections.set_dense_weight(chosen, data.dense_weight)
        return services.library.collections.find(chosen.id)

    @delete("/{collection:str}", sync_to_thread=True)
    def remove(self, collection: FromPath[str], services: NamedDependency[Services]) -> None:
        """Delete a collection and everything in it; effective when the call returns."""
        services.library.collections.delete(services.library.collections.find(collection).id)
