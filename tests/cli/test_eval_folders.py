"""Folders with judged questions."""

import os
from pathlib import Path

import pytest

from rag.cli.evaluate.folders import drawn, found_files, library_name, read_folder, write_files
from rag.errors import InvalidRequest
from rag.evaluation.sets import Passage

SHARED = Path(__file__).parents[2] / ".." / "shared" / "eval"


def test_ids_that_are_no_file_names_come_back_from_their_files(tmp_path: Path) -> None:
    odd = ["a/b", "..", ".hidden", "é" * 120, "x" * 300, "x" * 299 + "y", "C:\\d", "plain"]
    ids = write_files([Passage(id, "text") for id in odd], tmp_path)

    found = found_files((tmp_path,))
    assert [ids[each.key] for each in found] == sorted(odd, key=lambda id: key_of(ids, id))
    assert len({each.path for each in found}) == len(odd)


def key_of(ids: dict[str, str], id: str) -> str:
    [key] = [key for key, value in ids.items() if value == id]
    return key


def test_a_title_becomes_the_heading(tmp_path: Path) -> None:
    write_files([Passage("a", "body", "Title")], tmp_path)

    assert (tmp_path / "a.md").read_text() == "# Title\n\nbody\n"


def test_a_library_is_known_by_what_its_files_hold_and_not_by_their_times(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("one")
    before = library_name(found_files((tmp_path,)))
    os.utime(file, (0, 0))
    touched = library_name(found_files((tmp_path,)))
    file.write_text("two")

    assert touched == before
    assert library_name(found_files((tmp_path,))) != before


def test_a_smaller_sample_is_part_of_a_larger_one(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d", "text": "x"}')
    rows = "\n".join(f'{{"_id": "{n}", "question": "q", "doc": "d"}}' for n in range(50))
    (tmp_path / "qa.jsonl").write_text(rows)
    ground = read_folder(tmp_path)

    few, more = (
        {each.id for each in drawn(ground, n).judged.questions} for n in (10, 20)
    )  # fmt: skip
    assert len(few) == 10
    assert few < more
    assert drawn(ground, 1_000) == ground


def test_a_manifest_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "set.json").write_text("[]")
    (tmp_path / "qa.jsonl").write_text("")

    with pytest.raises(InvalidRequest, match=r"set\.json"):
        read_folder(tmp_path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="other people's data sets are not here")
@pytest.mark.parametrize(
    ("folder", "grain", "questions", "scored"),
    [
        ("text/scifact", "document", 300, 300),
        ("text/xquad/de", "document", 1_190, 1_190),
        ("qa/clapnq", "document", 600, 300),
        ("docs/mmlongbench-subset", "page", 105, 80),
    ],
)
def test_sets_of_others_are_read_as_they_are(
    folder: str, grain: str, questions: int, scored: int
) -> None:
    judged = read_folder(SHARED / folder).judged

    assert judged.grain == grain
    assert len(judged.questions) == questions
    assert len(judged.scored) == scored


@pytest.mark.skipif(not SHARED.is_dir(), reason="other people's data sets are not here")
def test_questions_of_one_language_are_asked_of_another() -> None:
    xquad = SHARED / "text" / "xquad"
    crossed = read_folder(xquad / "en", xquad / "de" / "queries.jsonl")

    assert crossed.name == "en, asked by de"
    assert crossed.judged.scored[0].text.startswith("Wie viele Punkte")
    assert crossed.judged.passages[0].text.startswith("The Panthers")
