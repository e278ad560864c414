"""Signs of a question are read where they are clear, and are text everywhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.questions.reading import MAX_EXCLUDED, MAX_PHRASES, Reading, literal, read


@pytest.mark.parametrize(
    ("question", "phrases"),
    [
        ('fees for a "lost key"', ("lost key",)),
        ('"lost key" and "broken lock"', ("lost key", "broken lock")),
        ("was heißt „höhere Gewalt“ hier", ("höhere Gewalt",)),
        ("que veut dire «force majeure»", ("force majeure",)),
        ("「東京都」の人口", ("東京都",)),
        ('the treaty ("Treaty of Rome")', ("Treaty of Rome",)),
        ('a 5" x 7" frame', ()),  # inches
        ('"never closed', ()),
        ('"" and " "', ()),
        ('{"key": 1}', ()),  # code
        ('the pages as a list, like ["p1", "p2", "p3"]', ()),
        ("the dog's and the cats' food", ()),
    ],
)
def test_quoted_words_are_a_phrase_where_the_quotation_is_one(
    question: str, phrases: tuple[str, ...]
) -> None:
    assert read(question).phrases == phrases


@pytest.mark.parametrize(
    ("question", "text", "excluded"),
    [
        ("budget -draft", "budget", ("draft",)),
        ("-draft budget", "budget", ("draft",)),
        ('budget -"first draft" 2020', "budget 2020", ("first draft",)),
        ('budget NOT "first draft"', "budget", ("first draft",)),
        ("jaguar -car -x-ray", "jaguar", ("car", "x-ray")),
        ("сады -розы", "сады", ("розы",)),
    ],
)
def test_what_is_excluded_is_not_asked_for(
    question: str, text: str, excluded: tuple[str, ...]
) -> None:
    reading = read(question)

    assert (reading.text, reading.excluded) == (text, excluded)


@pytest.mark.parametrize(
    "question",
    [
        "a well-known co-author",
        "melts at -40 degrees",
        "from -5 to +5",
        "the years 1914 - 1918",
        "git push --force",
        "rm -rf and ls -l",
        "What does tar -xzf do?",  # a sentence
        "-draft",  # nothing would be left
        "you must NOT enter",
        "a -- b",
        "e -> f",
    ],
)
def test_other_minus_signs_are_text(question: str) -> None:
    assert read(question) == literal(question)


def test_more_signs_than_are_taken_are_text() -> None:
    many = " ".join(f'"phrase {n}" -word{n}' for n in range(30))
    reading = read(f"first {many}")

    assert len(reading.phrases) == MAX_PHRASES
    assert len(reading.excluded) == MAX_EXCLUDED
    assert "-word29" in reading.text


def test_a_phrase_stays_in_what_is_asked() -> None:
    assert read('the "lost key"') == Reading('the "lost key"', 'the "lost key"', ("lost key",))


signs = st.text(alphabet="ab1 \n\"“”„«»「」-'NOT?!.,()Ωの", max_size=40)


@given(signs | st.text(max_size=60))
def test_every_question_can_be_read_and_leaves_something_to_ask(question: str) -> None:
    reading = read(question)

    if any(c.isalnum() for c in question):
        assert any(c.isalnum() for c in reading.text)
        assert any(c.isalnum() for c in reading.words)
    for said in (*reading.phrases, *reading.excluded):
        assert said in question
    if not reading.excluded:
        assert reading.text == question


@given(st.lists(st.from_regex(r"[a-z]{3,8}(-[a-z]{2,6})?", fullmatch=True), min_size=2, max_size=8))
def test_a_question_without_signs_is_left_alone(words: list[str]) -> None:
    question = " ".join(words)

    assert read(question).text == question
    assert read(question).excluded == ()
