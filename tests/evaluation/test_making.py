"""Questions are made of the documents' own words, and never hold their answers."""

import pytest

from rag.chunking.markdown import blocks
from rag.domain import Document, Version
from rag.evaluation.locating import evidence_spans, occurrences
from rag.evaluation.making import make

ROWS = ("rope", "anchor", "compass", "lantern", "rudder", "mast", "sail", "keel")


def document(number: int) -> Document:
    """With sentences no other has."""
    lines = [f"# Manual of the {ROWS[number]}\n"]
    for part, thing in enumerate(ROWS):
        lines.append(f"## Storing the {thing} beside the {ROWS[number]}\n")
        lines.append(
            f"Every {thing}keeper{number} wraps his {ROWS[number]}cloth{part} in"
            f" Brandt{number}{part} linen before winter{number}{part} storms arrive"
            f" loudly{part}{number}.\n"
        )
    text = "\n".join(lines)
    title = f"Manual of the {ROWS[number]}"
    return Document(f"{number}.md", Version("v"), "text/markdown", title, text, blocks(text))


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    return [document(number) for number in range(4)]


def test_the_same_seed_makes_the_same_questions_and_another_seed_others(
    documents: list[Document],
) -> None:
    one = make(documents, answerable=20, unanswerable=5, seed=1)

    assert make(documents, answerable=20, unanswerable=5, seed=1) == one
    assert make(documents, answerable=20, unanswerable=5, seed=2) != one


def test_the_order_in_which_documents_come_does_not_matter(documents: list[Document]) -> None:
    assert make(documents[::-1], answerable=9, unanswerable=3, seed=1) == make(
        documents, answerable=9, unanswerable=3, seed=1
    )


def test_every_quotation_stands_in_its_document(documents: list[Document]) -> None:
    texts = {each.key: each.text for each in documents}
    made = make(documents, answerable=40, unanswerable=0, seed=1)

    assert len(made) == 40
    for each in made:
        assert evidence_spans(each.question, texts)


def test_a_question_out_of_a_sentence_does_not_hold_its_answer(documents: list[Document]) -> None:
    asked = [
        each.question
        for each in make(documents, answerable=60, unanswerable=0, seed=1)
        if each.kind == "sentence"
    ]

    assert asked
    for question in asked:
        [answer] = question.answers
        assert answer in question.evidence[0].quote  # type: ignore[operator]  (made ones quote)
        assert answer.casefold() not in question.text.casefold()


def test_questions_are_spread_over_the_documents(documents: list[Document]) -> None:
    made = make(documents, answerable=8, unanswerable=0, seed=1)

    asked = [each.question.document for each in made]
    assert {asked.count(each.key) for each in documents} == {2}


def test_what_nothing_answers_mixes_words_that_no_block_holds_together(
    documents: list[Document],
) -> None:
    made = make(documents, answerable=5, unanswerable=10, seed=1)

    lost = [each.question for each in made if not each.question.answerable]
    assert len(lost) == 10
    for question in lost:
        words = set(question.text.casefold().split())
        for each in documents:
            for block in each.blocks:
                held = set(each.text[block.start : block.end].casefold().rstrip(".\n").split())
                assert not words <= held


def test_documents_without_distinct_sentences_give_no_question() -> None:
    text = "yes\n\nno\n"
    empty = Document("a", Version("v"), "text/plain", "a", text, blocks(text))

    assert make([empty], answerable=5, unanswerable=5, seed=1) == ()


def test_a_quotation_is_found_however_its_lines_were_broken() -> None:
    assert occurrences("the  spare\nkey", "Who has the spare\n  key? He has the spare key.") == [
        (8, 23),
        (32, 45),
    ]


def test_an_empty_quotation_is_nowhere() -> None:
    assert occurrences(" ", "anything") == []
