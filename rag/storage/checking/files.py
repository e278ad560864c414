"""Files in the data folder that belong to nobody, and rows whose file is gone."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from rag.storage.checking.findings import Findings, Holdings, by_hand, mendable, some_of
from rag.storage.checking.originals import ASIDE

OURS = frozenset(
    {
        "library.db",
        "library.db-wal",
        "library.db-shm",
        "library.db-journal",
        "lock",
        "node",
        "blobs",
        "indexes",
        "code",
        "models",
        "backup",
        ASIDE,
    }
)
"""All that a library has in its folder."""

SETTLED = 3600.0
"""Seconds after which what was being written is there, or its writer is not."""


def check_files(held: Holdings) -> Findings:
    strangers = sorted(
        path.name
        for path in held.data_dir.iterdir()
        if path.name not in OURS and not _is_aside(path)
    )
    if strangers:
        what = f"{some_of(strangers)} in the data folder belong to nobody"
        yield by_hand("files", what, "move them elsewhere: a library has its folder for itself")
    left = [path for path in _leftovers(held) if _is_settled(path)]
    if left:
        names = sorted({path.name for path in left})
        what = f"{len(left):,} files were left by a writer that died, or by an index: "
        yield mendable("files", what + some_of(names), "they are removed", lambda: _remove(left))


def _leftovers(held: Holdings) -> Iterator[Path]:
    """What was written aside and never put in its place; and folders of indexes that are gone."""
    yield from (path for path in held.data_dir.iterdir() if _is_aside(path))
    yield from (path for path in (held.data_dir / "blobs").rglob("*") if _is_aside(path))
    collections, segments, kept = set[Path](), set[Path](), set[Path]()
    for indexes in held.indexes():
        collections.add(indexes.folder)
        kept |= {indexes.folder, indexes.words.folder}
        if indexes.dense is not None:
            segments.add(indexes.dense.folder)
            kept.add(indexes.dense.folder)
            kept |= {indexes.dense.folder / each.name for each in indexes.dense.index.segments}
    for folder in (held.data_dir / "indexes", *collections, *segments):
        yield from (path for path in folder.glob("*") if path not in kept)


def _is_aside(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(".aside")


def _is_settled(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > SETTLED
    except FileNotFoundError:
        return False


def _remove(paths: list[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
