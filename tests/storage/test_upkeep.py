"""An index that lacks much is not waited for: the database stands in, and upkeep catches up."""

import shutil
import time
from pathlib import Path

import pytest

from rag.domain import Hit
from rag.ranking.filters import Eq
from rag.storage import derived

QUESTION = "red green"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is applied by a search itself, and upkeep waits until it is let go."""
    monkeypatch.setattr(derived, "A_FEW", 3)
    monkeypatch.setattr("rag.storage.upkeep.CALM", 60.0)


def test_the_database_stands_in_for_a_lost_dense_index(
    open_shelf, data_dir: Path, impatient: None
) -> None:
    shelf = open_shelf()
    for i, color in enumerate(("red", "green", "blue", "white", "black", "red green")):
        shelf.put(f"{i}", f"{color} one", even=i % 2 == 0)
    everything = asked(shelf)
    some = shelf.hits(QUESTION, modes="dense", filter=Eq("even", True))
    shelf.library.close()
    shutil.rmtree(data_dir / "indexes")

    shelf = open_shelf()
    [words, dense] = shelf.library.health().indexes

    assert (words.state, dense.state) == ("rebuilding", "rebuilding")
    assert asked(shelf) == everything
    assert shelf.hits(QUESTION, modes="dense", filter=Eq("even", True)) == some


def test_a_search_says_that_words_were_left_out(
    open_shelf, data_dir: Path, impatient: None
) -> None:
    shelf = open_shelf()
    for i in range(5):
        shelf.put(f"{i}", f"red {i}")
    shelf.library.close()
    shutil.rmtree(data_dir / "indexes")
    shelf = open_shelf()

    found = shelf.library.chunks.search(shelf.collection, QUESTION, None, k=3)

    assert (found.missing, found.hits) == ({"words"}, ())


@pytest.mark.parametrize("at_once", [3, 1_000])
def test_upkeep_builds_what_was_lost(
    open_shelf, data_dir: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("rag.storage.dense_leg.AT_ONCE", at_once)
    monkeypatch.setattr(derived, "A_FEW", 3)
    monkeypatch.setattr("rag.storage.upkeep.CALM", 0.0)
    shelf = open_shelf()
    for i in range(8):
        shelf.put(f"{i}", f"red {i}\ngreen {i}")
    expected = {hit.chunk_id for hit in shelf.hits(QUESTION, k=16)}
    shelf.library.close()
    shutil.rmtree(data_dir / "indexes")

    shelf = open_shelf()
    ends = time.monotonic() + 20
    while any(one.state != "ready" for one in shelf.library.health().indexes):
        assert time.monotonic() < ends
        time.sleep(0.01)

    assert [one.rows for one in shelf.library.health().indexes] == [16, 16]
    assert {hit.chunk_id for hit in shelf.hits(QUESTION, k=16)} == expected


def asked(shelf) -> list[Hit]:
    return shelf.hits(QUESTION, k=4, modes="dense")
