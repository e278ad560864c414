"""Reading a backup: to see that it is whole, or to make a library of it.

Nothing of an archive is believed before it was compared, and nothing is in the library's place
before all of it was: `library.db` comes last, and without it there is no library.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

import msgspec
from msgspec import Struct

from rag.errors import BackupRefused, Conflict, OutOfSpace, SchemaTooNew
from rag.storage.archives.format import (
    BLOB,
    DATABASE,
    FORMAT,
    MANIFEST,
    SEAL,
    ArchiveReader,
    Manifest,
    Member,
    Seal,
    Tally,
    note,
)
from rag.storage.durable import (
    PRIVATE_FILE,
    aside_of,
    disk_failures_told,
    make_private_folder,
    sync_folder,
)
from rag.storage.library_id import new_library_id
from rag.storage.migrating import revisions
from rag.storage.ownership import take_ownership
from rag.storage.space import free_bytes

Note = TypeVar("Note", Manifest, Seal)

SPARE = 64 << 20  # bytes that stay free on the disk: the schema may have to be brought up to date
HARMLESS = frozenset({"lock", "node", "models"})
"""In a folder that holds no library."""
REPLACED = ("library.db", "library.db-wal", "library.db-shm", "blobs", "indexes")
"""Of an empty library."""


class Restored(Struct, frozen=True):
    """What was made of a backup."""

    manifest: Manifest
    left_out: tuple[str, ...]
    """Originals that the library had lost already."""
    waiting: int
    """Items that were still to be done."""
    batches: int
    """That were under way at a provider."""


class Sink(Protocol):
    """Where an archive's content goes."""

    def accept(self, manifest: Manifest) -> None:
        """Before anything is written; raises where it cannot be taken."""
        ...

    def put(self, name: str, chunks: Iterator[bytes]) -> None: ...


class Nowhere:
    def accept(self, manifest: Manifest) -> None:
        pass

    def put(self, name: str, chunks: Iterator[bytes]) -> None:
        for _ in chunks:
            pass


