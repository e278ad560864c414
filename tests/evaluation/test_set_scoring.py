"""Hits are judged by documents, by pages, and by the passages that hold the evidence."""

from math import log2

import pytest

from rag.domain import ChunkId, DocumentId, Elsewhere, Hit
from rag.evaluation.scoring import has_evidence_page, judged, ranking, relevant_units
from rag.evaluation.sets import Place, Question


def hit(key: str, start: int = 0, end: int = 100, pages: tuple[int, ...] = ()) -> Hit:
    chunk = ChunkId(f"{key}:{start}")
    return Hit(chunk, DocumentId(key), key, key, 1.0, "", start, end, pages)


def test_chunks_of_one_document_have_its_best_rank() -> None:
    ranked = ranking([hit("b"), hit("a", 0), hit("a", 100), hit("c")], {"c": 1.0}, "document")

    assert ranked == ["b", "a", "c"]


def test_a_document_folded_under_its_copy_is_found_there() -> None:
    copy = Hit(
        ChunkId("x"), DocumentId("x"), "x", "x", 1.0, "", 0, 9,
        also=(Elsewhere(DocumentId("a"), "a"),),
    )  # fmt: skip

    assert ranking([copy], {"a": 1.0}, "document") == ["a"]


def test_pages_are_units_and_other_hits_keep_their_places() -> None:
    question = Question("1", "?", evidence=(Place("a", page=3), Place("a", page=9)))
    relevant = relevant_units(question, "page")
    hits = [hit("b", pages=(3,)), hit("a", pages=(2, 3)), hit("a", 100, 200, pages=(9,))]

    found = judged(ranking(hits, relevant, "page"), relevant)
    assert found.ranks == {"a, page 3": 2, "a, page 9": 3}
    assert found.scores["ndcg@10"] == pytest.approx(
        (1 / log2(3) + 1 / log2(4)) / (1 / log2(2) + 1 / log2(3))
    )


def test_a_passage_is_found_by_the_chunk_that_holds_the_larger_half_of_the_quotation() -> None:
    spans = {"passage 1": [("a", 80, 120)]}
    relevant = {"passage 1": 1.0}

    assert ranking([hit("a", 0, 90)], relevant, "passage", spans) == ["a:0"]
    assert ranking([hit("a", 90, 300)], relevant, "passage", spans) == ["passage 1"]


def test_a_page_of_evidence_counts_among_the_first_five() -> None:
    question = Question("1", "?", evidence=(Place("a", page=7),))
    others = [hit("a", n, n + 1, pages=(1,)) for n in range(5)]

    assert has_evidence_page([*others[:4], hit("a", 50, 60, pages=(7,))], question) == 1
    assert has_evidence_page([*others, hit("a", 50, 60, pages=(7,))], question) == 0


def test_what_is_not_found_has_no_rank() -> None:
    found = judged(["x"], {"a": 1.0})

    assert found.ranks == {"a": None}
    assert found.scores["recall@100"] == 0
