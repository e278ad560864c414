"""Rows in memory and rows on disk are one ranking, and none is lost between the two."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.storage.lexical.rows import Entry
from rag.storage.lexical.seals import undamaged
from rag.storage.lexical.words import Within, WordIndex

VOCABULARY = [f"{first}{second}" for first in "bdfgklmnprst" for second in ("al", "en", "ot", "us")]
QUESTION = "bal dot fus gen"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[WordIndex]:
    index = WordIndex(tmp_path / "words", "library/1")
    yield index
    index.close()


def entries(count: int, *, first: int = 1, documents: int = 20) -> list[Entry]:
    choose = random.Random(first)
    return [
        Entry(
            chunk,
            f"doc_{chunk % documents}",
            " ".join(choose.choices(VOCABULARY, k=chunk % 60 + 1)),
        )
        for chunk in range(first, first + count)
    ]


def of(index: WordIndex, k: int = 50, within: Within | None = None) -> list[tuple[int, float]]:
    found = index.search(QUESTION, k, within=within).ranking
    return [(chunk, round(score, 4)) for chunk, score in found]


def test_a_row_scores_in_memory_as_it_does_on_disk(index: WordIndex) -> None:
    index.change(entries(300), [], 300)
    in_memory = of(index, 300)
    index.absorb()

    assert index.unsaved == 0
    assert dict(of(index, 300)) == pytest.approx(dict(in_memory), abs=2e-4)
    assert len(in_memory) > 100


def test_a_term_asked_in_two_forms_counts_twice_in_memory_as_on_disk(index: WordIndex) -> None:
    index.change([Entry(1, "doc", "they run"), Entry(2, "doc", "we sit")], [], 2)
    [(_, once)] = index.search("run", 2).ranking
    [(_, twice)] = index.search("run running", 2).ranking
    index.absorb()
    [(_, on_disk)] = index.search("run", 2).ranking
    [(_, twice_on_disk)] = index.search("run running", 2).ranking

    assert twice == pytest.approx(2 * once)
    assert twice_on_disk == pytest.approx(2 * on_disk)


def test_a_plain_row_that_says_each_word_asked_once_scores_so(index: WordIndex) -> None:
    rows = ["see gray whales", *(f"see gold {word}" for word in VOCABULARY)]
    index.change([Entry(n, "doc", text) for n, text in enumerate(rows, 1)], [], len(rows))

    found = index.search("gray whales", 2)
    with_unknown = index.search("gray whales yodeling", 2)

    [(_, score)] = found.ranking
    assert score == pytest.approx(found.plain_score, rel=0.01)  # the index counts its own mark
    [(_, score)] = with_unknown.ranking
    assert score < 0.7 * with_unknown.plain_score
    assert index.search("yodeling", 2).ranking == []


def test_what_a_plain_row_scores_is_the_same_in_memory_as_on_disk(index: WordIndex) -> None:
    index.change(entries(300), [], 300)
    in_memory = index.search(QUESTION, 1).plain_score
    index.absorb()

    assert index.search(QUESTION, 1).plain_score == pytest.approx(in_memory, rel=0.01)


def test_a_deleted_row_is_not_found_wherever_it_is(index: WordIndex) -> None:
    index.change(entries(100), [], 100)
    index.absorb()
    index.change(entries(100, first=101), [], 200)
    best = [chunk for chunk, _ in of(index, 40)]

    index.change([], best, 201)
    left = [chunk for chunk, _ in of(index, 200)]
    index.absorb()

    assert not set(best) & set(left)
    assert {chunk for chunk, _ in of(index, 200)} == set(left)
    assert len(index) == 200 - len(best)


def test_k_are_found_though_all_better_ones_were_deleted(index: WordIndex) -> None:
    index.change(entries(400), [], 400)
    index.absorb()
    ranking = [chunk for chunk, _ in index.search(QUESTION, 400).ranking]

    index.change([], ranking[:-5], 401)

    assert [chunk for chunk, _ in index.search(QUESTION, 5).ranking] == ranking[-5:]


@pytest.mark.parametrize("are_few", [True, False])
@pytest.mark.parametrize("allowed", [[3], [3, 4, 5], list(range(1, 20))])
def test_a_filter_keeps_the_order_of_what_it_lets_through(
    index: WordIndex, are_few: bool, allowed: list[int]
) -> None:
    index.change(entries(300), [], 300)
    index.absorb()
    index.change(entries(60, first=301), [7, 27, 47], 361)
    chunks = np.array([n for n in range(1, 361) if n % 20 in allowed], dtype=np.int64)
    documents = tuple(f"doc_{n}" for n in allowed) if are_few else None

    found = of(index, 12, Within(chunks, documents))

    everything = of(index, 400)
    assert found == [each for each in everything if each[0] in chunks][:12]


def test_what_was_absorbed_is_there_at_the_next_start(tmp_path: Path) -> None:
    first = WordIndex(tmp_path / "words", "library/1")
    first.change(entries(50), [], 50)
    first.absorb()
    first.change(entries(50, first=51), [3], 101)  # never told to disk: a crash

    second = WordIndex(tmp_path / "words", "library/1")

    assert (second.was_sound, second.seq, len(second)) == (True, 50, 50)
    second.close()
    first.close()


def test_a_row_that_moves_to_disk_during_a_search_is_found(
    index: WordIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.change(entries(50), [], 50)
    everything = {chunk for chunk, _ in of(index)}
    look_in_memory = index._search_delta

    def meanwhile(*asked: Any) -> dict[int, float]:
        index.absorb()
        found = look_in_memory(*asked)
        index.change(entries(50, first=51), [], 101)
        index.absorb()
        return found

    monkeypatch.setattr(index, "_search_delta", meanwhile)

    assert everything <= {chunk for chunk, _ in of(index, 200)}


@pytest.mark.parametrize("before", [True, False])
def test_a_row_deleted_while_it_moves_to_disk_stays_deleted(
    index: WordIndex, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    index.change(entries(50), [], 50)
    best = next(chunk for chunk, _ in of(index))
    write = index._disk.write

    def meanwhile(*what: Any) -> None:
        if before:
            index.change([], [best], 51)
        write(*what)
        if not before:
            index.change([], [best], 51)

    monkeypatch.setattr(index._disk, "write", meanwhile)
    index.absorb()
    monkeypatch.undo()

    assert best not in dict(of(index))
    index.absorb()
    assert best not in dict(of(index))
    assert len(index) == 49


def test_an_index_that_never_held_anything_is_no_loss(tmp_path: Path) -> None:
    WordIndex(tmp_path / "words", "library/1").close()

    again = WordIndex(tmp_path / "words", "library/1")

    assert not again.was_lost
    again.close()


def test_files_that_changed_places_are_noticed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        index = WordIndex(tmp_path / name, "library/1")
        index.change(entries(80, first=1 if name == "one" else 1001), [], 80)
        index.close()
    [mine] = (tmp_path / "one").glob("*.idx")
    [other] = (tmp_path / "two").glob("*.idx")
    mine.write_bytes(other.read_bytes())

    again = WordIndex(tmp_path / "one", "library/1")

    assert (again.was_sound, again.was_lost, len(again)) == (False, True, 0)
    again.close()


def test_every_flipped_bit_of_a_sealed_index_is_noticed(tmp_path: Path) -> None:
    index = WordIndex(tmp_path / "words", "library/1")
    index.change(entries(40), [], 40)
    index.close()
    copy = shutil.copytree(tmp_path / "words", tmp_path / "copy")  # the index maps its own
    files = sorted(path for path in copy.iterdir() if path.stat().st_size)
    segments = [path for path in files if path.suffix and path.name[0] != "."]
    choose = random.Random(5)
    noticed = tried = 0
    for path in segments:
        whole = path.read_bytes()
        for _ in range(20):
            damaged = bytearray(whole)
            damaged[choose.randrange(len(whole))] ^= 1 << choose.randrange(8)
            path.write_bytes(damaged)
            tried += 1
            noticed += not undamaged(copy)
        path.write_bytes(whole)

    assert (noticed, tried) == (tried, 20 * len(segments))
    assert undamaged(copy)
