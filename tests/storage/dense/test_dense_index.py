"""The dense index answers like an exact search over what is live, whatever happened to it."""

import threading
from pathlib import Path

import faiss
import numpy as np
import pytest
from dense_truth import OWNER, D, Put, Rows, ids_from, nearest, numbers

from rag.storage.dense.allowed import Allowed
from rag.storage.dense.compaction import first_to_merge
from rag.storage.dense.damage import SegmentDamaged
from rag.storage.dense.index import DenseIndex
from rag.storage.dense.scanning import exact_search
from rag.storage.dense.segment import Segment, open_segment
from rag.storage.dense.writing import Span, remove_unpublished, write_segment


def written(index: DenseIndex, folder: Path, *, at_least: int = 1) -> Segment | None:
    """What a caller does about what is due, but for the publishing."""
    work = index.due(at_least=at_least)
    if work is None:
        return None
    span = Span(OWNER, D, work.first, work.last, work.deleted)
    segment = open_segment(
        folder, write_segment(folder, work.rows(), span), owner=OWNER, dimension=D
    )
    index.swap(work, segment)
    return segment


def test_new_rows_answer_at_once_and_exactly(rows: Rows) -> None:
    index, ids, vectors = DenseIndex(D), ids_from(5, 300), rows(300)
    index.change(ids[:100], vectors[:100], [], 1)
    index.change(ids[100:], vectors[100:], [], 2)

    for query in rows(20):
        assert numbers(index.search(query, 10)) == nearest(ids, vectors, query, 10)
    assert (len(index), index.seq) == (300, 2)


def test_a_cosine_is_the_inner_product(rows: Rows) -> None:
    index, vectors = DenseIndex(D), rows(3)
    index.change(ids_from(1, 3), vectors, [], 1)

    assert index.search(vectors[1], 1) == [(2, pytest.approx(1.0, abs=1e-3))]
    assert index.cosines(vectors[0], [3, 99]) == {
        3: pytest.approx(float(vectors[0] @ vectors[2]), abs=1e-3)
    }


def test_of_equals_those_with_the_smaller_numbers_come_first(rows: Rows, put: Put) -> None:
    same, random = np.repeat(rows(1), 300, axis=0), np.random.default_rng(5)
    ids = random.permutation(300).astype(np.int64)
    first = put(ids[:90], same[:90])
    second = put(ids[90:180], same[90:180], first=2, last=2)
    index = DenseIndex(D, [first, second])
    index.change(ids[180:], same[180:], [], 3)

    for k in (1, 7, 150, 300, 400):
        assert numbers(index.search(same[0], k)) == list(range(min(k, 300)))
    assert numbers(index.search(same[0], 5, Allowed(ids_from(40, 200)))) == [40, 41, 42, 43, 44]


def test_a_row_has_one_cosine_however_it_is_found(rows: Rows, put: Put) -> None:
    ids, vectors = ids_from(0, 900), rows(900)
    index = DenseIndex(D, [put(ids[:500], vectors[:500])])
    index.change(ids[500:], vectors[500:], [], 2)
    query = rows(1)[0]
    found = dict(index.search(query, 900))

    assert index.cosines(query, ids) == found
    assert dict(index.search(query, 900, Allowed(ids[::3]))) == {
        id: found[id] for id in found if id % 3 == 0
    }
    assert dict(exact_search([(ids, vectors)], query, 900)) == found


def test_a_deleted_row_is_found_no_more(rows: Rows) -> None:
    index, vectors = DenseIndex(D), rows(50)
    index.change(ids_from(0, 50), vectors, [], 1)
    index.change(ids_from(0, 0), rows(0), [7, 8, 999], 2)

    assert 7 not in numbers(index.search(vectors[7], 50))
    assert index.cosines(vectors[7], [7, 8, 9]).keys() == {9}
    assert len(index) == 48


def test_a_row_put_twice_is_there_once(rows: Rows) -> None:
    index, vectors = DenseIndex(D), rows(10)
    index.change(ids_from(0, 10), vectors, [], 1)
    index.change(ids_from(5, 5), vectors[5:], [], 2)

    assert sorted(numbers(index.search(vectors[0], 20))) == list(range(10))


