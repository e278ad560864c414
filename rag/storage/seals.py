"""Whether the files of a tantivy index are those it wrote.

At rest a seal beside them holds a hash of them all. While somebody writes, and after a crash,
there is none: then the checksum must do with which tantivy ends each file of a segment, and
which it does not compare itself when it opens one.
"""

import hashlib
import json
import zlib
from pathlib import Path

from rag.storage.durable import write_durably

SEAL = "sealed"
LIST = "meta.json"
"""Names the segments; it is the one file without a checksum of its own."""

MAGIC = 1337  # ends every footer
TAIL = 8  # bytes: length of the footer's JSON, and the magic number, each little-endian


def seal(folder: Path) -> None:
    """Says that the index is at rest, and what it consists of."""
    write_durably(folder / SEAL, _digest(folder).encode())


def unseal(folder: Path) -> None:
    """To be called before anything is written."""
    (folder / SEAL).unlink(missing_ok=True)


def undamaged(folder: Path) -> bool:
    """Whether the index is there, with the content it was written with."""
    try:
        if (folder / SEAL).exists():
            return (folder / SEAL).read_text() == _digest(folder)
        return all(_is_whole(path) for path in _segment_files(folder))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in (folder / LIST, *_segment_files(folder)):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _segment_files(folder: Path) -> list[Path]:
    listed = json.loads((folder / LIST).read_bytes())["segments"]
    names = {segment["segment_id"].replace("-", "") for segment in listed}
    return sorted(path for path in folder.iterdir() if path.name.partition(".")[0] in names)


def _is_whole(path: Path) -> bool:
    content = memoryview(path.read_bytes())
    if int.from_bytes(content[-4:], "little") != MAGIC:
        return False
    length = int.from_bytes(content[-TAIL:-4], "little")
    footer = json.loads(bytes(content[-TAIL - length : -TAIL]))
    return bool(zlib.crc32(content[: -TAIL - length]) == footer["crc"])
