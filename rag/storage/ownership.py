"""One process owns a data folder; others find its address in the lock file.

With a library on SQLite it owns the library. One on PostgreSQL is shared by several processes, each
with a folder of its own: a node, known by an id that stays in the folder.

The lock is the kernel's (flock): it goes with the process, and stays while that is stopped. What a
network file system makes of it is not believed: see `fencing`.
"""

import fcntl
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from rag.errors import LibraryInUse
from rag.storage.durable import PRIVATE_FILE, disk_failures_told, write_durably

PATIENCE = 0.5  # seconds: `owner` holds the lock for an instant to see whether anyone else does
PAUSE = 0.05  # seconds between two tries


class Owner(Struct, frozen=True):
    """What an owner writes into its lock file."""

    pid: int
    address: str | None = None
    """Loopback base URL, once it serves."""


class Ownership:
    """The lock on a data folder, held until `release` or the death of the process."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def announce(self, address: str) -> None:
        """Tells other commands where to find this process."""
        _write(self._descriptor, Owner(os.getpid(), address))

    def release(self) -> None:
        with suppress(OSError):  # what the file says counts only while it is locked
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def take_ownership(data_dir: Path) -> Ownership:
    """
    Raises:
        LibraryInUse: another process owns the folder.
        OutOfSpace: not even the lock file can be written.
    """
    descriptor = os.open(_lock_file(data_dir), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    deadline = time.monotonic() + PATIENCE
    while not _locked(descriptor, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            holder = _read(descriptor)
            os.close(descriptor)
            raise LibraryInUse(_in_use(data_dir, holder))
        time.sleep(PAUSE)
    try:
        _write(descriptor, Owner(os.getpid()))
    except BaseException:
        os.close(descriptor)
        raise
    return Ownership(descriptor)


def owner(data_dir: Path) -> str | None:
    """Base URL which the running owner announced; None when nobody owns the folder, or its
    owner does not serve."""
    try:
        descriptor = os.open(_lock_file(data_dir), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if _locked(descriptor, fcntl.LOCK_SH):
            return None
        holder = _read(descriptor)
        return holder.address if holder else None
    finally:
        os.close(descriptor)


def node_of_folder(data_dir: Path) -> str:
    """The folder's id, made once. Its lock must be held."""
    path = data_dir / "node"
    if not path.exists():
        write_durably(path, f"node_{secrets.token_hex(12)}".encode())
    return path.read_text()


def _in_use(data_dir: Path, holder: Owner | None) -> str:
    who = f"process {holder.pid}" if holder else "another process"
    where = f", which serves at {holder.address}" if holder and holder.address else ""
    return f"the library in {data_dir} belongs to {who}{where}; ask it, or stop it first"


def _lock_file(data_dir: Path) -> Path:
    return data_dir / "lock"


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(descriptor: int) -> Owner | None:
    try:
        return msgspec.json.decode(os.pread(descriptor, 4096, 0), type=Owner)
    except msgspec.DecodeError:  # just locked and not yet written
        return None


def _write(descriptor: int, holder: Owner) -> None:
    # in place, for the lock belongs to this very file
    with disk_failures_told():
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, msgspec.json.encode(holder), 0)
