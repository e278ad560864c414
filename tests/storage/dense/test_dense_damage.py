"""Files that are missing, cut, altered, swapped or another's are noticed before they are used."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from dense_truth import OWNER, D, Put, Rows, ids_from, numbers

from rag.storage.dense.damage import SegmentDamaged
from rag.storage.dense.index import DenseIndex
from rag.storage.dense.manifest import contents_sum
from rag.storage.dense.segment import ROWS, Segment, open_segment
from rag.storage.dense.writing import Span, Stopped, remove_unpublished, write_segment

FLIPS = 1_000


def use(folder: Path, segment: Segment) -> None:
    """Opens it again and searches it, as a start does."""
    opened = open_segment(folder, segment.published, owner=OWNER, dimension=D)
    DenseIndex(D, [opened]).search(np.ones(D, np.float32), 10)


def files_of(folder: Path, segment: Segment) -> list[Path]:
    return sorted((folder / segment.name).iterdir())


def test_a_whole_segment_is_believed(rows: Rows, put: Put, tmp_path: Path) -> None:
    segment = put(ids_from(0, 700), rows(700), deleted=[5])

    use(tmp_path, segment)
    segment.check()


def test_every_flipped_bit_is_noticed(rows: Rows, put: Put, tmp_path: Path) -> None:
    segment, random = put(ids_from(0, 700), rows(700), deleted=[5]), np.random.default_rng(0)
    files = files_of(tmp_path, segment)
    for _ in range(FLIPS):
        path = files[random.integers(len(files))]
        whole = path.read_bytes()
        bit = int(random.integers(len(whole) * 8))
        path.write_bytes(
            whole[: bit // 8] + bytes([whole[bit // 8] ^ 1 << bit % 8]) + whole[bit // 8 + 1 :]
        )
        with pytest.raises(SegmentDamaged):
            use(tmp_path, segment)
        path.write_bytes(whole)

    use(tmp_path, segment)


def test_every_cut_is_noticed(rows: Rows, put: Put, tmp_path: Path) -> None:
    segment, random = put(ids_from(0, 700), rows(700), deleted=[5]), np.random.default_rng(0)
    for path in files_of(tmp_path, segment):
        whole = path.read_bytes()
        for size in {0, len(whole) - 1, *random.integers(len(whole), size=40).tolist()}:
            path.write_bytes(whole[:size])
            with pytest.raises(SegmentDamaged):
                use(tmp_path, segment)
            path.write_bytes(whole + b"\0")
            with pytest.raises(SegmentDamaged):
                use(tmp_path, segment)
        path.write_bytes(whole)


def test_every_missing_file_is_noticed(rows: Rows, put: Put, tmp_path: Path) -> None:
    segment = put(ids_from(0, 70), rows(70))
    for path in files_of(tmp_path, segment):
        away = path.rename(tmp_path / "away")
        with pytest.raises(SegmentDamaged):
            use(tmp_path, segment)
        away.rename(path)
    shutil.rmtree(tmp_path / segment.name)

    with pytest.raises(SegmentDamaged):
        use(tmp_path, segment)


def test_every_file_of_another_segment_is_noticed(rows: Rows, put: Put, tmp_path: Path) -> None:
    segment = put(ids_from(0, 70), rows(70), deleted=[1])
    other = put(ids_from(100, 70), rows(70), deleted=[2])
    for mine, foreign in zip(files_of(tmp_path, segment), files_of(tmp_path, other), strict=True):
        whole = mine.read_bytes()
        shutil.copy(foreign, mine)
        with pytest.raises(SegmentDamaged):
            use(tmp_path, segment)
        mine.write_bytes(whole)


def test_a_segment_of_another_owner_or_width_is_refused(
    rows: Rows, put: Put, tmp_path: Path
) -> None:
    published = put(ids_from(0, 70), rows(70)).published

    with pytest.raises(SegmentDamaged, match="belongs to library/1/model"):
        open_segment(tmp_path, published, owner="library/2/model", dimension=D)
    with pytest.raises(SegmentDamaged):
        open_segment(tmp_path, published, owner=OWNER, dimension=D * 2)


@pytest.mark.parametrize("size", [0, 1_000])
def test_a_file_cut_while_it_is_open_is_an_error_and_not_a_crash(
    rows: Rows, put: Put, tmp_path: Path, size: int
) -> None:
    segment = put(ids_from(0, 700), rows(700))
    with (tmp_path / segment.name / ROWS).open("r+b") as file:
        file.truncate(size)

    with pytest.raises(SegmentDamaged):
        DenseIndex(D, [segment]).search(np.ones(D, np.float32), 10)


def test_damage_is_not_copied_into_a_new_segment(rows: Rows, put: Put, tmp_path: Path) -> None:
    index = DenseIndex(D, [put(ids_from(0, 700), rows(700))])
    index.change(ids_from(700, 700), rows(700), [], 2)
    work = index.due(at_least=1)
    path = tmp_path / index.segments[0].name / ROWS
    with path.open("r+b") as file:
        file.seek(40_000)
        file.write(b"\x55")

    assert work is not None
    with pytest.raises(SegmentDamaged):
        write_segment(tmp_path, work.rows(), Span(OWNER, D, work.first, work.last))
    assert [path.name for path in tmp_path.iterdir()] == [index.segments[0].name]


def test_a_scrub_finds_damage_that_came_after_the_first_use(
    rows: Rows, put: Put, tmp_path: Path
) -> None:
    segment = put(ids_from(0, 700), rows(700))
    segment.rows.check()
    with (tmp_path / segment.name / ROWS).open("r+b") as file:
        file.seek(1_000)
        file.write(b"\x55\x55")

    with pytest.raises(SegmentDamaged, match=r"rows\.f16 was altered"):
        segment.check()


def test_a_writer_that_is_stopped_leaves_nothing(rows: Rows, tmp_path: Path) -> None:
    asked = iter([False, True])
    blocks = [(ids_from(0, 10), rows(10)), (ids_from(10, 10), rows(10))]

    with pytest.raises(Stopped):
        write_segment(tmp_path, blocks, Span(OWNER, D, 1, 1), should_stop=lambda: next(asked))
    assert not list(tmp_path.iterdir())


def test_what_nobody_published_is_removed(rows: Rows, put: Put, tmp_path: Path) -> None:
    kept, other = put(ids_from(0, 70), rows(70)), put(ids_from(0, 70), rows(70))
    (tmp_path / ".segment.1.aside").mkdir()
    remove_unpublished(tmp_path, {kept.name})

    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
    assert numbers(DenseIndex(D, [other]).search(np.ones(D, np.float32), 1))  # still being read


def test_the_sum_of_contents_does_not_depend_on_order(rows: Rows, put: Put) -> None:
    ids, vectors = ids_from(0, 70), rows(70)
    order = np.random.default_rng(0).permutation(70)
    halves = [(ids[order][:30], vectors[order][:30]), (ids[order][30:], vectors[order][30:])]

    assert put(ids, vectors).manifest.contents == contents_sum(halves)
    assert contents_sum(halves) != contents_sum(halves[:1])
    assert contents_sum(halves) != contents_sum([(ids, vectors[order])])
