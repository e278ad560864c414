"""Hashes of files are remembered, and never believed where they could be wrong."""

import os
from pathlib import Path

import pytest

from rag.domain import version_of
from rag.sources import hashes
from rag.sources.hashes import Hashes

LONG_AGO = 1_600_000_000


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """It has rested: the clock by which that is seen goes an hour fast."""
    now = hashes.time_ns
    monkeypatch.setattr(hashes, "time_ns", lambda: now() + 3_600_000_000_000)
    file = tmp_path / "a.md"
    file.write_text("one")
    os.utime(file, (LONG_AGO, LONG_AGO))
    return file


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Files that were read through."""
    read: list[object] = []
    digest = hashes.hashlib.file_digest

    def counted(file: object, name: str) -> object:
        read.append(file)
        return digest(file, name)  # type: ignore[arg-type]  # as it is called

    monkeypatch.setattr("rag.sources.hashes.hashlib.file_digest", counted)
    return read


def version(file: Path, records: Path, *, anew: bool = False) -> str:
    with Hashes(records, anew=anew) as kept:
        assert kept.flaw is None
        return kept.version_of(file)


def test_a_file_that_has_not_changed_is_read_once(
    file: Path, tmp_path: Path, reads: list[object]
) -> None:
    records = tmp_path / "cache" / "hashes.sqlite"
    versions = {version(file, records) for _ in range(3)}

    assert versions == {version_of(b"one")}
    assert len(reads) == 1
    assert version(file, records, anew=True) == version_of(b"one")
    assert len(reads) == 2


def test_a_file_of_the_same_size_and_time_that_was_written_to_is_read_again(
    file: Path, tmp_path: Path
) -> None:
    records = tmp_path / "hashes.sqlite"
    version(file, records)
    file.write_text("two")
    os.utime(file, (LONG_AGO, LONG_AGO))  # its inode's own time cannot be set back

    assert version(file, records) == version_of(b"two")


def test_another_file_moved_into_its_place_is_read(file: Path, tmp_path: Path) -> None:
    records = tmp_path / "hashes.sqlite"
    version(file, records)
    other = tmp_path / "other.md"
    other.write_text("two")
    os.utime(other, (LONG_AGO, LONG_AGO))
    other.replace(file)

    assert version(file, records) == version_of(b"two")


def test_a_file_that_changed_just_now_is_not_remembered(
    tmp_path: Path, reads: list[object]
) -> None:
    fresh = tmp_path / "fresh.md"
    fresh.write_text("one")
    for _ in range(2):
        version(fresh, tmp_path / "hashes.sqlite")

    assert len(reads) == 2


def test_without_a_place_for_records_it_says_so_and_reads(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("one")
    records = tmp_path / "broken.sqlite"
    records.write_text("this is no database, and long enough to be taken for a broken one" * 20)
    with Hashes(records) as kept:
        assert kept.version_of(file) == version_of(b"one")
        assert kept.flaw is not None
        assert "cannot be remembered" in kept.flaw
