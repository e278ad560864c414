"""A word index that is damaged while it is in use, or cannot be written, loses nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
import tantivy

from rag.errors import RagError
from rag.storage.lexical.disk import DiskIndex
from rag.storage.lexical.rows import Entry
from rag.storage.lexical.words import WordIndex
from tests.storage.shelves import Shelf, only_sqlite

KINDS_OF_FILES = ("term", "idx", "fast", "fieldnorm")


@pytest.fixture
def saved(
    open_shelf: Callable[[], Shelf], data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Shelf, Path]:
    """A library in use whose words are on disk, and their folder; upkeep waits to be called."""
    monkeypatch.setattr("rag.storage.upkeep.CALM", 3600.0)
    monkeypatch.setattr("rag.storage.derived.A_FEW", 2)
    shelf = open_shelf()
    shelf.put("a", "red whale\ngreen krill\nblue ice\nred rope")
    keep_up(shelf)
    [folder] = data_dir.glob("indexes/*/words-*")
    return open_shelf(), folder


def keep_up(shelf: Shelf) -> None:
    for indexes in shelf.library._indexes.now():
        indexes.keep_up()


def zero(folder: Path, kind: str) -> None:
    """In place, as a mapped file changes under its reader."""
    [path] = folder.glob(f"*.{kind}")
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))


@only_sqlite
@pytest.mark.parametrize("kind", KINDS_OF_FILES)
def test_no_question_fails_and_the_words_are_built_again(
    saved: tuple[Shelf, Path], kind: str
) -> None:
    shelf, folder = saved
    zero(folder, kind)
    asked = shelf.library.chunks.search(shelf.collection, "red", None, k=10)
    if asked.missing:
        [words, _] = shelf.library.health().indexes
        assert words.state == "rebuilding"
    shelf.library.checkup.run(repair=True)
    keep_up(shelf)

    assert shelf.texts("red", modes="words") == {"red whale", "red rope"}
    assert shelf.library.checkup.run().flaws == ()


@only_sqlite
@pytest.mark.parametrize("kind", KINDS_OF_FILES)
def test_a_damaged_index_can_be_closed_and_the_next_start_notices(
    saved: tuple[Shelf, Path], open_shelf: Callable[[], Shelf], kind: str
) -> None:
    shelf, folder = saved
    shelf.put("b", "red sail")
    zero(folder, kind)
    shelf = open_shelf()
    keep_up(shelf)

    assert shelf.texts("red", modes="words") == {"red whale", "red rope", "red sail"}


def test_words_that_could_not_be_written_are_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = WordIndex(tmp_path / "words", "owner")
    index.change([Entry(1, "d1", "red whale")], [], 1)
    open_writer = DiskIndex._open_writer

    class FullDisk:
        """A writer that fails when it has taken everything."""

        def __init__(self, writer: tantivy.IndexWriter) -> None:
            self._writer = writer

        def __getattr__(self, name: str) -> object:
            return getattr(self._writer, name)

        def commit(self) -> None:
            raise ValueError("An IO error occurred: 'No space left on device'")

    with monkeypatch.context() as full:
        full.setattr(DiskIndex, "_open_writer", lambda disk: FullDisk(open_writer(disk)))
        with pytest.raises(ValueError, match="No space"):
            index.absorb()
    assert [chunk for chunk, _ in index.search("whale", 10).ranking] == [1]
    index.change([Entry(2, "d2", "blue whale")], [], 2)
    index.close()
    again = WordIndex(tmp_path / "words", "owner")

    assert again.seq == 2
    assert sorted(chunk for chunk, _ in again.search("whale", 10).ranking) == [1, 2]
    assert len(again) == 2


@only_sqlite
def test_an_index_that_looks_sound_and_takes_nothing_is_built_again(
    saved: tuple[Shelf, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf, folder = saved
    shelf.put("b", "red sail")
    write = DiskIndex.write

    def refused(disk: DiskIndex, *given: object) -> None:
        if disk._folder == folder:
            raise ValueError("Failed to open file for read: InvalidData")
        write(disk, *given)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(DiskIndex, "write", refused)
    with pytest.raises(RagError, match="disk failed"):
        keep_up(shelf)
    keep_up(shelf)

    assert not folder.exists()
    assert shelf.texts("red", modes="words") == {"red whale", "red rope", "red sail"}
    assert shelf.library.health().indexes[0].state == "ready"
