"""How much room the disk has left, and who may still take some of it.

Below a mark nothing begins that makes the library grow. What is under way goes on, for it may have
been paid for, and so do questions and deletes: the mark leaves them room.
"""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from rag.errors import OutOfSpace

ENOUGH_AGAIN = 1.2
"""Times the mark, from which on the library may grow again: it shall not open and shut with every
file that comes and goes."""

MIB = 1 << 20


class Room(Struct, frozen=True):
    """What is left of a disk."""

    free: int
    """In bytes."""
    needed: int
    """That must be free for the library to grow."""
    is_low: bool
    """Whether it may not grow."""


def free_bytes(folder: Path) -> int:
    """Of the disk on which a folder is, or will be."""
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(existing).free


class Space:
    """The disk of a data folder. Safe to use from many threads."""

    def __init__(
        self, folder: Path, mark: int, *, free: Callable[[Path], int] = free_bytes
    ) -> None:
        """
        Args:
            mark: bytes below which the library may not grow.
        """
        self._folder = folder
        self._mark = mark
        self._free = free
        self._looking = threading.Lock()
        self._is_low = False

    def look(self) -> Room:
        with self._looking:
            free = self._free(self._folder)
            needed = round(self._mark * ENOUGH_AGAIN) if self._is_low else self._mark
            self._is_low = free < needed
            return Room(free, needed, self._is_low)

    def require_room(self, size: int = 0) -> None:
        """
        Args:
            size: bytes about to be written.

        Raises:
            OutOfSpace: too little is free.
        """
        room = self.look()
        if room.is_low or room.free - size < room.needed:
            wanted = f"{_mib(room.needed + size)} MB"
            raise OutOfSpace(
                f"{_mib(room.free)} MB are free on the library's disk, and {wanted} must be;"
                " delete documents or other files, or set RAG_MIN_FREE_DISK lower. Questions and"
                " deletes go on, and what was queued goes on by itself when there is room"
            )


def _mib(size: int) -> int:
    return size // MIB
