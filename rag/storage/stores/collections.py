"""The collections of a library."""

from rag.chunking.chunks import CHUNKER
from rag.domain import Collection, CollectionId, Listing, Version
from rag.storage import collections, documents, items
from rag.storage.database import Database
from rag.storage.forgetting import Forgetting
from rag.storage.opened import OpenIndexes
from rag.storage.remembering import Remembered
from rag.storage.space import Space


class CollectionStore:
    """Collections, each seen through the index that serves it."""

    def __init__(
        self, database: Database, space: Space, indexes: OpenIndexes, forgetting: Forgetting
    ) -> None:
        self._database = database
        self._space = space
        self._indexes = indexes
        self._forgetting = forgetting
        self._found = Remembered[Collection](database)

    def create(
        self, name: str, *, embedding_model: str | None, dimension: int | None, chunk_tokens: int
    ) -> Collection:
        """
        Raises:
            InvalidRequest: the name; a model without a dimension.
            Conflict: the name is taken.
        """
        self._space.require_room()
        with self._database.write() as session:
            return collections.create_collection(
                session,
                name,
                embedding_model=embedding_model,
                dimension=dimension,
                chunk_tokens=chunk_tokens,
                chunker=CHUNKER,
            )

    def find(self, name_or_id: str) -> Collection:
        """
        Raises:
            NotFound: with the names there are.
        """

        def read() -> Collection:
            with self._database.look() as look:
                seen = collections.collection_seen(look, name_or_id)
            if seen is not None:
                return seen
            with self._database.read() as session:
                return collections.find_collection(session, name_or_id)

        return self._found.of(name_or_id, read)

    def known(self, name_or_id: str) -> Collection | None:
        """The same, where it was found before and nothing was written since; else None, at once."""
        return self._found.known(name_or_id)

    def list(self, *, limit: int = 20, after: str | None = None) -> Listing[Collection]:
        with self._database.read() as session:
            return collections.list_collections(session, limit=limit, after=after)

    def set_dense_weight(self, collection: Collection, weight: float) -> None:
        """Of the index through which the collection is seen."""
        with self._database.write() as session:
            collections.set_dense_weight(session, collection.index, weight)

    def delete(self, id: CollectionId) -> None:
        """With all its documents, jobs and indexes."""
        unused: list[Version] = []
        with self._database.alone() as session:
            collection = collections.find_collection(session, id)
            views = collections.views_of(session, id)
            for document in documents.documents_of(session, collection):
                unused += documents.remove_document(session, document)
            unused += items.cancel_items(session, collection.id)
            collections.remove_collection(session, collection.id)
            self._forgetting.note(session, unused)
        self._forgetting.forget(unused)
        for view in views:
            self._indexes.remove(view.index)
