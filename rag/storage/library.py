"""The library: everything that is kept, behind one door.

On SQLite one process owns it. On PostgreSQL several open it at once, each with a folder of its own
for what it derives, and each finds what another published with the next question.

All methods, and those of the stores, are synchronous and may be called from several threads.
"""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from msgspec import Struct
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from rag.domain import Version
from rag.errors import RagError
from rag.spending import NO_BUDGETS, Budgets
from rag.storage import claims, collections
from rag.storage.archives.backup import Backup, Backups
from rag.storage.blobs import BlobFolder, Blobs, BlobTable
from rag.storage.checking.checkup import Checkup
from rag.storage.checking.findings import Holdings
from rag.storage.code.store import CodeStore
from rag.storage.database import ONLY_NODE, Database, is_shared
from rag.storage.derived import IndexHealth
from rag.storage.durable import make_private_folder
from rag.storage.forgetting import Forgetting
from rag.storage.ledger import SqlLedger, lose_calls
from rag.storage.library_id import new_library_id
from rag.storage.migrating import migrate_database
from rag.storage.opened import OpenIndexes
from rag.storage.orders import Orders
from rag.storage.ownership import Ownership, node_of_folder, take_ownership
from rag.storage.scrubbing import Scrubbed, Scrubber, last_scrub
from rag.storage.space import Room, Space
from rag.storage.stores.answers import AnswerStore
from rag.storage.stores.chunks import ChunkStore
from rag.storage.stores.collections import CollectionStore
from rag.storage.stores.documents import DocumentStore
from rag.storage.stores.indexes import IndexStore
from rag.storage.stores.jobs import JobStore
from rag.storage.stores.originals import OriginalStore
from rag.storage.stores.purchases import PurchaseStore
from rag.storage.tables import MetaRow
from rag.storage.texts import Texts
from rag.storage.upkeep import SCRUB, Upkeep

log = logging.getLogger(__name__)

LOOK = 10.0
"""Seconds after which indexes follow what other processes published, though nobody searched."""


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
        id: str,
        budgets: Budgets,
        space: Space,
        webhook: str | None = None,
    ) -> None:
        """Use `open`."""
        texts = Texts()
        blobs = _blobs(database, data_dir)
        indexes = OpenIndexes(database, data_dir / "indexes", id, texts)
        folder = blobs if isinstance(blobs, BlobFolder) else None
        self._backups = Backups(database, folder, data_dir, space, self._forget)
        self._forgetting = Forgetting(database, blobs, self._backups, texts)

        self.collections = CollectionStore(database, space, indexes, self._forgetting)
        self.indexes = IndexStore(database, indexes, self._wake)
        self.originals = OriginalStore(blobs, space, data_dir)
        self.jobs = JobStore(database, blobs, space, self._forgetting, self.indexes.forget, webhook)
        self.purchases = PurchaseStore(database)
        self.documents = DocumentStore(database, blobs, indexes, self._forgetting, self._wake)
        self.chunks = ChunkStore(database, indexes, texts, self._wake)
        self.answers = AnswerStore(database)
        self.ledger = SqlLedger(database, budgets)
        self.orders = Orders(database, budgets, space)
        self.code = CodeStore(database, data_dir / "code", id, space)

        self.id = id
        self.data_dir = data_dir
        self._database = database
        self._ownership = ownership
        self._space = space
        self._blobs = blobs
        self._indexes = indexes
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
        webhook: str | None = None,
    ) -> "Library":
        """Takes the folder for this process, brings the schema up to date, and loads the
        indexes; what is missing or damaged of them is built again.

        Args:
            min_free: bytes free on its disk below which nothing is taken in, queued or claimed:
                that raises OutOfSpace.
            webhook: who is told when a job that is queued here has ended.

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
                id = _take_over(database)
                space = Space(data_dir, min_free)
                library = cls(data_dir, database, ownership, id, budgets, space, webhook)
                library._start()
            except BaseException:
                database.close()
                raise
        except BaseException:
            ownership.release()
            raise
        return library

    @property
    def is_shared(self) -> bool:
        """Whether other processes may have it open too."""
        return self._database.is_shared

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
        for indexes in self._indexes.now():
            indexes.end()  # of a million chunks one takes minutes to be built
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

    # --- upkeep ---------------------------------------------------------------------------------

    def begin_backup(self) -> Backup:
        """A backup of this moment, about to be written: it takes as long as the database takes to
        be copied, and everything else goes on.

        Raises:
            Conflict: one is being made; or the library is on PostgreSQL, and what to do is said.
            OutOfSpace: the database does not fit on the disk a second time.
        """
        return self._backups.begin(self.id)

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
        self.indexes.purge()
        self._indexes.tidy()
        self._indexes.all()
        scrub = Scrubber(self._database).scrub
        every = LOOK if self._database.is_shared else SCRUB
        self._upkeep = Upkeep(self._indexes.all, scrub, every=every)
        self._backups.tidy()
        self._forgetting.finish()
        self.checkup = Checkup(self._holdings())
        self._upkeep.wake()

    def _wake(self) -> None:
        self._upkeep.wake()

    def _forget(self, versions: Sequence[Version]) -> None:
        self._forgetting.forget(versions)

    def _holdings(self) -> Holdings:
        return Holdings(
            self._database, self._blobs, self.data_dir, self._indexes.all, self._upkeep.wake
        )


def _blobs(database: Database, data_dir: Path) -> Blobs:
    return BlobTable(database) if database.is_shared else BlobFolder(data_dir / "blobs")


def sqlite_url(data_dir: Path) -> str:
    return f"sqlite:///{(data_dir / 'library.db').absolute()}"


def _take_over(database: Database) -> str:
    """Frees what the owner before left held; the library's id."""
    with database.taking_over() as session:
        id = _library_id(session)
        claims.release_all(session)
        lose_calls(session)
    return id


def _library_id(session: Session) -> str:
    """Made once; files derived from another library are told apart by it."""
    id = session.scalar(select(MetaRow.value).where(MetaRow.key == "library_id"))
    if id is None:  # and nobody else makes one: the transaction is alone
        id = new_library_id()
        session.execute(insert(MetaRow).values(key="library_id", value=id))
    return id
