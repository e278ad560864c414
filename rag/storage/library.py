"""The library: everything that is kept, behind one door.

On SQLite one process owns it. On PostgreSQL several open it at once, each with a folder of its own
for what it derives, and each finds what another published with the next question.

Transactions open and close here; what happens in them is in the file of its noun. All methods
are synchronous and may be called from several threads.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from rag.chunking.chunks import CHUNKER
from rag.domain import (
    Answer,
    AnswerId,
    Chunk,
    ChunkId,
    Citation,
    CitationId,
    Collection,
    CollectionId,
    Document,
    DocumentId,
    DocumentSummary,
    Evidence,
    Failure,
    Hit,
    IndexId,
    IndexSummary,
    IngestItem,
    IngestJob,
    InputType,
    ItemState,
    JobId,
    Lane,
    Listing,
    Saved,
    Source,
    Survey,
    Vectors,
    Version,
)
from rag.errors import Conflict, IndexGone, NotFound, RagError
from rag.ranking.filters import Filter, bounded
from rag.spending import NO_BUDGETS, Budgets
from rag.storage import (
    answers,
    collections,
    documents,
    embeddings,
    evidence,
    indexversions,
    items,
    jobs,
    publishing,
    readings,
    rebuilding,
    samples,
    searching,
)
from rag.storage.archives.backup import Backup, Backups
from rag.storage.blobs import BlobFolder, Blobs, BlobTable
from rag.storage.checking.checkup import Checkup
from rag.storage.checking.findings import Holdings
from rag.storage.checking.originals import remove_nobodys
from rag.storage.database import ONLY_NODE, Database, is_shared
from rag.storage.derived import IndexHealth, IndexKind
from rag.storage.durable import make_private_folder
from rag.storage.items import ClaimedItem, Work
from rag.storage.jobs import Queued
from rag.storage.ledger import SqlLedger, lose_calls
from rag.storage.library_id import new_library_id
from rag.storage.migrating import migrate_database
from rag.storage.opened import OpenIndexes
from rag.storage.orders import Orders
from rag.storage.ownership import Ownership, node_of_folder, take_ownership
from rag.storage.publishing import Edition, Publication
from rag.storage.rebuilding import Rebuilt, Recipe, Stored
from rag.storage.savings import WORTHLESS, Worth, worth_of
from rag.storage.scrubbing import Scrubbed, Scrubber, last_scrub
from rag.storage.searching import BOTH, Asked, Found, Mode, Rank, all_of
from rag.storage.sources import check_sources
from rag.storage.space import Room, Space
from rag.storage.tables import MetaRow
from rag.storage.texts import Texts
from rag.storage.upkeep import SCRUB, Upkeep

log = logging.getLogger(__name__)

OF_A_DOCUMENT = 20_000
"""Operations that whoever publishes a document applies before it is acknowledged: more than the
longest has chunks. Where more are missing, an index is being built anew."""

UNINDEXED = 500  # operations that the next search may find still to be applied: about 0.3 s

LOOK = 10.0
"""Seconds after which indexes follow what other processes published, though nobody searched."""

NO_OTHERS: Mapping[IndexId, Edition] = {}


class Health(Struct, frozen=True):
    """Whether what is kept can be used."""

    database_ok: bool
    documents: int
    chunks: int
    indexes: tuple[IndexHealth, ...]


class Library:
    """One data folder: database, original bytes, and the indexes derived from them."""

    def __init__(
        self,
        data_dir: Path,
        database: Database,
        ownership: Ownership,
        budgets: Budgets,
        space: Space,
    ) -> None:
        """Use `open`."""
        self.ledger = SqlLedger(database, budgets)
        self.orders = Orders(database, budgets, space)
        self.data_dir = data_dir
        self._database = database
        self._ownership = ownership
        self._space = space
        self._blobs = _blobs(database, data_dir)
        folder = self._blobs if isinstance(self._blobs, BlobFolder) else None
        self._backups = Backups(database, folder, data_dir, space, self._forget)
        self._texts = Texts()
        self._closing = threading.Lock()
        self._is_closed = False

    @classmethod
    def open(
        cls,
        data_dir: Path,
        *,
        database_url: str | None = None,
        budgets: Budgets = NO_BUDGETS,
        min_free: int = 0,
    ) -> "Library":
        """Takes the folder for this process, brings the schema up to date, and loads the
        indexes; what is missing or damaged of them is built again.

        Args:
            min_free: bytes free on its disk below which nothing is taken in, queued or claimed:
                that raises OutOfSpace.

        Raises:
            LibraryInUse: another process owns the folder.
            SchemaTooNew: a newer version of the service wrote the database.
            InvalidSettings: the database URL is not one, or that database cannot be used.
        """
        make_private_folder(data_dir)
        ownership = take_ownership(data_dir)
        try:
            url = database_url or sqlite_url(data_dir)
            node = node_of_folder(data_dir) if is_shared(url) else ONLY_NODE
            database = Database(url, node=node)
            try:
                migrate_database(database)
                library = cls(data_dir, database, ownership, budgets, Space(data_dir, min_free))
                library._start()
            except BaseException:
                database.close()
                raise
        except BaseException:
            ownership.release()
            raise
        return library

    def announce(self, address: str) -> None:
        """Tells other commands on this machine where this process serves."""
        self._ownership.announce(address)

    def close(self) -> None:
        """Saves the indexes, and gives the folder up. A second call does nothing."""
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
        self.checkup.close()
        self._upkeep.close()
        try:
            self._indexes.close()
        finally:
            self._database.close()
            self._ownership.release()

    def __enter__(self) -> "Library":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # --- collections ----------------------------------------------------------------------------

    def create_collection(
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

    def collection(self, name_or_id: str) -> Collection:
        """
        Raises:
            NotFound: with the names there are.
        """
        with self._database.read() as session:
            return collections.find_collection(session, name_or_id)

    def collections(self, *, limit: int = 20, after: str | None = None) -> Listing[Collection]:
        with self._database.read() as session:
            return collections.list_collections(session, limit=limit, after=after)

    def set_dense_weight(self, collection: Collection, weight: float) -> None:
        """Of the index through which the collection is seen."""
        with self._database.write() as session:
            collections.set_dense_weight(session, collection.index, weight)

    def delete_collection(self, id: CollectionId) -> None:
        """With all its documents, jobs and indexes."""
        unused: list[Version] = []
        with self._database.alone() as session:
            collection = collections.find_collection(session, id)
            views = collections.views_of(session, id)
            for document in documents.documents_of(session, collection):
                unused += documents.remove_document(session, document)
            unused += items.cancel_items(session, collection.id)
            collections.remove_collection(session, collection.id)
        self._forget(unused)
        for view in views:
            self._indexes.remove(view.index)

    # --- indexes --------------------------------------------------------------------------------

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

    def indexes(self, collection: Collection) -> tuple[IndexSummary, ...]:
        """All that are kept, counted: the one that serves first."""
        with self._database.read() as session:
            versions = indexversions.maintained_versions(session, collection.id)
            return tuple(indexversions.summary_of(session, version) for version in versions)

    def models_in_use(self) -> Sequence[str]:
        with self._database.read() as session:
            return indexversions.models_in_use(session)

    def begin_reindex(self, collection: Collection, recipe: Recipe) -> IngestJob:
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

    def publish_edition(
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
            items.require_claim(session, claimed)
            state = rebuilding.publish_edition(session, claimed.collection, stored, edition)
            work = Work(chunks=len(edition.chunks), seconds=seconds, worth=worth)
            items.finish(session, claimed, state, error=flaw, work=work)
        self._indexes.of(claimed.collection.index).follow(lag=UNINDEXED, most=OF_A_DOCUMENT)
        self._upkeep.wake()
        return state

    def switch_index(self, collection: Collection, index: IndexId) -> Collection:
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

    def drop_index(self, collection: Collection, index: IndexId) -> None:
        """Removes an index with its rows, its files, and vectors that nobody else uses.

        Raises:
            NotFound: no such index of this collection.
            Conflict: it serves.
        """
        self.view(collection, index)
        with self._database.write() as session:
            version = indexversions.find_version(session, index)
            rebuilding.drop(session, collection.id, version)
        self._indexes.remove(index)
        self._purge()

    # --- bytes and jobs -------------------------------------------------------------------------

    def put_blob(self, content: bytes) -> Version:
        """Keeps original bytes; on disk when it returns."""
        self._space.require_room()
        return self._blobs.put(content)

    def blob(self, version: Version) -> bytes:
        return self._blobs.get(version)

    def queue(
        self,
        collection: Collection,
        sources: Sequence[Source],
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
            return jobs.queue_sources(session, collection, sources, job, lane)

    def create_job(self, collection: Collection, sources: Sequence[Source]) -> IngestJob:
        """`queue` in a job of their own."""
        return self.queue(collection, sources).job

    def job(self, id: JobId) -> IngestJob:
        with self._database.read() as session:
            return jobs.find_job(session, id)

    def jobs(self, *, limit: int = 20, after: str | None = None) -> Listing[IngestJob]:
        with self._database.read() as session:
            return jobs.list_jobs(session, limit=limit, after=after)

    def items(
        self, job_id: JobId, *, limit: int = 20, after: str | None = None
    ) -> Listing[IngestItem]:
        with self._database.read() as session:
            return items.list_items(session, job_id, limit=limit, after=after)

    def worth_of(self, collection: Collection, keys: Sequence[str]) -> dict[str, Saved]:
        """What these documents were worth to a provider when they were made; those of which it is
        not known, or which are not there, are missing."""
        with self._database.read() as session:
            return worth_of(session, collection.id, keys)

    def cancel_job(self, id: JobId) -> IngestJob:
        """What is published stays; what is not will not be."""
        with self._database.write() as session:
            return items.cancel_job(session, id)

    def claim_item(self, *, lease: float) -> ClaimedItem | None:
        """The next item to work on, for `lease` seconds; None when there is none."""
        self._space.require_room()  # before anything is bought for it
        with self._database.write() as session:
            return items.claim_item(session, lease=lease)

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
                items.require_claim(session, claimed)
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
            items.advance(session, claimed, state)

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
            items.release(session, claimed)

    # --- what was paid for ----------------------------------------------------------------------

    def reading(self, version: Version, fingerprint: str) -> Document | Failure | None:
        """What a reader made of these bytes before, with the key, title and attributes of then."""
        with self._database.read() as session:
            return readings.find_reading(session, version, fingerprint)

    def keep_reading(self, version: Version, fingerprint: str, result: Document | Failure) -> None:
        with self._database.write() as session:
            readings.keep_reading(session, version, fingerprint, result)

    def survey(self, version: Version, fingerprint: str) -> Survey | None:
        """How far these bytes were read, for an item that waits for OCR from a batch."""
        with self._database.read() as session:
            return readings.find_survey(session, version, fingerprint)

    def keep_in_passing(
        self, version: Version, fingerprint: str, result: Document | Survey
    ) -> None:
        """A reading that any parser could make again, until the item ends that it is for."""
        with self._database.write() as session:
            readings.keep_in_passing(session, version, fingerprint, result)

    def embeddings(
        self, model: str, input_type: InputType, texts: Sequence[str]
    ) -> dict[str, npt.NDArray[np.float32]]:
        """Vectors of those texts that were embedded before."""
        with self._database.read() as session:
            return embeddings.known_embeddings(session, model, input_type, texts)

    def keep_embeddings(
        self, model: str, input_type: InputType, texts: Sequence[str], vectors: Vectors
    ) -> None:
        with self._database.write() as session:
            embeddings.keep_embeddings(session, model, input_type, texts, vectors)

    # --- documents ------------------------------------------------------------------------------

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

        Raises:
            IndexesChanged: the collection has an index for which nothing was given.
            Conflict: the item was cancelled or is another worker's by now; vectors of another
                width than the collection's; bytes that were never put.
            InvalidDocument: text that cannot be kept.
            InvalidRequest: not one finite vector of length 1 for each chunk but the `refused`.
        """
        own = Edition(tuple(chunks), vectors, refused)
        publication = Publication(document, {collection.index: own, **others}, left_out)
        publishing.check_publication(publication)
        with self._database.write() as session:
            size = self._blobs.size(session, document.version)
            if size is None:
                raise Conflict(f"the bytes of {document.key!r} were never put; use put_blob first")
            if claimed is not None:
                items.require_claim(session, claimed)
            summary, changed = publishing.publish(session, collection, publication, size)
            if claimed is not None:
                work = Work(summary.pages, summary.pages_ocred, summary.chunks, seconds, worth)
                state: ItemState = "indexed" if changed else "unchanged"
                items.finish(session, claimed, state, error=flaw, work=work)
        for index in publication.editions:
            with suppress(IndexGone):  # it was dropped meanwhile
                self._indexes.of(index).follow(lag=UNINDEXED, most=OF_A_DOCUMENT)
        self._upkeep.wake()
        return summary

    def document(self, id: DocumentId) -> DocumentSummary:
        with self._database.read() as session:
            return documents.find_document(session, id)

    def find_document(self, collection: Collection, key: str) -> DocumentSummary | None:
        with self._database.read() as session:
            return documents.document_by_key(session, collection.id, key)

    def documents(
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

    def content(self, id: DocumentId) -> tuple[bytes, str]:
        """The original bytes of the current version, and their media type."""
        summary = self.document(id)
        return self._blobs.get(summary.version), summary.media_type

    def delete_document(self, id: DocumentId) -> None:
        """Never found again once it returns; its text, chunks, vectors, readings, answers that
        quote it, and its bytes, if no other document has the same, are gone."""
        with self._database.alone() as session:
            unused = documents.remove_document(session, id)
        self._forget(unused)

    # --- questions ------------------------------------------------------------------------------

    def search(
        self,
        collection: Collection,
        question: str,
        vector: Vectors | None,
        rank: Rank = all_of,
        *,
        k: int,
        filter: Filter | None = None,
        modes: frozenset[Mode] = BOTH,
    ) -> Found:
        """The `k` best chunks by meaning and the `k` best by words, together, within the filter;
        and those that `rank` chooses of them, as hits.

        Without a vector, or in a collection without a model, there is no dense leg. It is one
        index that is asked, from start to end: that through which the collection is seen, whether
        it still serves or not.

        Raises:
            IndexGone: that index was dropped; read the collection again.
        """
        asked = Asked(question, vector, k, bounded(filter) if filter else None, modes)
        return searching.search(
            asked,
            collection.id,
            rank,
            indexes=self._indexes.of(collection.index),
            database=self._database,
            texts=self._texts,
        )

    def evidence(self, hits: Sequence[Hit]) -> tuple[Evidence, ...]:
        """The blocks that the hits cover, each once, numbered from 1 in the order of the hits."""
        with self._database.read() as session:
            return evidence.evidence_of(session, hits)

    def sample_chunks(
        self, collection: Collection, n: int, seed: int
    ) -> list[tuple[ChunkId, str, Chunk]]:
        """Up to `n` live chunks with their documents' titles; the same for the same seed."""
        with self._database.read() as session:
            return samples.sample_chunks(session, collection.index, n, seed, self._texts)

    def keep_answer(self, answer: Answer) -> None:
        with self._database.write() as session:
            answers.keep_answer(session, answer)

    def answer(self, id: AnswerId) -> Answer:
        with self._database.read() as session:
            return answers.find_answer(session, id)

    def citation(self, id: CitationId) -> Citation:
        with self._database.read() as session:
            return answers.find_citation(session, id)

    # --- upkeep ---------------------------------------------------------------------------------

    def rebuild_indexes(self, collection: str | None, kinds: Sequence[IndexKind]) -> int:
        """Has derived indexes built again, of one collection or of all; how many those are.
        Answers go on meanwhile, and `health` says when they are ready.

        Raises:
            NotFound: no such collection.
        """
        wanted = None if collection is None else self.collection(collection).id
        number = 0
        for indexes in self._indexes.all():
            if wanted in (None, indexes.version.collection_id):
                mine = [kind for kind in kinds if kind == "words" or indexes.dense is not None]
                for kind in mine:
                    indexes.begin_anew(kind, "an operator asked for it")
                number += len(mine)
        self._upkeep.wake()
        return number

    def begin_backup(self) -> Backup:
        """A backup of this moment, about to be written: it takes as long as the database takes to
        be copied, and everything else goes on.

        Raises:
            Conflict: one is being made; or the library is on PostgreSQL, and what to do is said.
            OutOfSpace: the database does not fit on the disk a second time.
        """
        return self._backups.begin(self._id)

    # --- state ----------------------------------------------------------------------------------

    def room(self) -> Room:
        """What is left of the disk."""
        return self._space.look()

    def last_scrub(self) -> Scrubbed | None:
        """When indexes were last read again, and what was wrong; None where it was never."""
        with self._database.read() as session:
            return last_scrub(session)

    def health(self) -> Health:
        states: tuple[IndexHealth, ...] = ()
        try:
            states = tuple(state for one in self._indexes.now() for state in one.health())
            with self._database.read() as session:
                count = collections.count_all(session)
        except RagError:
            log.exception("the database does not answer", extra={"action": "health_failed"})
            return Health(False, 0, 0, states)
        return Health(True, *count, states)

    def _start(self) -> None:
        with self._database.taking_over() as session:
            self._id = _library_id(session)
            items.release_all(session)
            lose_calls(session)
        self._indexes = OpenIndexes(
            self._database, self.data_dir / "indexes", self._id, self._texts
        )
        self._purge()
        self._indexes.tidy()
        self._indexes.all()
        scrub = Scrubber(self._database).scrub
        every = LOOK if self._database.is_shared else SCRUB
        self._upkeep = Upkeep(self._indexes.all, scrub, every=every)
        if self._backups.tidy():
            remove_nobodys(self._holdings())
        self.checkup = Checkup(self._holdings())
        self._upkeep.wake()

    def _holdings(self) -> Holdings:
        return Holdings(
            self._database, self._blobs, self.data_dir, self._indexes.all, self._upkeep.wake
        )

    def _purge(self) -> None:
        """Removes what dropped index versions left, letting others write in between."""
        is_left = True
        while is_left:
            with self._database.alone() as session:
                is_left = rebuilding.purge(session)

    def _forget(self, versions: Sequence[Version]) -> None:
        """Removes bytes that nothing uses, and every text from memory."""
        self._texts.forget()
        with self._database.alone() as session:
            # asked again, for a job may have come for the same bytes; none can come while this
            # transaction is open
            unused = documents.unused_versions(session, versions)
            if self._backups.postpone(unused):
                return
            for version in unused:
                self._blobs.remove(session, version)


def _blobs(database: Database, data_dir: Path) -> Blobs:
    return BlobTable(database) if database.is_shared else BlobFolder(data_dir / "blobs")


def sqlite_url(data_dir: Path) -> str:
    return f"sqlite:///{(data_dir / 'library.db').absolute()}"


def _library_id(session: Session) -> str:
    """Made once; files derived from another library are told apart by it."""
    id = session.scalar(select(MetaRow.value).where(MetaRow.key == "library_id"))
    if id is None:  # and nobody else makes one: the transaction is alone
        id = new_library_id()
        session.execute(insert(MetaRow).values(key="library_id", value=id))
    return id
