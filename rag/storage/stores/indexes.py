"""The index versions of a library's collections."""

from collections.abc import Callable, Sequence

import msgspec

from rag.domain import (
    Collection,
    CollectionId,
    DocumentId,
    Failure,
    IndexId,
    IndexSummary,
    IngestJob,
)
from rag.errors import IndexGone
from rag.storage import claims, collections, indexversions, items, jobs, publishing, rebuilding
from rag.storage.claims import ClaimedItem
from rag.storage.database import Database
from rag.storage.derived import IndexKind
from rag.storage.items import Work
from rag.storage.opened import OpenIndexes
from rag.storage.publishing import Edition
from rag.storage.rebuilding import Rebuilt, Recipe, Stored
from rag.storage.savings import WORTHLESS, Worth


class IndexStore:
    """Index versions side by side: building them, switching among them, dropping them."""

    def __init__(
        self, database: Database, indexes: OpenIndexes, changed: Callable[[], None]
    ) -> None:
        """
        Args:
            changed: to be called when indexes have something to follow.
        """
        self._database = database
        self._indexes = indexes
        self._changed = changed

    def views(self, id: CollectionId) -> tuple[Collection, ...]:
        """The collection through each of its indexes: through the one that serves first."""
        with self._database.read() as session:
            return collections.views_of(session, id)

    def view(self, collection: Collection, index: IndexId) -> Collection:
        """The collection through another of its indexes, and how many chunks that has.

        Raises:
            NotFound: no such index of this collection.
        """
        with self._database.read() as session:
            view = collections.collection_through(session, index)
            version = indexversions.find_version(session, index)
            if not version.serves:
                chunks = indexversions.count_chunks(session, version)
                view = msgspec.structs.replace(view, chunks=chunks)
        if view.id != collection.id:
            raise IndexGone(f"collection {collection.name!r} has no index {index}")
        return view

    def list(self, collection: Collection) -> tuple[IndexSummary, ...]:
        """All that are kept, counted: the one that serves first."""
        with self._database.read() as session:
            versions = indexversions.maintained_versions(session, collection.id)
            return tuple(indexversions.summary_of(session, version) for version in versions)

    def models_in_use(self) -> Sequence[str]:
        with self._database.read() as session:
            return indexversions.models_in_use(session)

    def begin(self, collection: Collection, recipe: Recipe) -> IngestJob:
        """A job that builds another index of the collection, or completes one that is there; from
        now on every document that is published goes into it too.

        Raises:
            Conflict: the index that serves is just that.
        """
        with self._database.write() as session:
            version, job = rebuilding.begin(session, collection.id, recipe)
            begun = jobs.find_job(session, job)
        self._indexes.of(version.index)
        return begun

    def stored(self, id: DocumentId) -> Stored | None:
        """A document as it is now, for building an index; None where it was deleted."""
        with self._database.read() as session:
            return rebuilding.read_stored(session, id)

    def publish(
        self,
        claimed: ClaimedItem,
        stored: Stored,
        edition: Edition,
        *,
        seconds: float = 0.0,
        flaw: Failure | None = None,
        worth: Worth = WORTHLESS,
    ) -> Rebuilt:
        """Puts a stored document into the index that the item is for, and ends the item; nothing
        is put where the document is there, or is another by now.

        Raises:
            Conflict: the item was cancelled or is another worker's by now.
        """
        publishing.check_edition(edition)
        with self._database.write() as session:
            claims.require_claim(session, claimed)
            state = rebuilding.publish_edition(session, claimed.collection, stored, edition)
            work = Work(chunks=len(edition.chunks), seconds=seconds, worth=worth)
            items.finish(session, claimed, state, error=flaw, work=work)
        self._indexes.follow(claimed.collection.index)
        self._changed()
        return state

    def switch(self, collection: Collection, index: IndexId) -> Collection:
        """Makes another index serve, from the next question on. The former one is kept up, and
        going back is the same call.

        Raises:
            NotFound: no such index of this collection.
            Conflict: it lacks documents.
        """
        self.view(collection, index)
        self._indexes.of(index).keep_up()
        with self._database.write() as session:
            version = indexversions.find_version(session, index)
            rebuilding.switch(session, collection.id, version)
            return collections.find_collection(session, collection.id)

    def drop(self, collection: Collection, index: IndexId) -> None:
        """Removes an index with its rows, its files, and vectors that nobody else uses.

        Raises:
            NotFound: no such index of this collection.
            Conflict: it serves.
        """
        self.view(collection, index)
        with self._database.write() as session:
            version = indexversions.find_version(session, index)
            rebuilding.drop(session, collection.id, version)
        self.forget(index)

    def forget(self, index: IndexId) -> None:
        """Removes what one that was just dropped left."""
        self._indexes.remove(index)
        self.purge()

    def rebuild(self, collection: str | None, kinds: Sequence[IndexKind]) -> int:
        """Has derived indexes built again, of one collection or of all; how many those are.
        Answers go on meanwhile, and `health` says when they are ready.

        Raises:
            NotFound: no such collection.
        """
        wanted = None
        if collection is not None:
            with self._database.read() as session:
                wanted = collections.find_collection(session, collection).id
        number = 0
        for indexes in self._indexes.all():
            if wanted in (None, indexes.version.collection_id):
                mine = [kind for kind in kinds if kind == "words" or indexes.dense is not None]
                for kind in mine:
                    indexes.renew(kind, "an operator asked for it")
                number += len(mine)
        self._changed()
        return number

    def purge(self) -> None:
        """Removes what dropped index versions left, letting others write in between."""
        is_left = True
        while is_left:
            with self._database.alone() as session:
                is_left = rebuilding.purge(session)
