"""Files that are whole or absent, also after a power cut."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.errors import OutOfSpace, RagError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


def make_private_folder(path: Path) -> None:
    """The folder and its parents, readable by their owner alone, and on disk."""
    if path.is_dir():
        return
    if not path.parent.is_dir():
        make_private_folder(path.parent)
    path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    sync_folder(path.parent)


def remove_folder(path: Path) -> None:
    """Also one to which somebody still writes, as a library's own threads may: it is moved away
    first, so that nothing comes into it while it is being emptied."""
    aside = aside_of(path)
    with suppress(FileNotFoundError):
        path.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def write_durably(path: Path, content: bytes) -> None:
    """`path` holds the content when it returns, and its former content until then.

    Raises:
        OutOfSpace: the disk is full.
        RagError: the disk does not take it.
    """
    write_parts_durably(path, [content])


def write_parts_durably(path: Path, parts: Iterable[bytes]) -> None:
    """The same of parts that need not be in memory together.

    Raises:
        OutOfSpace: the disk is full.
        RagError: the disk does not take it.
    """
    aside = aside_of(path)
    with disk_failures_told():
        try:
            with aside.open("wb") as file:
                file.writelines(parts)
            settle(aside, path)
        finally:
            aside.unlink(missing_ok=True)


@contextmanager
def disk_failures_told() -> Iterator[None]:
    """In our words: which file it was is nobody's business outside."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise OutOfSpace("the disk is full, and nothing was written; make room") from error
        raise RagError(f"the library's disk failed: {error.strerror}") from error


def aside_of(path: Path) -> Path:
    """A name in the same folder that nobody else writes to."""
    return path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.aside")


def settle(aside: Path, path: Path) -> None:
    """Moves a written file to its place, once its content is on disk.

    A failed fsync is never tried again: the kernel marks the page clean, and a second call would
    succeed without having written (PostgreSQL, "fsyncgate", 2018).
    """
    with aside.open("rb") as file:
        os.fchmod(file.fileno(), PRIVATE_FILE)
        os.fsync(file.fileno())
    aside.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Makes names that were added to or removed from a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