def test_more_than_there_is_gives_all_there_is(rows: Rows) -> None:
    index = DenseIndex(D)

    assert index.search(rows(1)[0], 10) == []

    index.change(ids_from(0, 4), rows(4), [], 1)

    assert len(index.search(rows(1)[0], 10)) == 4
    assert index.search(rows(1)[0], 0) == []


@pytest.mark.parametrize("share", [0.001, 0.01, 0.5, 1.0])
def test_a_filter_gives_the_nearest_of_what_it_allows(rows: Rows, put: Put, share: float) -> None:
    ids, vectors = ids_from(10, 2_000), rows(2_000)
    index = DenseIndex(D, [put(ids[:1_500], vectors[:1_500])])
    index.change(ids[1_500:], vectors[1_500:], [], 2)
    chosen = np.random.default_rng(1).choice(2_000, max(3, int(share * 2_000)), replace=False)
    allowed = Allowed(np.concatenate([ids[chosen], [5, 9_999_999_999]]))

    for query in rows(10):
        found = index.search(query, 10, allowed)
        assert numbers(found) == nearest(ids[chosen], vectors[chosen], query, 10)


def test_a_filter_that_allows_nothing_finds_nothing(rows: Rows) -> None:
    index = DenseIndex(D)
    index.change(ids_from(0, 4), rows(4), [], 1)

    assert index.search(rows(1)[0], 10, Allowed(np.array([], np.int64))) == []


def test_a_filter_does_not_bring_back_what_was_deleted_after_it_was_prepared(rows: Rows) -> None:
    index, vectors = DenseIndex(D), rows(20)
    index.change(ids_from(0, 20), vectors, [], 1)
    allowed = Allowed(ids_from(0, 10))
    index.search(vectors[3], 3, allowed)
    index.change(ids_from(0, 0), rows(0), [3], 2)

    assert sorted(numbers(index.search(vectors[3], 20, allowed))) == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_numbers_may_come_in_any_order(rows: Rows, put: Put) -> None:
    vectors = rows(200)
    ids = np.random.default_rng(3).permutation(1_000)[:200].astype(np.int64)
    index = DenseIndex(D, [put(ids, vectors)])

    for place in (0, 50, 199):
        assert numbers(index.search(vectors[place], 1)) == [ids[place]]
        assert index.cosines(vectors[place], [ids[place]]).keys() == {ids[place]}


def test_what_was_written_answers_after_a_start(rows: Rows, tmp_path: Path) -> None:
    index, ids, vectors = DenseIndex(D), ids_from(0, 400), rows(400)
    for seq, start in enumerate(range(0, 400, 100), start=1):
        chosen = slice(start, start + 100)
        index.change(ids[chosen], vectors[chosen], [start - 1] if start else [], seq)
        written(index, tmp_path)
    live = np.setdiff1d(ids, [99, 199, 299])

    again = DenseIndex(
        D,
        [
            open_segment(tmp_path, segment.published, owner=OWNER, dimension=D)
            for segment in index.segments
        ],
    )

    assert (again.seq, len(again)) == (4, len(live))
    for query in rows(20):
        expected = nearest(live, vectors[live], query, 10)
        assert numbers(again.search(query, 10)) == expected
        assert numbers(index.search(query, 10)) == expected


def test_segments_are_few_and_each_row_is_written_few_times(rows: Rows, tmp_path: Path) -> None:
    index, copied = DenseIndex(D), 0
    for seq in range(1, 65):
        index.change(ids_from(seq * 10, 10), rows(10), [], seq)
        segment = written(index, tmp_path, at_least=10)
        assert segment is not None
        copied += segment.manifest.rows
        remove_unpublished(tmp_path, {segment.name for segment in index.segments})

    sizes = [len(segment) for segment in index.segments]

    assert all(size > sum(sizes[place + 1 :]) for place, size in enumerate(sizes))
    assert copied <= 640 * 7  # log2 of 64 flushes, and the first


@pytest.mark.parametrize(
    ("sizes", "start"),
    [
        ([20], 0),
        ([41, 20], 1),
        ([20, 20], 0),
        ([80, 40, 20, 20], 0),
        ([100, 40, 20, 20], 1),
        ([100, 10, 5, 120], 0),
        ([0, 7], 0),  # an empty segment goes at the first opportunity
    ],
)
def test_a_segment_is_merged_when_newer_ones_hold_as_much(sizes: list[int], start: int) -> None:
    assert first_to_merge(sizes) == start


