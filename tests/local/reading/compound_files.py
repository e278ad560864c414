"""A compound file (MS-CFB) as Outlook and Office 97 write it, small enough for a test."""

import struct

SECTOR = 512
END, FREE, TABLE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
STORAGE, STREAM, ROOT = 1, 2, 5
CUTOFF = 64  # bytes from which a stream has sectors of its own


def compound(streams: dict[str, bytes]) -> bytes:
    """Streams by path, with `/` between storages; all in sectors of 512 bytes."""
    paths = _with_storages(streams)
    sectors: list[bytes] = []
    table: list[int] = []
    entries = [_entry("Root Entry", ROOT, _child("", paths), END, 0)]
    for path in paths:
        content = streams.get(path)
        start = END if not content else _put(content.ljust(CUTOFF, b"\0"), sectors, table)
        kind = STORAGE if content is None else STREAM
        name, sibling = path.rpartition("/")[2], _sibling(path, paths)
        size = 0 if content is None else len(content)
        entries.append(_entry(name, kind, _child(path, paths), start, size, sibling))
    directory = _put(b"".join(entries), sectors, table)
    count = -(-(len(table) + 1) // (SECTOR // 4))
    first = len(sectors)
    table += [TABLE] * count
    packed = struct.pack(f"<{len(table)}I", *table).ljust(count * SECTOR, b"\xff")
    places = [*range(first, first + count), *[FREE] * (109 - count)]
    header = struct.pack(
        "<8s16xHHHHH6x9I109I",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6),
        *(0, count, directory, 0, 0, END, 0, END, 0, *places),
    )
    return header + b"".join(sectors) + packed


def _with_storages(streams: dict[str, bytes]) -> list[str]:
    paths: list[str] = []
    for path in streams:
        parts = path.split("/")
        paths += ["/".join(parts[: i + 1]) for i in range(len(parts))]
    return list(dict.fromkeys(paths))


def _put(content: bytes, sectors: list[bytes], table: list[int]) -> int:
    start = len(sectors)
    parts = [content[at : at + SECTOR] for at in range(0, len(content), SECTOR)]
    sectors += (part.ljust(SECTOR, b"\0") for part in parts)
    table += [*range(start + 1, start + len(parts)), END]
    return start


def _within(folder: str, paths: list[str]) -> list[int]:
    return [i for i, path in enumerate(paths, start=1) if path.rpartition("/")[0] == folder]


def _child(path: str, paths: list[str]) -> int:
    return next(iter(_within(path, paths)), FREE)


def _sibling(path: str, paths: list[str]) -> int:
    place = paths.index(path) + 1
    return next((i for i in _within(path.rpartition("/")[0], paths) if i > place), FREE)


def _entry(name: str, kind: int, child: int, start: int, size: int, right: int = FREE) -> bytes:
    encoded = name.encode("utf-16-le")
    return struct.pack(
        "<64sHBB3I16x4x16xIQ",
        *(encoded, len(encoded) + 2, kind, 1, FREE, right, child, start, size),
    )
