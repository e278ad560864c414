"""A quotation of a sheet names the cells it stands in."""

import pytest

from rag.domain import Block, DocumentId, Evidence, Line, Version
from rag.grounding.cells import cells_under
from rag.grounding.locating import pages_of
from rag.grounding.passages import Part

TABLE = "| Year | Sales | Note |\n| --- | --- | --- |\n| 2018 | 5 | a\\|b |\n| 2019 |  | none |"
PLACE = "'Q 1'!C4:E6"


@pytest.mark.parametrize(
    ("quoted", "cells"),
    [
        ("| 2018 | 5 | a\\|b |", "C5:E5"),
        ("| Year | Sales | Note |", "C4:E4"),
        ("2018", "C5"),
        ("| 5 |", "D5"),
        ("2018 | 5", "C5:D5"),
        ("a\\|b", "E5"),
        ("| 2019 |  | none |", "C6:E6"),
        ("none |", "E6"),
        ("5 | a\\|b |\n| 2019", "C5:E6"),  # of two rows, all columns
        (TABLE, "C4:E6"),
    ],
)
def test_a_span_of_a_table_stands_in_its_cells(quoted: str, cells: str) -> None:
    start = TABLE.index(quoted)

    assert cells_under(PLACE, TABLE, start, start + len(quoted)) == f"'Q 1'!{cells}"


def test_columns_go_on_after_z() -> None:
    text = "| a | b |\n| --- | --- |\n| c | d |"

    assert cells_under("Data!Z9:AA10", text, text.index("d"), len(text)) == "Data!AA10"


def test_a_column_of_its_own_is_told_by_lines() -> None:
    assert cells_under("Data!B2:B4", "one\ntwo\nthree", 4, 7) == "Data!B3"


@pytest.mark.parametrize("place", ["Data!B2", "Data!A1:A9", "slide 3", "Figure 1"])
def test_a_place_that_lines_do_not_divide_stays_as_it_is(place: str) -> None:
    assert cells_under(place, "one\ntwo\nthree", 4, 7) == place


def test_a_cell_of_a_printed_table_has_the_box_of_its_row() -> None:
    text = "| a | b |\n| --- | --- |\n| c | d |"
    boxes = [(0.1, 0.1, 0.9, 0.2), (0.1, 0.2, 0.9, 0.2), (0.1, 0.2, 0.9, 0.3)]
    ends = [(0, 9), (10, 23), (24, 33)]
    lines = tuple(Line(*span, box) for span, box in zip(ends, boxes, strict=True))
    block = Block("table", 0, len(text), page=2, lines=lines)
    evidence = Evidence(1, DocumentId("d"), Version("sha256:0"), "d.pdf", "D", text, block)

    [page] = pages_of(Part(evidence, text.index("d"), text.index("d") + 1))

    assert page.boxes == (boxes[2],)
