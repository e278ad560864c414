"""A clustered segment finds what an exact search finds, but for 5 in 100, whatever is asked."""

from pathlib import Path

import numpy as np
import pytest
from dense_truth import OWNER, D, Rows, ids_from, nearest, numbers
from msgspec.structs import replace

from rag.domain import Vectors
from rag.storage.dense import searching
from rag.storage.dense.allowed import Allowed
from rag.storage.dense.clustering_process import Stopped, cluster
from rag.storage.dense.damage import SegmentDamaged
from rag.storage.dense.index import DenseIndex
from rag.storage.dense.manifest import Probing, Published
from rag.storage.dense.searching import probing_for
from rag.storage.dense.segment import CLUSTERS, Segment, open_segment
from rag.storage.dense.writing import Span, write_segment

N = 6_000
IDS = ids_from(100, N)
GROUPS = 40


def grouped(n: int, seed: int) -> Vectors:
    """Rows around a few directions, as texts are around topics."""
    random = np.random.default_rng(seed)
    centers = np.random.default_rng(0).standard_normal((GROUPS, D))
    vectors = centers[np.arange(n) % GROUPS] + 0.7 * random.standard_normal((n, D))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


VECTORS = grouped(N, 1)
QUESTIONS = grouped(80, 2)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Published]:
    folder = tmp_path_factory.mktemp("clustered")
    span = Span(OWNER, D, 1, 1)
    return folder, write_segment(folder, [(IDS, VECTORS)], span, clustered_from=1_000)


