"""What a question finds: forms of a word in each language, parts of compounds, words begun, and
quotations; in memory as on disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.storage.lexical.rows import Entry
from rag.storage.lexical.words import WordIndex

TEXTS = {
    1: "The well-known captain was waiting for his ships in the harbor",
    2: "Der Kapitän hat die Dampfschiffe im Hafen nicht mehr gesehen und das war es",
    3: "Les capitaines attendaient leurs navires dans le port et ils sont partis",
    4: "Er hat den Dampf und das Schiff gesehen, aber nicht die Fahrt",
    5: "The harbor was known well, and captain Mueller would not have run there",
    6: "東京大学の犬は白い",
    7: "get_user_name() is called by v1.2.3 of the tool",
}


@pytest.fixture(params=["memory", "disk", "both"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WordIndex]:
    index = WordIndex(tmp_path / "words", "library/1")
    rows = [Entry(chunk, f"doc_{chunk}", text) for chunk, text in TEXTS.items()]
    index.change(rows[:4], [], 4)
    if request.param == "both":
        index.absorb()
    index.change(rows[4:], [], 7)
    if request.param == "disk":
        index.absorb()
    yield index
    index.close()


def found(index: WordIndex, question: str) -> list[int]:
    return [chunk for chunk, _ in index.search(question, 10).ranking]


@pytest.mark.parametrize(
    ("question", "chunks"),
    [
        # each language's forms
        ("ship", [1]),
        ("navire", [3]),
        ("Dampfschiff", [2, 4]),  # whole before parts
        ("Müller", [5]),
        # spelled otherwise
        ("wellknown captain", [1, 5]),
        ("getUserName", [7]),
        ("1.2.3", [7]),
        ("犬", [6]),
        ("大学", [6]),
        # begun
        ("nav*", [3]),
        ("capt*", [1, 5]),
        ("of it that was zz*", []),
    ],
)
def test_a_question_finds(index: WordIndex, question: str, chunks: list[int]) -> None:
    ranking = found(index, question)

    assert sorted(ranking) == sorted(chunks)
    assert ranking[:1] == chunks[:1] or question.endswith("*")


@pytest.mark.parametrize(
    ("quotation", "chunks"),
    [
        ("the well known captain", [1]),
        ("well-known captain", [1]),
        ("known well", [5]),
        ("harbors", [1, 5]),  # in any of its forms
        ("wellknown", [1]),
        ("captain mue*", [5]),
        ("capt*", [1, 5]),
        ("leurs navires dans le port", [3]),
        ("京大学", [6]),
        ("user name", [7]),
        ("captain harbor", []),
        ("...", []),
    ],
)
def test_a_quotation_is_held(index: WordIndex, quotation: str, chunks: list[int]) -> None:
    assert index.holding(quotation).tolist() == chunks


def test_a_deleted_row_holds_nothing(index: WordIndex) -> None:
    index.change([], [1], 8)

    assert index.holding("harbor").tolist() == [5]
    index.absorb()
    assert index.holding("harbor").tolist() == [5]


def test_the_languages_of_its_rows_are_known(index: WordIndex) -> None:
    assert index.languages() == {"de": 2, "en": 3, "fr": 1, "ja": 1}
