"""Bytes are kept whole or not at all, and never answered with others, in either home."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from rag.domain import Version, version_of
from rag.errors import NotFound, OutOfSpace, RagError
from rag.storage import blobs as module
from rag.storage import durable
from rag.storage.blobs import BlobFolder, Blobs, BlobTable
from rag.storage.database import Database
from rag.storage.tables import BlobPartRow, BlobRow


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def database(
    data_dir: Path, open_shelf, open_database: Callable[[], Database]
) -> Iterator[Database]:
    open_shelf().library.close()
    database = open_database()
    yield database
    database.close()


@pytest.fixture
def blobs(tmp_path: Path, database: Database) -> Blobs:
    return BlobTable(database) if database.is_shared else BlobFolder(tmp_path / "blobs")


def size(database: Database, blobs: Blobs, version: Version) -> int | None:
    with database.read() as session:
        return blobs.size(session, version)


def test_bytes_come_back_by_their_version(blobs: Blobs, database: Database) -> None:
    for content in (b"", b"some bytes", bytes(range(256)) * 1_000):
        assert blobs.put(content) == version_of(content)
        assert blobs.get(version_of(content)) == content
        assert size(database, blobs, version_of(content)) == len(content)


def test_missing_bytes_are_not_found(blobs: Blobs, database: Database) -> None:
    assert size(database, blobs, version_of(b"x")) is None
    with pytest.raises(NotFound):
        blobs.get(version_of(b"x"))
    with database.alone() as session:
        blobs.remove(session, version_of(b"x"))


def test_removed_bytes_are_gone_and_can_be_put_again(blobs: Blobs, database: Database) -> None:
    version = blobs.put(b"some bytes")
    with database.alone() as session:
        blobs.remove(session, version)

    with pytest.raises(NotFound):
        blobs.get(version)
    blobs.put(b"some bytes")
    assert blobs.get(version) == b"some bytes"


# --- in a folder ---


def test_the_same_bytes_are_one_file(tmp_path: Path) -> None:
    folder = BlobFolder(tmp_path)
    folder.put(b"same")
    folder.put(b"same")

    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize("version", ["", "sha256:", "sha256:../../etc/passwd", "x" * 64])
def test_a_name_that_is_no_version_reaches_no_file(tmp_path: Path, version: str) -> None:
    with pytest.raises(NotFound, match="64 hex digits"):
        BlobFolder(tmp_path).get(Version(version))


def test_damaged_bytes_are_not_returned_and_putting_them_again_mends_a_short_file(
    tmp_path: Path,
) -> None:
    folder = BlobFolder(tmp_path)
    version = folder.put(b"some bytes")
    [path] = files(tmp_path)
    path.write_bytes(b"some bytez")
    with pytest.raises(RagError, match="damaged"):
        folder.get(version)
    path.write_bytes(b"some")
    folder.put(b"some bytes")

    assert folder.get(version) == b"some bytes"


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", fail)
    with pytest.raises(OutOfSpace, match="disk is full"):
        BlobFolder(tmp_path).put(b"some bytes")

    assert files(tmp_path) == []


# --- in the database ---


def test_long_bytes_are_kept_in_parts_and_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 10)
    table = BlobTable(database)
    contents = [b"0123456789" * times + tail for times in (1, 3) for tail in (b"", b"x")]
    for content in contents * 2:
        table.put(content)

    assert [table.get(version_of(content)) for content in contents] == contents
    with database.read() as session:
        parts = session.scalar(select(func.count()).select_from(BlobPartRow))
    assert parts == 1 + 2 + 3 + 4


def test_damaged_rows_are_not_returned(database: Database) -> None:
    version = BlobTable(database).put(b"some bytes")
    with database.write() as session:
        session.execute(update(BlobPartRow).values(content=b"some bytez"))

    with pytest.raises(RagError, match="damaged"):
        BlobTable(database).get(version)


def test_a_transaction_that_fails_keeps_no_bytes(database: Database) -> None:
    def keep_and_fail() -> None:
        with database.write() as session:
            BlobTable(database).keep(session, b"some bytes")
            raise RagError("planted")

    with pytest.raises(RagError, match="planted"):
        keep_and_fail()

    with database.read() as session:
        assert session.scalars(select(BlobRow.sha256)).all() == []
