"""A damaged derived file is noticed before it is used, and answers stay right; the long form is
`python -m scripts.chaos.damage`."""

from pathlib import Path

import numpy as np
import pytest

from rag.storage.dense.rows import CheckedRows
from rag.storage.dense.segment import Segment
from rag.storage.lexical import disk
from scripts.chaos.damage_files import GENERATIONS, damage_files
from scripts.chaos.damage_kinds import KINDS
from scripts.chaos.damage_library import damage_library

EACH = len(KINDS)  # damages to each kind of generation
LIBRARIES = 4
SEED = 7


def believed(generation: str) -> int:
    return sum(count.believed for count in damage_files(EACH, SEED, [generation]).values())


def test_no_damaged_byte_reaches_faiss_tantivy_or_a_scan() -> None:
    counts = damage_files(EACH, SEED)

    assert {generation for generation, _ in counts} == set(GENERATIONS)
    assert sum(count.tried for count in counts.values()) > 3 * EACH
    assert {what: count for what, count in counts.items() if count.believed} == {}


def test_files_that_are_not_compared_would_be_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Segment, "_bytes", lambda self, file: self._sized(file).read_bytes())

    assert believed("clusters") > 0


def test_rows_that_are_not_compared_would_be_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CheckedRows, "require", lambda self, positions: np.array(positions))

    assert believed("flat rows") > 0


def test_words_that_are_not_compared_would_be_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "undamaged", lambda folder: True)

    assert believed("words") > 0


def test_a_damaged_library_answers_rightly_says_so_and_mends_itself(tmp_path: Path) -> None:
    outcomes = list(damage_library(tmp_path, LIBRARIES, SEED))

    assert [each for each in outcomes if each.wrong] == []
    assert sum(each.noticed for each in outcomes) > LIBRARIES // 2
