"""Making a backup of a library in use: one moment of the database, and the bytes it names.

The database is copied through SQLite's own online backup, from a reader, so that nobody waits. The
original bytes never change, but a delete may remove them while the archive is written: those are
removed when it is done, or by the next start. (A second name for each, as a hard link, took 80 us
each under the writers' lock.)

What is derived is left out: it is built again.
"""

import hashlib
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import Struct
from sqlalchemy import func, select, union
from sqlalchemy.orm import Session

from rag.domain import Version
from rag.errors import Conflict, RagError
from rag.storage.archives.format import (
    DATABASE,
    FORMAT,
    MANIFEST,
    SEAL,
    STEP,
    TRAILER,
    Manifest,
    Tally,
    header,
    note,
    padding,
)
from rag.storage.blobs import BlobFolder
from rag.storage.database import Database
from rag.storage.durable import disk_failures_told, make_private_folder, sha256_of_file
from rag.storage.migrating import revisions
from rag.storage.retrying import is_wanted
from rag.storage.space import Space
from rag.storage.tables import ChunkRow, CollectionRow, DocumentRow, ItemRow, VersionRow
from rag.storage.timestamps import now

FOLDER = "backup"
"""Of the library, while a backup is made."""

ON_POSTGRESQL = (
    "this library is on PostgreSQL, whose own tools back it up, original files and all:"
    ' `pg_dump --format=custom --file=library.dump "$RAG_DATABASE_URL"`, and into a new database'
    ' `pg_restore --dbname="$RAG_DATABASE_URL" library.dump`. The folder of a process holds only'
    " what is built again"
)


class Snapshot(Struct, frozen=True):
    """One moment of a library, on disk."""

    folder: Path
    blobs: BlobFolder
    manifest: Manifest
    originals: tuple[Version, ...]
    """Sorted."""


class Backups:
    """One backup of a library at a time."""

    def __init__(
        self,
        database: Database,
        blobs: BlobFolder | None,
        data_dir: Path,
        space: Space,
        remove: Callable[[Sequence[Version]], None],
    ) -> None:
        """
        Args:
            blobs: None where they are in the database.
            remove: those bytes that nothing uses any more.
        """
        self._remove = remove
        self._postponed: list[Version] = []
        self._postponing = threading.RLock()
        """Of the list: nothing is put on it that nobody will look at."""
        self._database = database
        self._blobs = blobs
        self._folder = data_dir / FOLDER
        self._space = space
        self._making = threading.Lock()

    def tidy(self) -> None:
        """Removes what a process left that died while it made one. The library must be owned."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def postpone(self, versions: Sequence[Version]) -> bool:
        """Whether these bytes are removed later, for a backup may need them. To be asked within a
        transaction that is alone."""
        with self._postponing:
            if self._making.locked():
                self._postponed += versions
                return True
        return False

    def begin(self, library_id: str) -> "Backup":
        """Fixes the moment, which takes as long as copying the database.

        Raises:
            Conflict: another is being made; or the library is on PostgreSQL.
            OutOfSpace: the database does not fit on the disk a second time.
        """
        if self._blobs is None:
            raise Conflict(ON_POSTGRESQL)
        if not self._making.acquire(blocking=False):
            raise Conflict("a backup of this library is being made; wait for its end")
        backup = Backup(self._end)
        try:
            backup.snapshot = self._snapshot(library_id, self._blobs)
        except BaseException:
            backup.close()
            raise
        return backup

    def _snapshot(self, library_id: str, blobs: BlobFolder) -> Snapshot:
        make_private_folder(self._folder)
        with self._database.read() as reading:
            with self._database.alone():  # who is just removing bytes ends before
                needed = sorted(reading.scalars(_NEEDED))  # from here on it sees this moment
            counts = _counts(reading)
            path = self._folder / DATABASE
            self._space.require_room(_size(reading))
            with disk_failures_told(), _sqlite_told():
                _copy(reading, path)
            sizes = [blobs.size(reading, Version(each)) or 0 for each in needed]
        manifest = Manifest(
            format=FORMAT,
            library=library_id,
            schema=revisions()[-1],
            created_at=now(),
            collections=counts[0],
            documents=counts[1],
            chunks=counts[2],
            database_bytes=path.stat().st_size,
            database_sha256=sha256_of_file(path),
            originals=len(needed),
            originals_bytes=sum(sizes),
        )
        return Snapshot(self._folder, blobs, manifest, tuple(Version(each) for each in needed))

    def _end(self) -> None:
        """In a thread of its own: a backup that nobody read to its end is closed wherever it is
        forgotten, and that may be within a transaction."""
        shutil.rmtree(self._folder, ignore_errors=True)
        with self._postponing:
            self._making.release()
            postponed, self._postponed = self._postponed, []
        if postponed:
            threading.Thread(target=self._remove, args=(postponed,), daemon=True).start()


class Backup:
    """An archive about to be written. Close it, or read it to its end."""

    snapshot: Snapshot

    def __init__(self, end: Callable[[], None]) -> None:
        """Use `Backups.begin`."""
        self._end = end
        self._is_open = True

    def chunks(self) -> Iterator[bytes]:
        """The archive, a megabyte at a time."""
        try:
            yield from _archive(self.snapshot)
        finally:
            self.close()

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._end()

    def __del__(self) -> None:
        self.close()  # a stream that nobody ever began to read


def _archive(snapshot: Snapshot) -> Iterator[bytes]:
    manifest, tally = snapshot.manifest, Tally()
    said = note(MANIFEST, manifest)
    yield said
    tally.add(MANIFEST, len(said), hashlib.sha256(said).hexdigest())
    yield header(DATABASE, manifest.database_bytes)
    with (snapshot.folder / DATABASE).open("rb") as file:
        while chunk := file.read(STEP):
            yield chunk
    yield padding(manifest.database_bytes)
    tally.add(DATABASE, manifest.database_bytes, manifest.database_sha256)
    left_out: list[str] = []
    for version in snapshot.originals:
        original = version.removeprefix("sha256:")
        try:
            content = snapshot.blobs.get(version)
        except RagError:  # lost or damaged already: a backup is made all the same
            left_out.append(original)
            continue
        yield header(f"blobs/{original}", len(content))
        yield content
        yield padding(len(content))
        tally.add(f"blobs/{original}", len(content), original)
    yield note(SEAL, tally.seal(tuple(left_out)))
    yield TRAILER


def _copy(reading: Session, path: Path) -> None:
    source = reading.connection().connection.driver_connection
    assert isinstance(source, sqlite3.Connection), "PostgreSQL was told elsewhere"
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file
        copy.execute("DELETE FROM generation")  # of files that are left out
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def _sqlite_told() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise RagError(f"the database could not be copied: {error}") from error


def _size(session: Session) -> int:
    """Of the database in bytes."""
    connection = session.connection()
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    return int(pages) * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())


def _counts(session: Session) -> tuple[int, int, int]:
    counted = [
        session.scalar(select(func.count()).select_from(query)) or 0
        for query in (
            CollectionRow,
            DocumentRow,
            select(ChunkRow.id).where(ChunkRow.live).subquery(),
        )
    ]
    return counted[0], counted[1], counted[2]


_NEEDED = union(select(VersionRow.sha256), select(ItemRow.sha256).where(is_wanted()))
"""Bytes of documents, and of what is still to be read, or may be tried again."""
