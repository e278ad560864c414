"""A word index whose disk fails: nothing is missing once it takes what it refused."""

import errno
from pathlib import Path

import pytest

from rag.errors import OutOfSpace
from rag.storage.lexical import disk
from rag.storage.lexical.disk import DiskIndex
from rag.storage.lexical.rows import Entry
from rag.storage.lexical.words import WordIndex

OWNER = "library/1"
WORDS = {1: "apple", 2: "pear", 3: "plum"}


def entry(chunk: int) -> Entry:
    return Entry(chunk, "doc", WORDS[chunk])


def found(index: WordIndex, *chunks: int) -> list[list[int]]:
    return [[hit for hit, _ in index.search(WORDS[chunk], 10).ranking] for chunk in chunks]


def test_what_a_full_disk_refused_is_written_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = WordIndex(tmp_path / "words", OWNER)
    index.change([entry(1), entry(2)], [], 2)
    with monkeypatch.context() as full:
        full.setattr(DiskIndex, "_open_writer", refused)
        with pytest.raises(OutOfSpace):
            index.absorb()
    assert found(index, 1, 2) == [[1], [2]]
    index.change([entry(3)], [1], 4)
    index.close()
    again = WordIndex(tmp_path / "words", OWNER)

    assert (again.seq, found(again, 1, 2, 3)) == (4, [[], [2], [3]])
    again.close()


def test_what_was_written_before_it_failed_is_not_there_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = WordIndex(tmp_path / "words", OWNER)
    index.change([entry(1), entry(2)], [], 2)
    with monkeypatch.context() as failing:
        failing.setattr(DiskIndex, "_open_writer", lambda self: CommitsAndFails(open_writer(self)))
        with pytest.raises(ValueError, match="os error 5"):
            index.absorb()
    index.change([entry(3)], [], 3)
    index.close()
    again = WordIndex(tmp_path / "words", OWNER)

    assert (len(again), found(again, 1, 2, 3)) == (3, [[1], [2], [3]])
    again.close()


def test_a_process_killed_before_its_first_commit_left_no_damage(tmp_path: Path) -> None:
    folder = tmp_path / "words"
    writer = disk.DiskIndex(folder, OWNER)
    del writer  # as it was made: it lists no rows
    (folder / "0123456789abcdef0123456789abcdef.store").write_bytes(b"half a")

    assert not WordIndex(folder, OWNER).was_lost


open_writer = DiskIndex._open_writer


def refused(index: DiskIndex) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


class CommitsAndFails:
    """A writer whose commit is on disk when it fails."""

    def __init__(self, writer: object) -> None:
        self._writer = writer

    def __getattr__(self, name: str) -> object:
        return getattr(self._writer, name)

    def commit(self) -> None:
        self._writer.commit()
        raise ValueError("An IO error occurred: 'Input/output error (os error 5)'")
