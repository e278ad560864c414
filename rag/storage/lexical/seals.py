"""Whether the files of a tantivy index are those it wrote.

tantivy ends each file of a segment with its checksum, and does not compare it itself when it opens
one. At rest a seal beside them holds a hash of all names, sizes and checksums, so that no file can
stand in for another; while somebody writes, and after a crash, there is none.
"""

import hashlib
import json
import logging
import zlib
from collections.abc import Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path

from rag.storage.durable import write_durably

log = logging.getLogger(__name__)

SEAL = "sealed"
LIST = "meta.json"
"""Names the segments; it is the one file without a checksum of its own."""

MAGIC = 1337  # ends every footer
STEP = 1 << 20  # bytes that are checked at a time
DAMAGE = (OSError, ValueError, KeyError, TypeError)
"""What reading raises where a file is gone, unreadable, or not what tantivy wrote."""

TAIL = 8  # bytes: length of the footer's JSON, and the magic number, each little-endian


def seal(folder: Path) -> None:
    """Says that the index is at rest, and what it consists of. A damaged one gets no seal: it is
    told apart by the next start, and whoever closes it may be about to remove it."""
    try:
        digest = _digest(folder, _checksums(folder))
    except DAMAGE:
        log.warning(
            "a word index was damaged while it was in use", extra={"action": "index_not_sealed"}
        )
        return
    write_durably(folder / SEAL, digest.encode())


def unseal(folder: Path) -> None:
    """To be called before anything is written."""
    (folder / SEAL).unlink(missing_ok=True)


def undamaged(folder: Path) -> bool:
    """Whether the index is there, with the content it was written with."""
    try:
        checksums = _checksums(folder)
        sealed = folder / SEAL
        return not sealed.exists() or sealed.read_text() == _digest(folder, checksums)
    except DAMAGE:
        return False


def is_begun(folder: Path) -> bool:
    """Whether it lists no rows yet: files that lie there were left by whoever died before the first
    commit."""
    try:
        return not json.loads((folder / LIST).read_bytes())["segments"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _digest(folder: Path, checksums: Mapping[str, tuple[int, int]]) -> str:
    digest = hashlib.sha256((folder / LIST).read_bytes())
    digest.update(json.dumps(sorted(checksums.items())).encode())
    return digest.hexdigest()


def _checksums(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and CRC-32 of each segment's files, footers included, by name.

    Raises:
        ValueError: one of them is not what tantivy wrote.
    """
    listed = json.loads((folder / LIST).read_bytes())["segments"]
    names = {segment["segment_id"].replace("-", "") for segment in listed}
    files = [path for path in folder.iterdir() if path.name.partition(".")[0] in names]
    return {path.name: _checksum(path) for path in files}


def _checksum(path: Path) -> tuple[int, int]:
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        if int.from_bytes(content[-4:], "little") != MAGIC:
            raise ValueError("no footer of tantivy's")
        length = int.from_bytes(content[-TAIL:-4], "little")
        ends = len(content) - TAIL - length
        footer = json.loads(content[ends:-TAIL])
        checksum = 0
        for start in range(0, ends, STEP):
            checksum = zlib.crc32(content[start : min(ends, start + STEP)], checksum)
        if checksum != footer["crc"]:
            raise ValueError("another content than was written")
        return len(content), zlib.crc32(content[ends:], checksum)
