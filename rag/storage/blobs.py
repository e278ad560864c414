"""Original bytes, known by their content, and their two homes.

A library on SQLite has them in its folder. On PostgreSQL several processes share a library, and
each must reach them: there they are in the database, in parts.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.orm import Session

from rag.domain import Version, version_of
from rag.errors import NotFound, RagError
from rag.storage.database import Database
from rag.storage.durable import (
    disk_failures_told,
    make_private_folder,
    sync_folder,
    write_durably,
    write_parts_durably,
)
from rag.storage.locking import insert_new
from rag.storage.spooling import (
    PIECE,
    Content,
    content_parts,
    content_size,
    content_version,
)
from rag.storage.tables import BlobPartRow, BlobRow

DIGITS = 64  # of a SHA-256

PART = PIECE
"""Bytes of a row. Parts of 0.25 to 4 MB took the same time; a whole of 32 MB took twice as long
to write and to read, and a large object three times as long to write."""


class Blobs(Protocol):
    """Whole or absent, and never answered with others."""

    def put(self, content: Content) -> Version:
        """Keeps the bytes; on disk when it returns. Bytes already kept are not written again."""
        ...

    def keep(self, session: Session, content: Content) -> None:
        """The same within a transaction: on disk when that has committed."""
        ...

    def get(self, version: Version) -> bytes:
        """
        Raises:
            NotFound: no such bytes.
            RagError: what is kept no longer has the content it is named for.
        """
        ...

    def size(self, session: Session, version: Version) -> int | None:
        """In bytes; None when they are not kept."""
        ...

    def remove(self, session: Session, version: Version) -> None:
        """The transaction must be alone: others may be about to use them."""
        ...

    def all(self) -> Iterator[Version]:
        """Of everything that is kept, used or not."""
        ...

    def set_aside(self, session: Session, version: Version, folder: Path) -> None:
        """Moves bytes that are not what they are named for into a folder, where a person may look
        at them; the same bytes can be put again then. The transaction must be alone."""
        ...


class BlobFolder:
    """`folder/ab/cdef…` holds the bytes whose SHA-256 is abcdef…"""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, content: Content) -> Version:
        version = content_version(content)
        path = self._path(version)
        if not self._holds(path, content_size(content)):
            with disk_failures_told():
                make_private_folder(path.parent)
            write_parts_durably(path, content_parts(content))
        return version

    def keep(self, session: Session, content: Content) -> None:
        self.put(content)

    def get(self, version: Version) -> bytes:
        try:
            content = self._path(version).read_bytes()
        except FileNotFoundError as error:
            raise _missing(version) from error
        return _believed(content, version)

    def size(self, session: Session, version: Version) -> int | None:
        try:
            return self._path(version).stat().st_size
        except FileNotFoundError:
            return None

    def remove(self, session: Session, version: Version) -> None:
        path = self._path(version)
        with disk_failures_told(), suppress(FileNotFoundError):
            path.unlink()
            sync_folder(path.parent)  # a power cut does not bring it back

    def all(self) -> Iterator[Version]:
        for path in self._folder.glob("[0-9a-f][0-9a-f]/*"):
            if len(path.name) == DIGITS - 2:
                yield Version(f"sha256:{path.parent.name}{path.name}")

    def set_aside(self, session: Session, version: Version, folder: Path) -> None:
        make_private_folder(folder)
        with suppress(FileNotFoundError):
            self._path(version).replace(folder / version.removeprefix("sha256:"))

    def _path(self, version: Version) -> Path:
        digest = version.removeprefix("sha256:")
        if len(digest) != DIGITS or set(digest) - set("0123456789abcdef"):
            raise NotFound("a version is `sha256:` and 64 hex digits")
        return self._folder / digest[:2] / digest[2:]

    @staticmethod
    def _holds(path: Path, size: int) -> bool:
        return path.is_file() and path.stat().st_size == size


class BlobTable:
    """Rows of at most `PART` bytes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, content: Content) -> Version:
        version = content_version(content)
        with self._database.read() as session:
            known = self.size(session, version)
        if known is None:
            with self._database.write() as session:
                self.keep(session, content)
        return version

    def keep(self, session: Session, content: Content) -> None:
        version = content_version(content)
        row = {"sha256": version, "size": content_size(content)}
        if not insert_new(session, BlobRow, [row]):
            return
        for number, part in enumerate(content_parts(content, PART)):
            session.execute(insert(BlobPartRow).values(sha256=version, number=number, content=part))

    def get(self, version: Version) -> bytes:
        with self._database.read() as session:
            size = self.size(session, version)
            if size is None:
                raise _missing(version)
            content = _content(session, version, size)
        return _believed(content, version)

    def size(self, session: Session, version: Version) -> int | None:
        return session.scalar(select(BlobRow.size).where(BlobRow.sha256 == version))

    def remove(self, session: Session, version: Version) -> None:
        session.execute(delete(BlobPartRow).where(BlobPartRow.sha256 == version))
        session.execute(delete(BlobRow).where(BlobRow.sha256 == version))

    def all(self) -> Iterator[Version]:
        with self._database.read() as session:
            kept = session.scalars(select(BlobRow.sha256)).all()
        return (Version(version) for version in kept)

    def set_aside(self, session: Session, version: Version, folder: Path) -> None:
        make_private_folder(folder)
        content = _content(session, version, self.size(session, version) or 0)
        write_durably(folder / version.removeprefix("sha256:"), content)
        self.remove(session, version)


_PART = select(BlobPartRow.content).where(
    BlobPartRow.sha256 == bindparam("sha256"), BlobPartRow.number == bindparam("n")
)


def _content(session: Session, version: Version, size: int) -> bytes:
    """Part by part, for the driver holds each twice."""
    parts = [session.scalar(_PART, {"sha256": version, "n": n}) for n in _numbers(size)]
    return b"".join(part or b"" for part in parts)


def _numbers(size: int) -> range:
    """Of the parts that so many bytes are cut into."""
    return range(-(-size // PART))


def _missing(version: Version) -> NotFound:
    return NotFound(f"the bytes of {version} are not in this library")


def _believed(content: bytes, version: Version) -> bytes:
    if version_of(content) != version:
        raise RagError(f"the stored bytes of {version} are damaged; ingest the file again")
    return content
