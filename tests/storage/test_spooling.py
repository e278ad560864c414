"""Bytes on their way in: the same as came, on disk where they are many, and gone afterwards."""

import io
import os
from pathlib import Path

import pytest

from rag.domain import Source, version_of
from rag.errors import OutOfSpace
from rag.storage.blobs import BlobFolder
from rag.storage.spooling import PIECE, Spool, Upload

MANY = os.urandom(PIECE * 2 + 17)


def spooled(folder: Path, content: bytes) -> Spool:
    spool = Spool(folder)
    for start in range(0, len(content), 70_000):
        spool.write(content[start : start + 70_000])
    return spool


@pytest.mark.parametrize("content", [b"", b"few", MANY], ids=["none", "few", "many"])
def test_what_was_written_is_read_as_often_as_one_likes(tmp_path: Path, content: bytes) -> None:
    spool = spooled(tmp_path, content)

    for _ in range(2):
        parts = list(spool.parts())
        assert b"".join(parts) == content
        assert all(len(part) <= PIECE for part in parts)
    assert (spool.size, spool.version) == (len(content), version_of(content))
    spool.close()


def test_an_upload_is_the_source_with_its_bytes(tmp_path: Path) -> None:
    spool = spooled(tmp_path, MANY)
    upload = Upload("a.pdf", spool, "application/pdf", "A", {"year": 2020})
    source = Source("a.pdf", MANY, "application/pdf", "A", {"year": 2020})

    assert upload.source == source
    assert upload.version == source.version
    spool.close()


def test_nothing_of_it_has_a_name(tmp_path: Path) -> None:
    spool = spooled(tmp_path, MANY)

    assert list(tmp_path.iterdir()) == []
    spool.close()


def test_it_becomes_a_blob_of_the_same_content(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path / "blobs")
    spool = spooled(tmp_path, MANY)

    assert blobs.get(blobs.put(spool)) == MANY
    spool.close()


def test_a_full_disk_is_told_in_our_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, some: object) -> int:
            raise OSError(28, "No space left on device")

    spool = Spool(tmp_path)
    spool.close()
    monkeypatch.setattr(spool, "_file", Full())

    with pytest.raises(OutOfSpace):
        spool.write(b"x")
