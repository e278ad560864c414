"""What a segment says of itself: whose it is, what it holds, and the sums of its files."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from rag.storage.dense.damage import SegmentDamaged
from rag.storage.dense.scanning import Ids, Rows, as_rows

FORMAT = 1  # of the files; another format is another's, and is built again
FILE = "manifest.json"

Layout = Literal["flat", "clustered"]


class FileSum(Struct, frozen=True):
    size: int
    sha256: str


class Probing(Struct, frozen=True):
    """How far to look in a clustered segment: measured when it was built, on its own rows."""

    fraction: float
    """Of the rows allowed."""
    lists: int
    candidates: int
    """Re-scored exactly."""
    recall: float
    """Against exact search."""
    nearest: int = 10
    """Rows that were looked for."""


class Manifest(Struct, frozen=True):
    """Everything that opening a segment relies on."""

    nonce: str
    """Random: two segments of the same rows have different names."""
    owner: str
    """Library, index version and model: a segment of another is refused."""
    dimension: int
    rows: int
    first: int
    """Operations: the segment holds what `first` to `last` put, and names what they deleted."""
    last: int
    layout: Layout
    contents: str
    """`contents_sum` of its rows."""
    block_rows: int
    """Rows that share one check value."""
    files: dict[str, FileSum]
    probing: tuple[Probing, ...] = ()
    format: int = FORMAT


class Published(Struct, frozen=True):
    """A segment's place in SQL: without it the folder is nobody's."""

    name: str
    sha256: str
    """Of its manifest, and so of all of it."""
    rows: int
    size: int
    """Bytes on disk."""
    first: int
    last: int


def read_manifest(folder: Path, name: str, sha256: str) -> Manifest:
    """
    Raises:
        SegmentDamaged: it is not the manifest that was published.
    """
    try:
        content = (folder / name / FILE).read_bytes()
    except OSError as error:
        raise SegmentDamaged(name, f"its manifest cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise SegmentDamaged(name, "its manifest is not the one that was published")
    try:
        return msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:  # whole, so it was written by another version of us
        raise SegmentDamaged(name, "its manifest is of another format") from error


class ContentsSum:
    """A sum over numbered rows that does not depend on their order, to compare with SQL.

    Each row's hash is a number of 128 bits, and they are added (Bellare and Micciancio, 1997):
    rows can be taken out of the sum again.
    """

    def __init__(self) -> None:
        self._sum = 0

    def add(self, ids: Ids, rows: Rows) -> None:
        for id, row in zip(ids.tolist(), rows, strict=True):
            digest = hashlib.blake2b(row, digest_size=16, salt=id.to_bytes(16, "little")).digest()
            self._sum += int.from_bytes(digest, "little")

    def hexdigest(self) -> str:
        return f"{self._sum % (1 << 128):032x}"


def contents_sum(blocks: Iterable[tuple[Ids, Rows]]) -> str:
    """The same for the same numbered vectors in any order, rounded to half precision."""
    total = ContentsSum()
    for ids, rows in blocks:
        total.add(ids, as_rows(rows))
    return total.hexdigest()
