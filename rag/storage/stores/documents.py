"""The documents of a library."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from rag.domain import (
    Attribute,
    Chunk,
    Collection,
    CollectionId,
    Document,
    DocumentId,
    DocumentSummary,
    Failure,
    IndexId,
    IngestItem,
    ItemState,
    Listing,
    Source,
    Vectors,
    Version,
)
from rag.errors import Conflict, IndexGone, NotFound
from rag.ranking.filters import Filter
from rag.storage import browsed, claims, documents, items, publishing
from rag.storage.blobs import Blobs
from rag.storage.browsed import Stored
from rag.storage.chunks import searched_texts
from rag.storage.claims import ClaimedItem
from rag.storage.database import Database
from rag.storage.forgetting import Forgetting
from rag.storage.items import Work
from rag.storage.lexical.terms import at_hand
from rag.storage.opened import OpenIndexes
from rag.storage.publishing import Edition, Publication
from rag.storage.savings import WORTHLESS, Worth
from rag.storage.surroundings import attributes_of_documents
from rag.storage.twins import twin_of

NO_OTHERS: Mapping[IndexId, Edition] = {}


class DocumentStore:
    """Documents, published and deleted in one transaction each."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        indexes: OpenIndexes,
        forgetting: Forgetting,
        changed: Callable[[], None],
    ) -> None:
        """
        Args:
            changed: to be called when indexes have something to follow.
        """
        self._database = database
        self._blobs = blobs
        self._indexes = indexes
        self._forgetting = forgetting
        self._changed = changed

    def publish(
        self,
        collection: Collection,
        document: Document,
        chunks: Sequence[Chunk],
        vectors: Vectors | None,
        *,
        claimed: ClaimedItem | None = None,
        seconds: float = 0.0,
        refused: frozenset[int] = frozenset(),
        flaw: Failure | None = None,
        worth: Worth = WORTHLESS,
        others: Mapping[IndexId, Edition] = NO_OTHERS,
        left_out: frozenset[IndexId] = frozenset(),
        fingerprint: str | None = None,
    ) -> DocumentSummary:
        """Makes a document searchable, instead of its former version; on disk and found by the
        next search when it returns. With `claimed`, its item ends in the same transaction:
        `indexed`, or `unchanged` when this very document was published already; with `flaw`, the
        item says in what it is not as good as it should be, and with `worth`, what of that was
        not paid for it.

        Args:
            chunks, vectors, refused: for the index through which the collection is seen.
            others: for its other indexes.
            left_out: indexes that shall lack the document, for their model is not there.
            fingerprint: of the reader that made it.

        Raises:
            IndexesChanged: the collection has an index for which nothing was given.
            Conflict: the item was cancelled or is another worker's by now; vectors of another
                width than the collection's; bytes that were never put.
            InvalidDocument: text that cannot be kept.
            InvalidRequest: not one finite vector of length 1 for each chunk but the `refused`.
        """
        own = Edition(tuple(chunks), vectors, refused)
        publication = Publication(
            document, {collection.index: own, **others}, left_out, fingerprint
        )
        publishing.check_publication(publication)
        with at_hand(searched_texts(document, chunks)):
            with self._database.write() as session:
                size = self._blobs.size(session, document.version)
                if size is None:
                    raise Conflict(
                        f"the bytes of {document.key!r} were never put; use put_blob first"
                    )
                if claimed is not None:
                    claims.require_claim(session, claimed)
                summary, changed = publishing.publish(session, collection, publication, size)
                if claimed is not None:
                    work = Work(summary.pages, summary.pages_ocred, summary.chunks, seconds, worth)
                    state: ItemState = "indexed" if changed else "unchanged"
                    items.finish(session, claimed, state, error=flaw, work=work)
            for index in publication.editions:
                with suppress(IndexGone):  # it was dropped meanwhile
                    self._indexes.follow(index)
        self._changed()
        return summary

    def find(self, id: DocumentId) -> DocumentSummary:
        with self._database.read() as session:
            return documents.find_document(session, id)

    def find_by_key(self, collection: Collection, key: str) -> DocumentSummary | None:
        with self._database.read() as session:
            return documents.document_by_key(session, collection.id, key)

    def list(
        self, collection: Collection, *, limit: int = 20, after: str | None = None
    ) -> Listing[DocumentSummary]:
        with self._database.read() as session:
            return documents.list_documents(session, collection.id, limit=limit, after=after)

    def versions_by_key(self, collection: Collection) -> dict[str, Version]:
        """The current bytes of every document, for a client that skips what is unchanged."""
        with self._database.read() as session:
            return documents.versions_by_key(session, collection.id)

    def text(self, id: DocumentId, version: Version | None = None) -> Document:
        """A version whole; the current one unless another is named."""
        with self._database.read() as session:
            return documents.read_document(session, id, version)

    def within(self, collection: Collection, document: str, filter: Filter | None) -> Stored:
        """A current document whole, by id or key.

        Raises:
            NotFound: none such in this collection, or the filter does not let it through.
        """
        with self._database.read() as session:
            return browsed.find_within(session, collection.id, filter, document)

    @contextmanager
    def reading(
        self, collection: Collection, filter: Filter | None, key: str
    ) -> Iterator[Iterator[Stored]]:
        """Current documents whole, one at a time, by key from this key on."""
        with self._database.read() as session:
            yield browsed.stored_from(session, collection.id, filter, key)

    def attributes(self, ids: Sequence[DocumentId]) -> dict[DocumentId, dict[str, Attribute]]:
        """Of current documents, as filters see them, and when each was made and changed."""
        with self._database.read() as session:
            return attributes_of_documents(session, ids)

    def twin(self, source: Source, fingerprint: str) -> Document | None:
        """What the same reader made of the same bytes for another document, or for this one
        before."""
        with self._database.read() as session:
            return twin_of(session, source, fingerprint)

    def content(self, id: DocumentId, version: Version | None = None) -> tuple[bytes, str]:
        """The original bytes of a version, the current one unless another is named, and their
        media type."""
        with self._database.read() as session:
            wanted, media_type = documents.bytes_of(session, id, version)
        return self._blobs.get(wanted), media_type

    def delete(self, id: DocumentId) -> None:
        """Never found again once it returns; its text, chunks, vectors, readings, answers that
        quote it, and its bytes, if no other document has the same, are gone. What was unpacked
        from an archive goes with it."""
        with self._database.read() as session:
            place = documents.place_of(session, id)
        if place.is_archive:
            self.remove_members(place.collection, place.key)
        self._delete(id)
        if place.is_archive:  # what came while they were removed
            self.remove_members(place.collection, place.key)

    def remove_members(
        self, collection: CollectionId, archive: str, *, but: frozenset[str] = frozenset()
    ) -> None:
        """Deletes what was unpacked from an archive, and calls off what waits of it.

        Args:
            but: keys of those that stay.
        """
        with self._database.write() as session:
            items.cancel_items_below(session, collection, archive, but)
        with self._database.read() as session:
            below = documents.document_ids_below(session, collection, archive)
        for key, id in below.items():
            if key not in but:
                with suppress(NotFound):  # another was faster
                    self._delete(id)

    def members(
        self, id: DocumentId, *, limit: int = 20, after: str | None = None
    ) -> Listing[IngestItem]:
        """How each file of an archive ended when it came last, by key.

        Raises:
            NotFound: no such document.
        """
        with self._database.read() as session:
            place = documents.place_of(session, id)
            if not place.is_archive:
                return Listing(())
            return items.list_members(
                session, place.collection, place.key, limit=limit, after=after
            )

    def _delete(self, id: DocumentId) -> None:
        with self._database.alone() as session:
            unused = documents.remove_document(session, id)
            self._forgetting.note(session, unused)
        self._forgetting.forget(unused)
