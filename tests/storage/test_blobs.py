"""Bytes are kept whole or not at all, and never answered with others."""

from pathlib import Path

import pytest

from rag.domain import Version, version_of
from rag.errors import NotFound, RagError
from rag.storage import durable
from rag.storage.blobs import BlobStore


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_bytes_come_back_by_their_version(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    for content in (b"", b"some bytes", bytes(range(256)) * 1_000):
        assert store.put(content) == version_of(content)
        assert store.get(version_of(content)) == content
        assert store.size(version_of(content)) == len(content)


def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    store.put(b"same")
    store.put(b"same")

    assert len(files(tmp_path)) == 1


def test_missing_bytes_are_not_found(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)

    assert store.size(version_of(b"x")) is None
    with pytest.raises(NotFound):
        store.get(version_of(b"x"))
    store.remove(version_of(b"x"))


@pytest.mark.parametrize("version", ["", "sha256:", "sha256:../../etc/passwd", "x" * 64])
def test_a_name_that_is_no_version_reaches_no_file(tmp_path: Path, version: str) -> None:
    with pytest.raises(NotFound, match="64 hex digits"):
        BlobStore(tmp_path).get(Version(version))


def test_damaged_bytes_are_not_returned_and_putting_them_again_mends_a_short_file(
    tmp_path: Path,
) -> None:
    store = BlobStore(tmp_path)
    version = store.put(b"some bytes")
    [path] = files(tmp_path)
    path.write_bytes(b"some bytez")
    with pytest.raises(RagError, match="damaged"):
        store.get(version)
    path.write_bytes(b"some")
    store.put(b"some bytes")

    assert store.get(version) == b"some bytes"


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        BlobStore(tmp_path).put(b"some bytes")

    assert files(tmp_path) == []