@pytest.fixture(autouse=True)
def exact_search_is_dear(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rows would be looked at one by one, and never searched by clusters."""
    monkeypatch.setattr(searching, "PER_FETCHED_ROW", 1e9)
    monkeypatch.setattr(searching, "PER_SCANNED_ROW", 1e9)


@pytest.fixture
def segment(saved: tuple[Path, Published]) -> Segment:
    folder, published = saved
    return open_segment(folder, published, owner=OWNER, dimension=D)


def recall(
    index: DenseIndex, kept: np.ndarray, k: int = 10, allowed: Allowed | None = None
) -> float:
    """Share of the true nearest among the kept places that the index finds."""
    found = 0
    for question in QUESTIONS:
        truth = nearest(IDS[kept], VECTORS[kept], question, k)
        found += len(set(truth) & set(numbers(index.search(question, k, allowed))))
    return found / (k * len(QUESTIONS))


def test_clusters_are_searched_and_find_the_nearest(segment: Segment) -> None:
    index = DenseIndex(D, [segment])
    [step] = index.explain(QUESTIONS[0], 10)[1]

    assert (segment.manifest.layout, step.way) == ("clustered", "clusters")
    assert recall(index, np.arange(N)) >= 0.95
    assert recall(index, np.arange(N), k=100) >= 0.95


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5])
@pytest.mark.parametrize("fetching", [0.0, 1e9], ids=["cheap", "dear"])
def test_a_filter_costs_no_recall_and_lets_nothing_else_through(
    segment: Segment, share: float, fetching: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "PER_FETCHED_ROW", fetching)
    index = DenseIndex(D, [segment])
    kept = np.sort(np.random.default_rng(4).choice(N, max(10, int(N * share)), replace=False))
    allowed = Allowed(IDS[kept])

    for question in QUESTIONS:
        found = numbers(index.search(question, 10, allowed))
        assert len(found) == min(10, len(kept))
        assert set(found) <= set(IDS[kept].tolist())
    assert recall(index, kept, min(10, len(kept)), allowed) >= 0.95


def test_a_filter_on_a_topic_far_from_the_question_costs_no_recall(segment: Segment) -> None:
    index = DenseIndex(D, [segment])
    kept = np.flatnonzero(np.arange(N) % GROUPS < GROUPS * 2 // 5)

    assert recall(index, kept, allowed=Allowed(IDS[kept])) >= 0.95


def test_k_are_found_when_all_the_nearest_were_deleted(segment: Segment) -> None:
    index, question = DenseIndex(D, [segment]), QUESTIONS[0]
    in_order = nearest(IDS, VECTORS, question, N)
    index.change(ids_from(0, 0), VECTORS[:0], in_order[:5_000], 2)
    found = numbers(index.search(question, 10))

    assert len(found) == 10
    assert not set(found) & set(in_order[:5_000])
    assert len(set(found) & set(in_order[5_000:5_010])) >= 9


def test_deleted_rows_cost_no_recall(segment: Segment) -> None:
    index = DenseIndex(D, [segment])
    gone = np.random.default_rng(5).choice(N, N // 5, replace=False)
    index.change(ids_from(0, 0), VECTORS[:0], IDS[gone], 2)

    assert recall(index, np.setdiff1d(np.arange(N), gone)) >= 0.95


def test_the_last_rows_are_found_however_few(segment: Segment) -> None:
    index = DenseIndex(D, [segment])
    index.change(ids_from(0, 0), VECTORS[:0], IDS[3:], 2)

    assert sorted(numbers(index.search(QUESTIONS[0], 10))) == IDS[:3].tolist()


def test_the_plan_says_what_it_does_and_why(segment: Segment) -> None:
    index = DenseIndex(D, [segment])
    [all_of_it] = index.explain(QUESTIONS[0], 10)[1]
    [none] = index.explain(QUESTIONS[0], 10, Allowed(ids_from(0, 5)))[1]
    [few] = index.explain(QUESTIONS[0], 10, Allowed(IDS[:20]))[1]
    [too_deep] = index.explain(QUESTIONS[0], N // 2)[1]

    assert (all_of_it.way, all_of_it.allowed) == ("clusters", N)
    assert (too_deep.way, too_deep.allowed) == ("scan", N)
    assert (none.way, none.allowed) == ("nothing", 0)
    assert (few.way, few.allowed) == ("fetch", 20)
    assert "not measured for 10 of 1 in 300 rows" in few.reason


def test_a_search_is_as_deep_as_one_that_was_measured() -> None:
    whole, deep = Probing(1.0, 8, 100, 0.97, nearest=10), Probing(1.0, 40, 300, 0.97, nearest=100)
    tenth = Probing(0.1, 32, 50, 0.97, nearest=10)
    measured = (whole, deep, tenth)

    assert probing_for(measured, 1.0, 10) == whole
    assert probing_for(measured, 0.1, 10) == tenth
    assert probing_for(measured, 1.0, 100) == deep
    assert probing_for(measured, 0.5, 10) == replace(tenth, candidates=5 * 50)
    assert probing_for(measured, 0.9, 100) is None
    assert probing_for(measured, 1.0, 101) is None
    assert probing_for(measured, 0.05, 10) is None


@pytest.mark.parametrize("k", [30, 100])
def test_more_than_ten_are_found_as_well(segment: Segment, k: int) -> None:
    index = DenseIndex(D, [segment])
    [step] = index.explain(QUESTIONS[0], k)[1]

    assert step.way == "clusters"
    assert recall(index, np.arange(N), k) >= 0.95


def test_rows_without_any_groups_keep_their_recall(rows: Rows, tmp_path: Path) -> None:
    """Where there are no clusters the measurement says so, and the search goes far or is exact."""
    vectors = rows(3_000)
    published = write_segment(
        tmp_path, [(ids_from(0, 3_000), vectors)], Span(OWNER, D, 1, 1), clustered_from=1_000
    )
    index = DenseIndex(D, [open_segment(tmp_path, published, owner=OWNER, dimension=D)])
    found = 0
    for question in rows(50):
        truth = nearest(ids_from(0, 3_000), vectors, question, 10)
        found += len(set(truth) & set(numbers(index.search(question, 10))))

    assert found >= 0.95 * 500


def test_damaged_clusters_never_reach_faiss(saved: tuple[Path, Published]) -> None:
    folder, published = saved
    path, random = folder / published.name / CLUSTERS, np.random.default_rng(0)
    whole = path.read_bytes()
    try:
        for _ in range(200):
            altered = bytearray(whole)
            altered[random.integers(len(whole))] ^= 1 << int(random.integers(8))
            path.write_bytes(altered)
            with pytest.raises(SegmentDamaged):
                open_segment(folder, published, owner=OWNER, dimension=D)
            path.write_bytes(whole[: random.integers(len(whole))])
            with pytest.raises(SegmentDamaged):
                open_segment(folder, published, owner=OWNER, dimension=D)
    finally:
        path.write_bytes(whole)


def test_making_clusters_can_be_stopped(tmp_path: Path) -> None:
    file = tmp_path / "rows"
    file.write_bytes(VECTORS.astype(np.float16).tobytes())

    with pytest.raises(Stopped):
        cluster(file, tmp_path / "clusters", D, lambda: True)
    assert not (tmp_path / "clusters").exists()
