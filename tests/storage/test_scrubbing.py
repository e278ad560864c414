"""What changed behind our back is found by reading again, and answers are right meanwhile."""

import logging
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from rag.storage import upkeep
from rag.storage.scrubbing import Scrubber
from tests.storage.shelves import Shelf, vectors_of

TEXTS = [f"number {n}" for n in range(30)]


@pytest.fixture
def saved(open_shelf, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Its indexes are on disk, and were used since."""
    monkeypatch.setattr(upkeep, "CALM", 600.0)
    shelf = open_shelf()
    for n, text in enumerate(TEXTS):
        shelf.put(f"{n}", text)
    shelf = open_shelf()
    shelf.hits("number 1")
    return shelf


def scrubbed(shelf: Shelf):
    return Scrubber(shelf.library._database, seed=1).scrub(shelf.library._indexes.now())


def index_of(shelf: Shelf):
    [indexes] = shelf.library._indexes.now()
    return indexes


def test_sound_indexes_are_left_alone(saved: Shelf) -> None:
    before = index_of(saved).dense.index
    done = scrubbed(saved)

    assert (done.flaws, done.indexes, done.vectors) == ((), 1, len(TEXTS))
    assert index_of(saved).dense.index is before
    assert saved.library.last_scrub() == done


def test_a_bit_that_flips_in_a_file_already_read_is_found(
    saved: Shelf, data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = saved.texts("number 7")
    [path] = data_dir.glob("indexes/*/dense-*/*/rows.f16")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    with path.open("r+b") as file:  # the same file, as a disk would do it
        file.write(content)

    with caplog.at_level(logging.INFO):
        [flaw] = scrubbed(saved).flaws

    assert "rows altered" in flaw
    assert any(getattr(record, "action", "") == "scrubbed" for record in caplog.records)
    assert saved.texts("number 7") == expected
    index_of(saved).keep_up()
    assert scrubbed(saved).flaws == ()


def test_vectors_that_are_not_the_databases_are_found(saved: Shelf) -> None:
    saved.put("new", "newer than the file")
    saved.hits("newer")
    index = index_of(saved).dense.index
    part, live = index.moment()[1][-1]
    part.rows.at(live)
    rows = part.rows.all()
    rows.flags.writeable = True
    rows[:] = -rows

    [flaw] = scrubbed(saved).flaws
    assert "are not the database's" in flaw


def test_a_row_too_many_is_found(saved: Shelf) -> None:
    index = index_of(saved).dense.index
    index.change(np.array([999]), vectors_of(["ghost"]), [], index.seq)

    [flaw] = scrubbed(saved).flaws
    assert "it has 31 chunks, and the database 30" in flaw


def test_a_word_index_that_was_damaged_is_built_beside_the_one_that_answers(
    saved: Shelf, data_dir: Path
) -> None:
    expected = saved.texts("number 7", modes="words", k=50)
    path = max(data_dir.glob("indexes/*/words-*/*"), key=lambda each: each.stat().st_size)
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])

    [flaw] = scrubbed(saved).flaws
    assert "a file of it is damaged" in flaw
    assert saved.texts("number 7", modes="words", k=50) == expected
    index_of(saved).keep_up()
    assert scrubbed(saved).flaws == ()
    assert saved.texts("number 7", modes="words", k=50) == expected


def test_the_word_index_built_beside_is_used_after_a_restart(open_shelf, saved: Shelf) -> None:
    expected = saved.texts("number 7", modes="words", k=50)
    for _ in range(2):  # there and back
        index_of(saved).begin_anew("words", "a test asked for it")
        index_of(saved).keep_up()
        saved = open_shelf()

        assert index_of(saved).words.seq == len(TEXTS)
        assert saved.texts("number 7", modes="words", k=50) == expected


def test_upkeep_scrubs_by_itself(open_shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "FIRST_SCRUB", 0.0)
    monkeypatch.setattr(upkeep, "CALM", 0.01)
    shelf = open_shelf()
    deadline = time.monotonic() + 20
    while shelf.library.last_scrub() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_upkeep_ends_when_it_is_closed_between_waking_and_looking(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With nothing to look at, it would wait for the next change, which never comes."""
    one = upkeep.Upkeep(lambda: (), lambda indexes: None)
    closing = threading.Thread(target=one.close)

    def closed_just_after(seconds: float) -> bool:
        monkeypatch.undo()
        closing.start()
        while not one._wanted.is_set() or not one._ending.is_set():
            time.sleep(0.001)
        return False

    monkeypatch.setattr(one._ending, "wait", closed_just_after)
    one.wake()
    time.sleep(0.1)
    closing.join(10)

    assert not closing.is_alive()