class Folder:
    """A folder aside, with the room that the manifest asks for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._left = 0

    def accept(self, manifest: Manifest) -> None:
        self._left = manifest.database_bytes + manifest.originals_bytes
        free = free_bytes(self.folder)
        if free < self._left + SPARE:
            raise OutOfSpace(
                f"the backup needs {self._left >> 20} MB, and {free >> 20} MB are free at"
                f" {self.folder.parent}"
            )

    def put(self, name: str, chunks: Iterator[bytes]) -> None:
        blob = BLOB.fullmatch(name)
        path = self.folder / ("blobs/" + blob[1][:2] + "/" + blob[1][2:] if blob else name)
        with disk_failures_told():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    self._left -= len(chunk)
                    if self._left < 0:
                        raise BackupRefused("the archive holds more than it announces")
                    file.write(chunk)


def verify(stream: BinaryIO) -> tuple[Manifest, Seal]:
    """Reads an archive to its end, and compares every sum.

    Raises:
        BackupRefused: it is damaged, cut off or not ours.
        SchemaTooNew: a newer version of the service made it.
    """
    return _read(ArchiveReader(stream), Nowhere())


def restore(stream: BinaryIO, data_dir: Path) -> Restored:
    """Makes a library of a backup.

    It is another library than the first, with an id of its own: what was derived from one is not
    taken for the other's, though they go on differently from here.

    Raises:
        BackupRefused, SchemaTooNew: as `verify`; nothing is left of it then.
        Conflict: there is a library with something in it.
        LibraryInUse: somebody has it open.
        OutOfSpace: it does not fit.
    """
    make_private_folder(data_dir)
    ownership = take_ownership(data_dir)
    try:
        _require_empty(data_dir)
        aside = aside_of(data_dir / "restored")
        with disk_failures_told():
            aside.mkdir(mode=0o700)
            try:
                manifest, seal = _read(ArchiveReader(stream), Folder(aside))
                waiting, batches = _examine(aside, manifest, seal)
                _settle(aside, data_dir)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
    finally:
        ownership.release()
    return Restored(manifest, seal.left_out, waiting, batches)


def _read(archive: ArchiveReader, sink: Sink) -> tuple[Manifest, Seal]:
    tally = Tally()
    manifest = _manifest(archive, tally)
    sink.accept(manifest)
    database = archive.next()
    if database is None or database.name != DATABASE or database.size != manifest.database_bytes:
        raise BackupRefused("the archive does not begin with the database that it announces")
    _pass_on(archive, database, manifest.database_sha256, sink, tally)
    last = ""
    while (member := archive.next()) is not None and (blob := BLOB.fullmatch(member.name)):
        if member.name <= last:
            raise BackupRefused("the archive holds a file twice, or in the wrong place")
        last = member.name
        _pass_on(archive, member, blob[1], sink, tally)
    if member is None or member.name != SEAL:
        raise BackupRefused("the archive has no seal; it is damaged")
    seal = _decoded(archive.whole(member), Seal)
    if seal != tally.seal(seal.left_out):
        raise BackupRefused("the archive's seal is of another content; it is damaged")
    if archive.next() is not None:
        raise BackupRefused("the archive goes on after its seal; it is damaged")
    return manifest, seal


def _manifest(archive: ArchiveReader, tally: Tally) -> Manifest:
    member = archive.next()
    if member is None or member.name != MANIFEST:
        raise BackupRefused("this is not a backup of a library")
    manifest = _decoded(archive.whole(member), Manifest)
    known = revisions()
    if manifest.format > FORMAT or manifest.schema > known[-1]:
        raise SchemaTooNew(
            f"the backup has schema {manifest.schema}, and this version of rag knows {known[-1]}"
            " and older; install the newer version that wrote it"
        )
    if manifest.format != FORMAT or manifest.schema not in known:
        raise BackupRefused("the archive's manifest names a schema that never was")
    if min(manifest.database_bytes, manifest.originals_bytes) < 0:
        raise BackupRefused("the archive's manifest is impossible")
    said = note(MANIFEST, manifest)
    tally.add(MANIFEST, len(said), hashlib.sha256(said).hexdigest())
    return manifest


def _decoded(content: bytes, kind: type[Note]) -> Note:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, ValueError) as error:
        raise BackupRefused("the archive is damaged: it cannot be read") from error


def _pass_on(archive: ArchiveReader, member: Member, sha256: str, sink: Sink, tally: Tally) -> None:
    digest = hashlib.sha256()

    def watched() -> Iterator[bytes]:
        for chunk in archive.content(member):
            digest.update(chunk)
            yield chunk

    sink.put(member.name, watched())
    if digest.hexdigest() != sha256:
        raise BackupRefused(f"the archive is damaged: {member.name} is not what it was")
    tally.add(member.name, member.size, sha256)


def _require_empty(data_dir: Path) -> None:
    """
    Raises:
        Conflict: something would be lost.
    """
    names = {path.name for path in data_dir.iterdir() if not path.name.endswith(".aside")}
    if names <= HARMLESS:
        return
    if "library.db" not in names:
        raise Conflict(f"{data_dir} holds other files; name a new folder, or an empty one")
    with closing(sqlite3.connect(f"file:{data_dir / 'library.db'}?mode=ro", uri=True)) as database:
        held = sum(_count(database, table) for table in ("document", "item", "answer", "ledger"))
    if held:
        raise Conflict(
            f"there is a library in {data_dir}, and nothing of it shall be lost; restore into"
            " another folder, or move that one away"
        )


def _count(database: sqlite3.Connection, table: str) -> int:
    with suppress(sqlite3.OperationalError):  # an older schema lacks it
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
    return 0


def _examine(aside: Path, manifest: Manifest, seal: Seal) -> tuple[int, int]:
    """Items and batches that are not done; the library has an id of its own afterwards."""
    try:
        with closing(sqlite3.connect(aside / DATABASE, isolation_level=None)) as database:
            database.execute("PRAGMA trusted_schema = OFF")  # it may be anybody's
            if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise BackupRefused("the archive's database is damaged")
            missing = _needed(database) - set(seal.left_out) - _originals(aside)
            if missing:
                raise BackupRefused(f"the archive lacks {len(missing)} original files")
            if _count(database, "document") != manifest.documents:
                raise BackupRefused("the archive's database is not the one that it announces")
            database.execute(
                "UPDATE meta SET value = ? WHERE key = 'library_id'", (new_library_id(),)
            )
            waiting = "SELECT count(*) FROM item WHERE finished_at IS NULL"
            under_way = "SELECT count(*) FROM batch WHERE ended_at IS NULL"
            return (
                int(database.execute(waiting).fetchone()[0]),
                int(database.execute(under_way).fetchone()[0]),
            )
    except sqlite3.DatabaseError as error:
        raise BackupRefused(f"the archive's database cannot be used: {error}") from error


def _needed(database: sqlite3.Connection) -> set[str]:
    rows = database.execute(
        "SELECT sha256 FROM version UNION"
        " SELECT sha256 FROM item WHERE finished_at IS NULL AND sha256 != ''"
    )
    return {sha256.removeprefix("sha256:") for (sha256,) in rows}


def _originals(aside: Path) -> set[str]:
    return {path.parent.name + path.name for path in (aside / "blobs").glob("*/*")}


def _settle(aside: Path, data_dir: Path) -> None:
    os.sync()  # one for all: an fsync for each of many small files takes minutes
    for name in REPLACED:
        path = data_dir / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    if (aside / "blobs").exists():
        (aside / "blobs").replace(data_dir / "blobs")
    sync_folder(data_dir)
    (aside / DATABASE).replace(data_dir / DATABASE)
    sync_folder(data_dir)
