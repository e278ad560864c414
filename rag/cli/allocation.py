"""What a process that lives long keeps of the memory it no longer needs."""

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8  # of glibc's mallopt(3)
LARGE = 1024 * 1024
"""Bytes from which a block has pages of its own, which go back to the system when it is freed. Left
alone, glibc raises this to the largest block that was ever freed, up to 32 MB, and keeps the rest:
a service that has once had large files stays as large as they were."""
ARENAS = 2
"""Heaps that threads share. Left alone there are eight for each core, and what a thread frees in
one of them is of no use in the others."""


def give_back_memory() -> None:
    """To be called before the first thread is started. Without glibc nothing happens."""
    allocate = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if allocate is not None:
        for option, value in (
            (MMAP_THRESHOLD, LARGE),
            (TRIM_THRESHOLD, LARGE),
            (ARENA_MAX, ARENAS),
        ):
            allocate(option, value)
