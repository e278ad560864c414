"""Indexes can be lost, damaged or swapped: answers stay the same, for SQL is the truth."""

import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from rag.storage.lexical.seals import undamaged, unseal
from tests.storage.shelves import only_sqlite

DIMENSION = 32
QUESTION = "red green blue"


def fill(shelf) -> None:
    for i, color in enumerate(("red", "green", "blue", "white", "black")):
        shelf.put(f"{i}", f"{color} one\n{color} two {'green' if i % 2 else 'red'}")
    shelf.library.documents.delete(shelf.library.documents.find_by_key(shelf.collection, "3").id)
    shelf.put("4", "black again")


def answers(shelf) -> list:
    dense = shelf.hits(QUESTION, k=4, modes="dense")
    words = shelf.hits(QUESTION, k=20, modes="words")
    return [hit.chunk_id for hit in dense] + sorted(hit.chunk_id for hit in words)


def dense_file(data_dir: Path, name: str = "rows.f16") -> Path:
    [path] = data_dir.glob(f"indexes/*/dense-*/*/{name}")
    return path


def words_folder(data_dir: Path) -> Path:
    [path] = data_dir.glob("indexes/*/words-*")
    return path


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("name", ["rows.f16", "ids.i64", "checks.u32", "manifest.json"])
@pytest.mark.parametrize("damage", [Path.unlink, cut_short, flip_a_bit, empty])
def test_a_damaged_dense_index_is_noticed_and_built_again(
    open_shelf, data_dir: Path, caplog: pytest.LogCaptureFixture, damage, name: str
) -> None:
    shelf = open_shelf()
    fill(shelf)
    expected = answers(shelf)
    shelf.library.close()
    damage(dense_file(data_dir, name))

    with caplog.at_level(logging.WARNING):
        shelf = open_shelf()
        found = answers(shelf)

    assert found == expected
    assert answers(shelf) == expected
    assert any(getattr(r, "action", "") == "index_rebuilt" for r in caplog.records)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # a folder that is the library
def test_the_index_of_another_library_is_not_believed(open_shelf, data_dir: Path, tmp_path) -> None:
    shelf = open_shelf()
    fill(shelf)
    expected = answers(shelf)
    shelf.library.close()
    shutil.move(data_dir, tmp_path / "first")

    data_dir.mkdir()
    other = open_shelf()
    fill(other)
    other.put("5", "red herring")
    other.library.close()
    shutil.copytree(words_folder(data_dir), tmp_path / "foreign-words")
    shutil.copytree(dense_file(data_dir).parent, tmp_path / "foreign-segment")
    shutil.rmtree(data_dir)

    shutil.move(tmp_path / "first", data_dir)
    segment = dense_file(data_dir).parent
    shutil.rmtree(segment)
    shutil.move(tmp_path / "foreign-segment", segment)
    folder = words_folder(data_dir)
    shutil.rmtree(folder)
    shutil.move(tmp_path / "foreign-words", folder)
    shelf = open_shelf()

    assert answers(shelf) == expected


def test_a_saved_index_goes_on_from_where_it_was_saved(open_shelf) -> None:
    shelf = open_shelf()
    fill(shelf)
    answers(shelf)
    before = shelf.library.health()
    shelf = open_shelf()

    assert shelf.library.health() == before
    shelf.put("6", "purple")
    assert shelf.texts("purple", k=1) == {"purple"}


def test_a_damaged_word_index_is_noticed_whichever_file_is_hit(open_shelf, data_dir: Path) -> None:
    shelf = open_shelf()
    fill(shelf)
    expected = answers(shelf)
    shelf.library.close()
    folder = words_folder(data_dir)
    files = [path for path in folder.iterdir() if path.stat().st_size and path.name[0] != "."]
    assert len(files) > 5
    assert undamaged(folder)

    for path in files:
        sound = path.read_bytes()
        for damage in (flip_a_bit, cut_short, empty):
            damage(path)
            assert not undamaged(folder), (path.name, damage)
            path.write_bytes(sound)
    unseal(folder)  # as after a crash: now the checksum in each file must do
    for path in files:
        if path.name not in {"sealed", "meta.json"}:
            sound = path.read_bytes()
            path.write_bytes(bytes([sound[0] ^ 1]) + sound[1:])
            assert not undamaged(folder), path.name
            path.write_bytes(sound)
    assert undamaged(folder)
    flip_a_bit(folder / "meta.json")

    assert answers(open_shelf()) == expected


