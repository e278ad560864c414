"""Whether the files of a tantivy index are those it wrote.

Tantivy ends each file of a segment with a footer that holds its CRC-32, and does not compare it
when it opens one. Its list of segments, `meta.json`, has no checksum: a seal beside it holds its
hash while nobody writes.
"""

import json
import zlib
from pathlib import Path

from rag.storage.durable import sha256_of_file, write_durably

SEAL = "sealed"
LIST = "meta.json"
MAGIC = 1337  # ends every footer
TAIL = 8  # bytes: length of the footer's JSON, and the magic number, each little-endian


def seal(folder: Path) -> None:
    """Says that the index is at rest, and what it consists of."""
    write_durably(folder / SEAL, sha256_of_file(folder / LIST).encode())


def unseal(folder: Path) -> None:
    """To be called before anything is written; without a seal, checksums alone must do."""
    (folder / SEAL).unlink(missing_ok=True)


def undamaged(folder: Path) -> bool:
    """Whether every file that the index needs is there with the content it was written with."""
    try:
        listed = (folder / LIST).read_bytes()
        sealed = (folder / SEAL).read_text() if (folder / SEAL).exists() else None
        if sealed is not None and sealed != sha256_of_file(folder / LIST):
            return False
        segments = {segment["segment_id"] for segment in json.loads(listed)["segments"]}
        names = {segment.replace("-", "") for segment in segments}
        files = [path for path in folder.iterdir() if path.name.partition(".")[0] in names]
        return all(_is_whole(path) for path in files)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _is_whole(path: Path) -> bool:
    content = memoryview(path.read_bytes())
    if int.from_bytes(content[-4:], "little") != MAGIC:
        return False
    length = int.from_bytes(content[-TAIL:-4], "little")
    footer = json.loads(bytes(content[-TAIL - length : -TAIL]))
    return bool(zlib.crc32(content[: -TAIL - length]) == footer["crc"])
