"""`rag search` beyond one question: files of them, misses, and what a chat model would cost."""

import json
from pathlib import Path

import pytest

from tests.cli.serving import Commands, written

TEXTS = {"fox_md": "The red fox hunts at night.\n", "owl_md": "The barn owl hunts mice.\n"}


@pytest.fixture
def animals(rag: Commands, collection: str, tmp_path: Path) -> str:
    """A collection of two documents."""
    rag.ingest(written(tmp_path / "animals", **TEXTS), "-C", collection)
    return collection


def test_a_file_of_questions_gives_a_line_each_in_order(
    rag: Commands, animals: str, tmp_path: Path
) -> None:
    file = tmp_path / "questions.jsonl"
    lines = [{"id": str(n), "text": ("fox", "owl", '"barn owl" hunts')[n % 3]} for n in range(40)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = rag("search", "--queries", file, "-C", animals, "-k", "1", "--json")

    told = [json.loads(line) for line in done.out.splitlines()]
    assert [each["question_id"] for each in told] == [str(n) for n in range(40)]
    first = [each["data"][0]["key"] for each in told[:3]]
    assert first == ["fox.md", "owl.md", "owl.md"]


def test_a_person_reads_why_a_document_was_missed(rag: Commands, animals: str) -> None:
    cut = rag("search", "who hunts mice", "-C", animals, "-k", "1", "--why", "fox.md")
    absent = rag("search", "who hunts mice", "-C", animals, "--why", "hare.md")

    assert "fox.md: cut: it ranks 2, and the first 1 are returned" in " ".join(cut.out.split())
    assert "would find it: k of 2 or more" in cut.out
    assert "hare.md: not indexed: nothing of this name" in " ".join(absent.out.split())


def test_a_phrase_that_nobody_wrote_is_told_aside(rag: Commands, animals: str) -> None:
    done = rag("search", 'the "arctic fox"', "-C", animals)

    assert "fox.md" in done.out
    assert "no passage holds" in done.said


def test_a_chat_model_that_is_not_there_is_missed_before_anything_is_paid(
    rag: Commands, animals: str
) -> None:
    done = rag("search", "fox", "-C", animals, "--rerank")

    assert done.code != 0
    assert "needs a chat model" in done.err


def test_why_wants_one_question(rag: Commands, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"text": "a"}\n')
    done = rag("search", "--queries", file, "--why", "a.md")

    assert "--why wants one question" in done.err
