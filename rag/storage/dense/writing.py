"""Writing a segment: aside, on disk, read back and compared, and only then under its name."""

import hashlib
import os
import shutil
import zlib
from collections.abc import Callable, Collection, Iterable
from io import BufferedWriter
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from rag.domain import Vectors
from rag.storage.dense.clustering import ROWS_FROM
from rag.storage.dense.clustering_process import NICENESS, Stopped, cluster
from rag.storage.dense.damage import SegmentDamaged
from rag.storage.dense.manifest import FILE, ContentsSum, FileSum, Manifest, Probing, Published
from rag.storage.dense.rows import Checks, Checksums, rows_per_check
from rag.storage.dense.scanning import Ids, Rows, as_rows
from rag.storage.dense.segment import CHECKS, CLUSTERS, DELETED, IDS, ROWS
from rag.storage.durable import (
    PRIVATE_FILE,
    PRIVATE_FOLDER,
    aside_of,
    make_private_folder,
    sha256_of_file,
    sync_folder,
)

NOT_AS_WRITTEN = "the disk does not give back what was written"


class Span(Struct, frozen=True):
    """What a segment stands for."""

    owner: str
    dimension: int
    first: int
    last: int
    deleted: tuple[int, ...] = ()
    """Numbers that these operations deleted, and that an older segment may hold."""


class _Written(Struct, frozen=True):
    """Rows on their way into a file."""

    ids: Ids
    checks: Checks
    contents: str


def write_segment(
    folder: Path,
    blocks: Iterable[tuple[Ids, Vectors | Rows]],
    span: Span,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    clustered_from: int = ROWS_FROM,
    niceness: int = NICENESS,
) -> Published:
    """A new segment on disk. It is nobody's until its name and sum are published.

    Memory stays within one block and 10 bytes a row. From `clustered_from` rows on, another
    process makes clusters of them: some 150 s for a million.

    Raises:
        Stopped: `should_stop` said so; nothing is left behind.
        SegmentDamaged: the disk does not give back what was written.
    """
    make_private_folder(folder)
    aside = aside_of(folder / "segment")
    aside.mkdir(mode=PRIVATE_FOLDER)
    try:
        written = _write_rows(aside / ROWS, blocks, span, should_stop)
        files = {
            ROWS: _read_back_rows(aside / ROWS, span.dimension, written.checks),
            IDS: _write(aside / IDS, written.ids.tobytes()),
            DELETED: _write(aside / DELETED, np.array(sorted(span.deleted), np.int64).tobytes()),
            CHECKS: _write(aside / CHECKS, written.checks.tobytes()),
        }
        probing: tuple[Probing, ...] = ()
        if len(written.ids) >= clustered_from:
            made = cluster(aside / ROWS, aside / CLUSTERS, span.dimension, should_stop, niceness)
            files[CLUSTERS] = _read_back(aside / CLUSTERS, made.sha256)
            probing = made.probing
        manifest = Manifest(
            nonce=os.urandom(8).hex(),
            owner=span.owner,
            dimension=span.dimension,
            rows=len(written.ids),
            first=span.first,
            last=span.last,
            layout="clustered" if probing else "flat",
            probing=probing,
            contents=written.contents,
            block_rows=rows_per_check(span.dimension),
            files=files,
        )
        return _settle(aside, folder, manifest)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def remove_unpublished(folder: Path, names: Collection[str]) -> None:
    """Deletes what a writer left that died, and segments that were replaced. Readers go on."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_dir() and path.name not in names:
            shutil.rmtree(path, ignore_errors=True)


def _write_rows(
    path: Path,
    blocks: Iterable[tuple[Ids, Vectors | Rows]],
    span: Span,
    should_stop: Callable[[], bool],
) -> _Written:
    ids, total = [np.empty(0, np.int64)], ContentsSum()
    checks = Checksums(rows_per_check(span.dimension))
    with path.open("xb") as file:
        for numbers, vectors in blocks:
            if should_stop():
                raise Stopped
            rows = as_rows(vectors)
            file.write(rows.data)
            ids.append(numbers)
            total.add(numbers, rows)
            checks.add(rows)
        _sync(file)
    return _Written(np.concatenate(ids), checks.values(), total.hexdigest())


def _write(path: Path, content: bytes) -> FileSum:
    with path.open("xb") as file:
        file.write(content)
        _sync(file)
    return _read_back(path, hashlib.sha256(content).hexdigest())


def _sync(file: BufferedWriter) -> None:
    """On disk, and out of the cache: what is read back comes from the disk."""
    file.flush()
    os.fchmod(file.fileno(), PRIVATE_FILE)
    os.fsync(file.fileno())
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _read_back(path: Path, sha256: str) -> FileSum:
    if sha256_of_file(path) != sha256:
        raise SegmentDamaged(path.name, NOT_AS_WRITTEN)
    return FileSum(path.stat().st_size, sha256)


def _read_back_rows(path: Path, dimension: int, checks: Checks) -> FileSum:
    """The sum of the rows on disk, if they are those that were in memory."""
    sha256, size, step = hashlib.sha256(), 0, rows_per_check(dimension) * dimension * 2
    with path.open("rb") as file:
        for check in checks.tolist():
            content = file.read(step)
            if zlib.crc32(content) != check:
                raise SegmentDamaged(path.name, NOT_AS_WRITTEN)
            sha256.update(content)
            size += len(content)
    return FileSum(size, sha256.hexdigest())


def _settle(aside: Path, folder: Path, manifest: Manifest) -> Published:
    content = msgspec.json.encode(manifest)
    sha256 = _write(aside / FILE, content).sha256
    sync_folder(aside)
    name = f"dense-{manifest.last}-{sha256[:16]}"
    aside.rename(folder / name)
    sync_folder(folder)
    size = sum(file.size for file in manifest.files.values()) + len(content)
    return Published(name, sha256, manifest.rows, size, manifest.first, manifest.last)
