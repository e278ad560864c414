"""A quotation's boxes are shares of the printed lines it stands on."""

import pytest

from rag.domain import Block, DocumentId, Evidence, Line, PageBoxes, Version
from rag.grounding.locating import lines_of, pages_of
from rag.grounding.passages import Part


def part(text: str, block: Block, start: int, end: int, first_line: int | None = None) -> Part:
    evidence = Evidence(
        label=1,
        document_id=DocumentId("doc_1"),
        version=Version("sha256:00"),
        key="a.pdf",
        title="A",
        text=text,
        block=block,
        first_line=first_line,
    )
    return Part(evidence, start, end)


def test_a_quotation_over_two_lines_has_a_box_on_each() -> None:
    block = Block(
        "text",
        100,
        120,
        page=3,
        lines=(Line(100, 110, (0.1, 0.20, 0.6, 0.22)), Line(111, 120, (0.1, 0.24, 0.55, 0.26))),
    )

    [page] = pages_of(part("0123456789\n123456789", block, 5, 14))

    # the right half of the first line, and the first 3 of 9 characters of the second
    assert page.number == 3
    assert page.boxes[0] == pytest.approx((0.35, 0.20, 0.6, 0.22))
    assert page.boxes[1] == pytest.approx((0.1, 0.24, 0.25, 0.26))


def test_text_that_runs_leftward_is_measured_from_the_right() -> None:
    text = "שלום עולם."
    block = Block("text", 0, 10, page=1, lines=(Line(0, 10, (0.0, 0.1, 1.0, 0.2)),))

    assert pages_of(part(text, block, 0, 4)) == (
        PageBoxes(1, ((pytest.approx(0.6), 0.1, pytest.approx(1.0), 0.2),)),  # type: ignore[arg-type]
    )


def test_a_character_of_east_asia_is_twice_as_wide() -> None:
    block = Block("text", 0, 4, page=1, lines=(Line(0, 4, (0.0, 0.1, 0.6, 0.2)),))

    [page] = pages_of(part("ab東京", block, 0, 3))

    # 1 + 1 + 2 of 6
    assert page.boxes[0] == pytest.approx((0.0, 0.1, 0.4, 0.2))


def test_a_box_too_high_for_a_line_is_not_divided() -> None:
    box = (0.1, 0.1, 0.4, 0.5)  # 30 characters in it are 0.01 wide and 0.4 high
    block = Block("text", 0, 30, page=1, lines=(Line(0, 30, box),))

    assert pages_of(part("x" * 30, block, 10, 20)) == (PageBoxes(1, (box,)),)


def test_without_lines_the_box_is_the_blocks() -> None:
    box = (0.1, 0.1, 0.9, 0.2)

    assert pages_of(part("some text", Block("text", 0, 9, page=2, box=box), 0, 4)) == (
        PageBoxes(2, (box,)),
    )
    assert pages_of(part("some text", Block("text", 0, 9, page=2), 0, 4)) == (PageBoxes(2, ()),)


def test_a_text_without_pages_has_lines() -> None:
    here = part("one\ntwo\nthree", Block("text", 50, 63), 4, 13, first_line=20)

    assert lines_of(here) == (21, 22)
    assert pages_of(here) == ()


def test_a_text_with_pages_has_no_lines() -> None:
    assert lines_of(part("one", Block("text", 0, 3, page=1), 0, 3)) is None
