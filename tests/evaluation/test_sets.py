"""Judged sets as people keep them."""

import pytest

from rag.errors import InvalidRequest
from rag.evaluation.sets import (
    Place,
    joined,
    parse_corpus,
    parse_qrels,
    parse_queries,
    parse_questions,
)


def test_judgments_of_beir_and_of_trec_are_read_alike() -> None:
    beir = b"query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\n"
    trec = b"q1 0 d1 1\nq1 0 d2 0\n"

    assert parse_qrels("qrels.tsv", beir) == parse_qrels("qrels.txt", trec) == {"q1": {"d1": 1.0}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"q\td\tscore\nq1\td1\tgood\n", "qrels.tsv, line 2"),
        (b"q\td\tscore\nq1\n", "qrels.tsv, line 2"),
    ],
)
def test_a_line_that_is_no_judgment_is_named(content: bytes, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        parse_qrels("qrels.tsv", content)


def test_a_line_that_is_no_document_is_named() -> None:
    with pytest.raises(InvalidRequest, match=r"corpus\.jsonl, line 2"):
        parse_corpus("corpus.jsonl", b'{"_id": "a", "text": "x"}\n{"text": "y"}\n')


def test_two_documents_of_one_id_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="two documents have the id 'a'"):
        parse_corpus("corpus.jsonl", b'{"_id": "a", "text": "x"}\n{"_id": "a", "text": "y"}\n')


def test_evidence_is_a_page_a_quotation_or_a_sentence_of_the_document() -> None:
    page = b'{"_id": 1, "question": "?", "doc": "a.pdf", "evidence": [{"doc": "b.pdf", "page": 2}]}'
    sentence = b'{"_id": "2", "question": "?", "doc": "d", "evidence": ["It was so."]}'

    by_page, by_sentence = parse_questions("qa.jsonl", page + b"\n" + sentence)
    assert by_page.evidence == (Place("b.pdf", page=2),)
    assert by_sentence.evidence == (Place("d", quote="It was so."),)
    assert by_page.id == "1"


def test_only_judged_questions_are_scored() -> None:
    found = joined(
        parse_queries("queries.jsonl", b'{"_id": "1", "text": "a"}\n{"_id": "2", "text": "b"}\n'),
        {"1": {"d": 1.0}},
    )

    assert [each.id for each in found.scored] == ["1"]
    assert found.grain == "document"


def test_a_question_of_both_layouts_is_one_and_keeps_what_each_knows() -> None:
    asked = parse_questions("qa.jsonl", b'{"_id": "1", "question": "a", "answers": ["yes"]}\n')

    [one] = joined({"1": "a"}, {"1": {"d": 1.0}}, asked).questions
    assert one.relevant == {"d": 1.0}
    assert one.answers == ("yes",)


def test_pages_are_judged_where_evidence_names_them_and_unanswerable_ones_are_left_out() -> None:
    lines = (
        b'{"_id": "1", "question": "a", "doc": "x", "evidence": [{"doc": "x", "page": 3}]}\n'
        b'{"_id": "2", "question": "b", "doc": "x", "answerable": false,'
        b' "evidence": [{"doc": "x", "page": 3}]}\n'
    )

    found = joined({}, {}, parse_questions("qa.jsonl", lines))
    assert found.grain == "page"
    assert [each.id for each in found.scored] == ["1"]


def test_the_document_a_question_was_asked_on_is_relevant_where_nothing_else_is_known() -> None:
    found = joined({}, {}, parse_questions("qa.jsonl", b'{"_id": 1, "question": "a", "doc": "x"}'))

    assert found.scored[0].relevant == {"x": 1.0}


def test_a_set_in_which_nothing_is_judged_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no question of this set names what is relevant"):
        joined({"1": "a"}, {})