@only_sqlite
def test_a_database_put_back_from_a_copy_is_believed_and_the_newer_indexes_are_not(
    open_shelf, data_dir: Path
) -> None:
    """By hand, which nobody is told of: the numbers of what is gone are given to others."""
    shelf = open_shelf()
    fill(shelf)
    shelf.library.close()
    copy = (data_dir / "library.db").read_bytes()
    shelf = open_shelf()
    shelf.put("gone", "violet one\nviolet two")
    shelf.library.close()
    (data_dir / "library.db").write_bytes(copy)
    shelf = open_shelf()
    shelf.put("new", "orange one\norange two")

    assert shelf.texts("violet", modes="words") == set()
    assert shelf.texts("orange", modes="words") == {"orange one", "orange two"}
    assert shelf.texts("orange one", modes="dense", k=1) == {"orange one"}
    [flaw] = shelf.library.checkup.run().flaws
    assert flaw.part == "originals", "whose bytes nobody has any more"


def test_a_dense_index_damaged_in_use_is_built_again_though_nothing_is_published(
    open_shelf, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = open_shelf()
    fill(shelf)
    expected = answers(shelf)
    shelf = open_shelf()  # whose rows are looked at with the first question
    flip_a_bit(dense_file(data_dir))
    assert answers(shelf) == expected

    wait_for(lambda: len(shelf.library._indexes.of(shelf.collection.index).dense.index) > 0)
    assert answers(shelf) == expected


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end
        sleep(0.05)


def test_all_derived_files_can_be_deleted(open_shelf, data_dir: Path) -> None:
    shelf = open_shelf()
    fill(shelf)
    expected = answers(shelf)
    shelf.library.close()
    shutil.rmtree(data_dir / "indexes")

    assert answers(open_shelf()) == expected


def test_a_new_generation_replaces_the_file_before(open_shelf, data_dir: Path) -> None:
    shelf = open_shelf()
    shelf.put("a", "one")
    shelf.hits("one")
    shelf.library.close()
    first = dense_file(data_dir)
    shelf = open_shelf()
    shelf.put("b", "two")
    shelf.hits("two")
    shelf.library.close()

    assert dense_file(data_dir) != first  # and it is the only one


def test_an_index_that_is_built_again_answers_until_then(
    open_shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = open_shelf()
    fill(shelf)
    expected = answers(shelf)
    dense = shelf.library._indexes.of(shelf.collection.index).dense
    monkeypatch.setattr(dense, "search_rows", None)  # the database is not to stand in for it
    former = dense.index
    shelf.library.indexes.rebuild("notes", ["dense"])
    until = monotonic() + 30
    while dense.index is former and monotonic() < until:
        assert answers(shelf) == expected
    shelf.put("5", "yellow", title="later")

    assert dense.index is not former
    assert answers(shelf)[:4] == expected[:4]
    assert [hit.text for hit in shelf.hits("yellow", k=1, modes="dense")] == ["yellow"]
    assert {hit.text for hit in open_shelf().hits("yellow", k=1, modes="dense")} == {"yellow"}


def test_a_library_does_not_wait_for_an_index_that_is_being_built(
    shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(shelf)
    dense = shelf.library._indexes.of(shelf.collection.index).dense
    began, ended = threading.Event(), []

    def build_for_long(ending: threading.Event) -> None:
        began.set()
        ended.append(ending.wait(30))

    monkeypatch.setattr(dense, "_build_anew", build_for_long)
    shelf.library.indexes.rebuild("notes", ["dense"])
    assert began.wait(30)
    shelf.library.close()

    assert ended == [True]


def test_health_says_what_is_ready(shelf, wordy_shelf) -> None:
    shelf.put("a", "one\ntwo")
    shelf.hits("one")
    wordy_shelf.hits("one")
    health = shelf.library.health()

    assert (health.database_ok, health.documents, health.chunks) == (True, 1, 2)
    states = {(one.collection, one.kind): (one.state, one.rows) for one in health.indexes}
    assert states == {
        (shelf.collection.id, "words"): ("ready", 2),
        (shelf.collection.id, "dense"): ("ready", 2),
        (wordy_shelf.collection.id, "words"): ("ready", 0),
        (wordy_shelf.collection.id, "dense"): ("absent", 0),
    }
