"""Bugs that can be planted in a writer, to show that a kind of fault finds them.

Each undoes one thing that the library is careful about, where it is careful about it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from rag.errors import OutOfSpace
from rag.storage import blobs, dense_leg
from rag.storage.database import Database
from rag.storage.dense import writing
from rag.storage.dense.manifest import FILE, Manifest, Published
from rag.storage.durable import aside_of, sync_folder
from rag.storage.engines import sqlite
from rag.storage.generations import publish_segment


def _commit_unsynced() -> None:
    sqlite.PRAGMAS["synchronous"] = "OFF"


def _name_bytes_unsynced() -> None:
    """Original bytes get their name before their content is on disk."""

    def write(path: Path, parts: Iterable[bytes]) -> None:
        aside = aside_of(path)
        aside.write_bytes(b"".join(parts))
        aside.replace(path)

    _replace(blobs, "write_parts_durably", write)


def _name_segment_unsynced() -> None:
    """A segment of the dense index likewise."""
    _replace(writing, "_sync", lambda file: file.flush())


def _publish_before_rename() -> None:
    """A segment has its row before it has its name."""
    legs: list[dense_leg.DenseLeg] = []
    written, publish = dense_leg.DenseLeg._written, publish_segment

    def of_leg(leg: dense_leg.DenseLeg, *given: Any) -> Published:
        legs[:] = [leg]
        return written(leg, *given)

    def settle(aside: Path, folder: Path, manifest: Manifest) -> Published:
        content = msgspec.json.encode(manifest)
        sha256 = writing._write(aside / FILE, content).sha256
        name = f"dense-{manifest.last}-{sha256[:16]}"
        size = sum(file.size for file in manifest.files.values()) + len(content)
        published = Published(name, sha256, manifest.rows, size, manifest.first, manifest.last)
        with legs[0]._database.write() as session:
            publish(session, legs[0]._version.id, published, instead_of=())
        aside.rename(folder / name)
        sync_folder(folder)
        return published

    def again(session: Session, version: int, segment: Published, *, instead_of: Any) -> None:
        publish(session, version, segment, instead_of=[*instead_of, segment.name])

    _replace(dense_leg.DenseLeg, "_written", of_leg)
    _replace(writing, "_settle", settle)
    _replace(dense_leg, "publish_segment", again)


def _swallow_full_disk() -> None:
    """A transaction that found no room is taken for one that committed."""
    write = Database.write

    @contextmanager
    def swallowing(database: Database) -> Iterator[Session]:
        try:
            with write(database) as session:
                yield session
        except OutOfSpace:
            return

    _replace(Database, "write", swallowing)


def _replace(owner: Any, name: str, plant: Any) -> None:
    """Fails where there is no longer anything by that name."""
    getattr(owner, name)
    setattr(owner, name, plant)


EARLY = "acknowledge early"
"""The writer does this one itself: what it is about to do it says is done."""

PLANTS: dict[str, Callable[[], None]] = {
    EARLY: lambda: None,
    "commit unsynced": _commit_unsynced,
    "name bytes unsynced": _name_bytes_unsynced,
    "name segment unsynced": _name_segment_unsynced,
    "publish before rename": _publish_before_rename,
    "swallow full disk": _swallow_full_disk,
}
