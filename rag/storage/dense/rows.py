"""The rows of a segment: a mapped file of which nothing is used before it was checked.

A file of 2 GB takes 10 s to hash, and a start has less than 3. So each few rows have a check
value, compared before their first use; a query on cold rows costs some milliseconds more.

What is checked is read through `pread`, not through the map: where the disk fails or the file was
cut, that is an error we can tell of, and a signal that kills the process through the map (Crotty,
Leis and Pavlo, CIDR 2022).
"""

import mmap
import os
import weakref
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.storage.dense.damage import SegmentDamaged
from rag.storage.dense.scanning import Positions, Rows

CHECKED_BYTES = 16 * 1024  # 12 us to read and check: a query on cold rows checks some 300 of them
Checks = npt.NDArray[np.uint32]


def rows_per_check(dimension: int) -> int:
    return max(1, CHECKED_BYTES // (2 * dimension))


class Checksums:
    """CRC-32 of each few rows: it sees every burst of up to 32 bits, and misses one in 2^32 of
    other changes."""

    def __init__(self, block_rows: int) -> None:
        self._block_rows = block_rows
        self._values: list[int] = []
        self._rest = b""
        """Of a block that is not whole yet."""

    def add(self, rows: Rows) -> None:
        content, size = self._rest + rows.tobytes(), self._block_rows * rows.shape[1] * 2
        whole = len(content) // size * size
        self._values += [zlib.crc32(content[i : i + size]) for i in range(0, whole, size)]
        self._rest = content[whole:]

    def values(self) -> Checks:
        last = [zlib.crc32(self._rest)] if self._rest else []
        return np.array(self._values + last, np.uint32)


class CheckedRows:
    """(n, d) half-precision rows of a file, checked before their first use."""

    def __init__(
        self, path: Path, shape: tuple[int, int], checks: Checks, block_rows: int, segment: str
    ) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)
        self._checks = checks
        self._block_rows = block_rows
        self._is_checked = np.zeros(len(checks), np.bool_)
        self._segment = segment
        self._mapped = _mapped(self._descriptor, shape)

    def at(self, positions: Positions) -> Rows:
        """A copy of some rows.

        Raises:
            SegmentDamaged: one of them is not what was written.
        """
        self.require(positions)
        return self._mapped[positions]

    def all(self) -> Rows:
        """Every row, in place."""
        self.check()
        return self._mapped

    def require(self, positions: Positions) -> None:
        blocks = positions // self._block_rows
        blocks = blocks[~self._is_checked[blocks]]
        for block in np.unique(blocks).tolist():
            self._check(block)

    def check(self) -> None:
        """Checks what nobody has used yet. Worth doing in the background after opening."""
        for block in np.flatnonzero(~self._is_checked).tolist():
            self._check(block)

    @property
    def blocks(self) -> int:
        """That have a check value each."""
        return len(self._checks)

    def recheck(self, block: int) -> None:
        """Reads a block again that was believed before.

        Raises:
            SegmentDamaged: it is not what was written.
        """
        self._check(block)

    def forget(self) -> None:
        """Takes nothing for checked any more."""
        self._is_checked[:] = False

    def _check(self, block: int) -> None:
        size = self._block_rows * self._mapped.shape[1] * 2
        start = block * size
        wanted = min(size, self._mapped.nbytes - start)
        try:
            content = os.pread(self._descriptor, wanted, start)
        except OSError as error:
            raise SegmentDamaged(self._segment, f"rows unreadable: {error.strerror}") from error
        if len(content) != wanted or zlib.crc32(content) != self._checks[block]:
            raise SegmentDamaged(self._segment, f"rows altered, from byte {start}")
        self._is_checked[block] = True


def _mapped(descriptor: int, shape: tuple[int, int]) -> Rows:
    if not shape[0]:
        return np.empty(shape, np.float16)
    map = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
    map.madvise(mmap.MADV_RANDOM)  # a candidate's neighbors in the file are not the next to be read
    return np.frombuffer(map, np.float16).reshape(shape)
