"""A compound file (Office 97, Outlook: MS-CFB) -> its streams.

Chains of sectors are followed with a count, so that a loop ends, and a stream is no longer than
the file.
"""

import struct
from collections.abc import Iterator

from msgspec import Struct

from rag.errors import InvalidDocument

FREE = 0xFFFFFFFA  # from here on a number is a mark, not a sector
HEADER = 512  # bytes
ENTRY = 128  # bytes of the directory
FIRST_TABLES = 109  # sectors of the table of sectors that the header has room for
NAME, KIND, SIBLINGS, CONTENT = slice(0, 64), 66, slice(68, 80), slice(116, 128)
STORAGE, STREAM, ROOT = 1, 2, 5
DAMAGED = "this Office 97 file cannot be opened; it is damaged or cut short"


class Entry(Struct, frozen=True):
    path: str
    """With `/` between storages; of the root, empty."""
    start: int
    size: int
    is_stream: bool


class Compound:
    def __init__(self, content: bytes) -> None:
        """
        Raises:
            InvalidDocument: it is damaged.
        """
        try:
            self._open(content)
        except (struct.error, IndexError) as error:
            raise InvalidDocument(DAMAGED) from error

    def __contains__(self, path: str) -> bool:
        return path in self._entries

    @property
    def paths(self) -> tuple[str, ...]:
        """Of streams and storages."""
        return tuple(self._entries)

    def read(self, path: str) -> bytes:
        """
        Raises:
            InvalidDocument: there is no such stream, or it is damaged.
        """
        entry = self._entries.get(path)
        if entry is None or not entry.is_stream:
            raise InvalidDocument(f"a part of it is missing ({path[:100]}); the file is damaged")
        if entry.size >= self._mini_cutoff:
            return b"".join(self._sectors(entry.start))[: entry.size]
        size = self._mini_size
        chain = self._chain(entry.start, self._mini_table)
        return b"".join(self._mini[at * size : (at + 1) * size] for at in chain)[: entry.size]

    def _open(self, content: bytes) -> None:
        self._content = content
        shift, mini_shift = struct.unpack_from("<HH", content, 30)
        if shift not in (9, 12) or not 0 < mini_shift < shift:
            raise InvalidDocument(DAMAGED)
        self._size, self._mini_size = 1 << shift, 1 << mini_shift
        directory, self._mini_cutoff, mini_start = struct.unpack_from("<I4xII", content, 48)
        self._table = self._sector_table()
        self._mini_table = _numbers(b"".join(self._sectors(mini_start)))
        listed = b"".join(self._sectors(directory))
        self._entries = {entry.path: entry for entry in _entries(listed)}
        root = self._entries.pop("", None)
        self._mini = b"".join(self._sectors(root.start))[: root.size] if root else b""

    def _sector_table(self) -> tuple[int, ...]:
        """Which sector follows each."""
        tables = list(struct.unpack_from(f"<{FIRST_TABLES}I", self._content, 76))
        more = struct.unpack_from("<I", self._content, 68)[0]
        for _ in range(len(self._content) // self._size):
            if more >= FREE:
                break
            found = _numbers(self._sector(more))
            tables += found[:-1]
            more = found[-1]
        return _numbers(b"".join(self._sector(at) for at in tables if at < FREE))

    def _sector(self, at: int) -> bytes:
        start = HEADER if self._size == HEADER else self._size
        return self._content[start + at * self._size : start + (at + 1) * self._size]

    def _sectors(self, start: int) -> Iterator[bytes]:
        return (self._sector(at) for at in self._chain(start, self._table))

    def _chain(self, start: int, table: tuple[int, ...]) -> Iterator[int]:
        for _ in range(len(table)):
            if start >= len(table):
                return
            yield start
            start = table[start]


def _numbers(content: bytes) -> tuple[int, ...]:
    count = len(content) // 4
    return struct.unpack(f"<{count}I", content[: count * 4])


def _entries(listed: bytes) -> Iterator[Entry]:
    """All of them, from the root on; the directory is a tree of siblings in each storage."""
    seen: set[int] = set()
    waiting = [(0, "")]
    while waiting:
        at, parent = waiting.pop()
        raw = listed[at * ENTRY : (at + 1) * ENTRY]
        if at in seen or len(raw) < ENTRY:
            continue
        seen.add(at)
        left, right, child = struct.unpack("<3I", raw[SIBLINGS])
        start, size = struct.unpack("<II4x", raw[CONTENT])
        kind, name = raw[KIND], raw[NAME].decode("utf-16-le", "replace").partition("\0")[0]
        path = "" if kind == ROOT else f"{parent}/{name}" if parent else name
        yield Entry(path, start, size, kind == STREAM)
        waiting += ((each, parent) for each in (left, right) if kind != ROOT)
        if kind in (STORAGE, ROOT):
            waiting.append((child, path))
