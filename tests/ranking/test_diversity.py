"""What says the same twice is folded; what differs stays."""

from rag.domain import ChunkId, DocumentId, Hit
from rag.ranking.diversity import fold_duplicates


def hit(
    name: str, *, text: str = "", document: str = "report", start: int = 0, end: int = 9
) -> Hit:
    return Hit(
        chunk_id=ChunkId(name),
        document_id=DocumentId(document),
        key=document,
        title=document,
        score=1.0,
        text=text or f"text of {name}",
        start=start,
        end=end,
    )


def names(hits: list[Hit]) -> list[str]:
    return [hit.chunk_id for hit in hits]


def test_equal_texts_but_for_white_space_keep_the_best() -> None:
    hits = [
        hit("best", document="a", text="All rights reserved."),
        hit("other", document="b"),
        hit("copy", document="c", text="All  rights\nreserved. "),
    ]

    assert names(fold_duplicates(hits, 10)) == ["best", "other"]


def test_a_different_digit_is_a_different_text() -> None:
    hits = [
        hit("2019", document="a", text="Revenue was 12 million."),
        hit("2020", document="b", text="Revenue was 13 million."),
    ]

    assert names(fold_duplicates(hits, 10)) == ["2019", "2020"]


def test_spans_that_share_most_of_the_shorter_one_are_folded() -> None:
    hits = [hit("long", start=0, end=1000), hit("within", start=900, end=1050)]

    # 100 of the shorter one's 150 characters are shared
    assert names(fold_duplicates(hits, 10)) == ["long"]


def test_neighbors_that_overlap_by_a_sentence_both_stay() -> None:
    hits = [hit("first", start=0, end=1000), hit("next", start=870, end=1900)]

    assert names(fold_duplicates(hits, 10)) == ["first", "next"]


def test_the_same_offsets_in_two_documents_are_two_places() -> None:
    hits = [hit("a", document="a", end=500), hit("b", document="b", end=500)]

    assert names(fold_duplicates(hits, 10)) == ["a", "b"]


def test_a_hit_names_the_other_documents_that_say_the_same() -> None:
    hits = [
        hit("best", document="a", text="All rights reserved."),
        hit("again", document="a", start=500, text="All rights reserved."),
        hit("copy", document="b", text="All  rights\nreserved."),
        hit("other", document="c"),
        hit("late copy", document="d", text="All rights reserved."),
    ]

    [best] = fold_duplicates(hits, 1)
    assert [other.key for other in best.also] == ["b", "d"]