def test_what_changes_while_a_segment_is_written_is_not_lost(rows: Rows, tmp_path: Path) -> None:
    index, vectors = DenseIndex(D), rows(100)
    index.change(ids_from(0, 60), vectors[:60], [], 1)
    work = index.due(at_least=1)
    assert work is not None
    published = write_segment(tmp_path, work.rows(), Span(OWNER, D, work.first, work.last))
    index.change(ids_from(60, 40), vectors[60:], [3, 4], 2)  # joins the block that is being written
    index.change(ids_from(0, 0), rows(0), [70], 3)
    index.swap(work, open_segment(tmp_path, published, owner=OWNER, dimension=D))

    live = [id for id in range(100) if id not in (3, 4, 70)]

    assert sorted(numbers(index.search(vectors[0], 200))) == live
    assert written(index, tmp_path) is not None
    again = DenseIndex(
        D,
        [
            open_segment(tmp_path, segment.published, owner=OWNER, dimension=D)
            for segment in index.segments
        ],
    )
    assert sorted(numbers(again.search(vectors[0], 200))) == live
    assert again.seq == 3


def test_a_segment_of_which_a_quarter_is_dead_is_written_again(rows: Rows, tmp_path: Path) -> None:
    index, vectors = DenseIndex(D), rows(100)
    index.change(ids_from(0, 100), vectors, [], 1)
    written(index, tmp_path)
    index.change(ids_from(0, 0), rows(0), range(30), 2)
    segment = written(index, tmp_path, at_least=1_000)

    assert segment is not None
    assert (segment.manifest.rows, segment.manifest.last, index.seq) == (70, 1, 2)
    assert sorted(numbers(index.search(vectors[0], 200))) == list(range(30, 100))


def test_a_segment_written_from_what_is_gone_is_refused(rows: Rows, tmp_path: Path) -> None:
    index = DenseIndex(D)
    index.change(ids_from(0, 10), rows(10), [], 1)
    index_due = index.due(at_least=1)
    assert index_due is not None
    segment = written(index, tmp_path)
    assert segment is not None

    with pytest.raises(ValueError, match="not in the index any more"):
        index.swap(index_due, segment)


def test_a_gap_between_segments_is_damage(rows: Rows, put: Put) -> None:
    first, third = put(ids_from(0, 5), rows(5), 1, 10), put(ids_from(9, 5), rows(5), 21, 30)

    with pytest.raises(SegmentDamaged, match="operations after 10 are missing"):
        DenseIndex(D, [first, third])


def test_rows_handed_in_are_searched_as_the_index_would(rows: Rows) -> None:
    index, ids, vectors = DenseIndex(D), ids_from(0, 500), rows(500)
    index.change(ids, vectors, [], 1)
    blocks = [(ids[i : i + 64], vectors[i : i + 64]) for i in range(0, 500, 64)]

    for query in rows(10):
        assert exact_search(blocks, query, 10) == index.search(query, 10)


def test_a_query_uses_one_thread_whichever_thread_asks(rows: Rows) -> None:
    index, seen = DenseIndex(D), []
    index.change(ids_from(0, 10), rows(10), [], 1)

    def ask() -> None:
        faiss.omp_set_num_threads(2)
        index.search(rows(1)[0], 1)
        seen.append(faiss.omp_get_max_threads())

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join()

    assert seen == [1]


def test_readers_go_on_while_segments_are_swapped(rows: Rows, tmp_path: Path) -> None:
    """A row that lives all the while is the nearest to itself in each of the answers."""
    index, lasting, wrong = DenseIndex(D), rows(50), []
    index.change(ids_from(0, 50), lasting, [], 1)
    done = threading.Event()

    def read() -> None:
        place = 0
        while not done.is_set():
            place = (place + 1) % 50
            found = numbers(index.search(lasting[place], 10))
            if found[0] != place or len(set(found)) != 10:
                wrong.append(found)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for seq in range(2, 30):
        index.change(ids_from(seq * 100, 30), rows(30), ids_from((seq - 1) * 100, 20), seq)
        written(index, tmp_path, at_least=60)
        remove_unpublished(tmp_path, {segment.name for segment in index.segments})
    done.set()
    for reader in readers:
        reader.join()

    assert not wrong
