"""The command line, with the real engines, on the documents in the box."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.shells import TREE, Shell

SAMPLES = TREE / "rag" / "samples"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """On a library that holds the samples."""
    shell = Shell(tmp_path_factory.mktemp("shell"))
    done = shell.process("ingest", SAMPLES, "--report", shell.folder / "report.jsonl")
    assert done.code == 0, done.err
    return shell


def report(shell: Shell, name: str = "report.jsonl") -> dict[str, dict[str, Any]]:
    lines = (shell.folder / name).read_text().splitlines()
    return {line["key"]: line for line in map(json.loads, lines)}


def test_every_sample_is_indexed_and_the_scan_was_ocred(shell: Shell) -> None:
    lines = report(shell)

    assert set(lines) == {path.name for path in SAMPLES.iterdir()}
    assert {line["state"] for line in lines.values()} == {"indexed"}
    assert lines["inspection-letter.pdf"]["pages_ocred"] == 1
    assert lines["handbook.pdf"]["pages"] == 2
    assert lines["handbook.pdf"]["pages_ocred"] == 0


def test_a_second_run_does_nothing_and_says_so(shell: Shell) -> None:
    done = shell.run("ingest", SAMPLES, "--json")

    assert done.code == 0
    assert json.loads(done.out)["unchanged"] == len(list(SAMPLES.iterdir()))
    assert "Nothing to do" in done.err


@pytest.mark.parametrize(
    ("question", "key", "said"),
    [
        ("When may the stove be lit again?", "inspection-letter.pdf", "licensed mason"),
        ("How long are power tools lent?", "handbook.pdf", "four days"),
        ("When was the tool library founded?", "history.txt", "1986"),
        ("Where are lithium batteries charged?", "handbook.pdf", "steel cabinet"),
    ],
)
def test_questions_are_answered_with_quotations_that_stand_in_their_source(
    shell: Shell, question: str, key: str, said: str
) -> None:
    answered = shell.json("ask", question)

    assert answered["outcome"] == "answered"
    assert said in " ".join(answered["text"].split())
    assert key in {citation["key"] for citation in answered["citations"]}
    for citation in answered["citations"]:
        assert citation["pages"] or citation["lines"]


def test_what_is_not_in_the_documents_is_refused_with_exit_code_0(shell: Shell) -> None:
    answered = shell.json("ask", "What is the boiling point of tungsten?")

    assert answered["outcome"] in ("insufficient", "no_evidence")
    assert answered["citations"] == []


def test_search_gives_hits_with_their_places(shell: Shell) -> None:
    found = shell.json("search", "opening hours on Saturday", "-k", "3")

    first = found["data"][0]
    assert first["key"] == "visit-us.html"
    assert first["found_by"] == ["dense", "words"]
    assert first["lines"]


def test_many_questions_at_once_are_a_line_each_with_their_ids(shell: Shell) -> None:
    file = shell.folder / "questions.jsonl"
    file.write_text('{"id": "a", "text": "flood"}\n{"_id": 7, "text": "band saw", "extra": 1}\n')

    found = shell.run("search", "--queries", file, "--json")
    answered = shell.run("ask", "--questions", file, "--json")

    for done in (found, answered):
        assert done.code == 0, done.err
        lines = [json.loads(line) for line in done.out.splitlines()]
        assert [line["question_id"] for line in lines] == ["a", "7"]


def test_people_see_the_quotation_and_its_page(shell: Shell) -> None:
    done = shell.process("ask", "When may the stove be lit again?")

    assert "[1] inspection-letter.pdf, page 1" in done.out
    assert "answered by: extractive" in done.out


def test_one_bad_file_leaves_exit_code_1_and_its_reason(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text("# Gulls\n\nGulls nest on the roof in April.\n")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nnot really")

    done = shell.run("ingest", tmp_path, "-C", "birds", "--report", shell.folder / "birds.jsonl")

    lines = report(shell, "birds.jsonl")
    assert done.code == 1
    assert lines["good.md"]["state"] == "indexed"
    assert (lines["empty.txt"]["state"], lines["empty.txt"]["code"]) == (
        "refused",
        "empty_document",
    )
    assert lines["broken.pdf"]["state"] == "refused"
    assert "empty.txt: refused" in done.err
    assert shell.json("search", "gulls", "-C", "birds")["data"][0]["key"] == "good.md"


def test_a_list_of_files_may_come_on_standard_input(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "note.md"
    file.write_text("The harbor master keeps the spare key.\n")

    done = shell.run("ingest", "-", "-C", "listed", stdin=f"{file}\n")

    assert done.code == 0
    assert shell.json("search", "spare key", "-C", "listed")["data"][0]["key"] == "note.md"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ingest", "no-such-folder"), "no such file or folder: no-such-folder"),
        (("search", "x", "-C", "nowhere"), "no such collection; there are: "),
        (("search",), "give either one question or a file of them"),
        (("ask", "x", "-C", "nowhere"), "no such collection; there are: "),
    ],
)
def test_what_cannot_run_ends_with_exit_code_2_and_one_clear_line(
    shell: Shell, words: Sequence[str], said: str
) -> None:
    done = shell.run(*words)

    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_folder_without_a_file_ends_with_exit_code_2(shell: Shell, tmp_path: Path) -> None:
    done = shell.run("ingest", tmp_path)

    assert done.code == 2
    assert "there is no file to read" in done.err


def test_a_misspelt_setting_ends_with_exit_code_2(shell: Shell) -> None:
    done = shell.process("search", "x", RAG_PROT="1")

    assert done.code == 2
    assert "did you mean RAG_PORT?" in done.err


def test_the_doctor_finds_all_well(shell: Shell) -> None:
    checks = {check["name"]: check for check in shell.json("doctor")}

    assert all(check["ok"] for check in checks.values()), checks
    assert "all-MiniLM-L6-v2" in checks["model"]["detail"]


def test_help_comes_quickly_and_names_every_command(shell: Shell) -> None:
    done = shell.process("--help")

    for name in ("serve", "ingest", "search", "ask", "migrate", "doctor"):
        assert name in done.out


def test_the_bulk_script_is_another_door_to_the_same_room(shell: Shell) -> None:
    done = shell.python(TREE / "scripts" / "bulk_ingest.py", SAMPLES, "--json")

    assert done.code == 0, done.err
    assert json.loads(done.out)["unchanged"] == len(list(SAMPLES.iterdir()))
