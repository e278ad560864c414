"""Reading order, on boxes drawn by hand: lines are 20 high and 400 wide unless said otherwise."""

import numpy as np

from rag.local.ocr.columns import Boxes, strands
from rag.local.ocr.paragraphs import paragraphs


def column(x: float, lines: int, *, top: float = 100, width: float = 400) -> list[list[float]]:
    return [[x, top + 30 * i, x + width, top + 30 * i + 20] for i in range(lines)]


def order(*parts: list[list[float]]) -> list[int]:
    boxes = np.array([box for part in parts for box in part])
    return [i for strand in strands(boxes) for row in strand for i in row]


def test_the_left_column_is_read_before_the_right() -> None:
    assert order(column(500, 5), column(50, 5)) == [5, 6, 7, 8, 9, 0, 1, 2, 3, 4]


def test_three_columns_are_read_one_after_the_other() -> None:
    thirds = [column(x, 4, width=250) for x in (600, 320, 40)]

    assert order(*thirds) == [8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3]


def test_a_title_over_two_columns_is_read_first() -> None:
    title = [[50.0, 40.0, 900.0, 90.0]]

    assert order(column(50, 3), column(500, 3), title) == [6, 0, 1, 2, 3, 4, 5]


def test_a_heading_across_ends_the_columns_above_it() -> None:
    heading = [[50.0, 200.0, 900.0, 220.0]]
    above, below = column(50, 3), column(50, 3, top=240)
    right_above, right_below = column(500, 3), column(500, 3, top=240)

    assert order(above, right_above, heading, below, right_below) == list(range(13))


def test_a_caption_between_columns_interrupts_neither() -> None:
    caption = [[400.0, 235.0, 600.0, 255.0]]
    left = [*column(50, 3), *column(50, 5, top=190, width=320)]
    right = [*column(500, 3), *column(630, 5, top=190, width=270)]

    assert order(left, right, caption) == list(range(17))


def test_wide_spaces_one_below_the_other_are_no_gutter() -> None:
    split = [*column(50, 2, width=300), *column(360, 2, width=300)]

    assert order(split, column(50, 4, top=160, width=610)) == [0, 2, 1, 3, 4, 5, 6, 7]


def test_a_narrow_gutter_between_many_lines_is_one() -> None:
    assert order(column(50, 6), column(462, 6)) == list(range(12))


def test_a_table_is_read_row_by_row() -> None:
    names = column(50, 4, width=150)
    numbers = column(300, 4, width=60)

    assert order(names, numbers) == [0, 4, 1, 5, 2, 6, 3, 7]


def test_a_page_number_is_read_last_though_it_stands_under_the_left_column() -> None:
    footer = [[50.0, 300.0, 90.0, 320.0]]

    assert order(footer, column(50, 5), column(500, 5))[-1] == 0


def test_pieces_of_one_printed_line_are_one_row() -> None:
    boxes = np.array([[300.0, 12, 500, 32], [50.0, 10, 280, 30], [50.0, 40, 500, 60]])

    assert strands(boxes) == [[(1, 0), (2,)]]


def test_a_drop_cap_belongs_to_the_first_of_the_lines_beside_it() -> None:
    initial = [[50.0, 100.0, 90.0, 150.0]]
    beside = column(95, 2)
    below = column(50, 3, top=160)

    [strand] = strands(np.array([*initial, *beside, *below]))

    assert strand == [(0, 1), (2,), (3,), (4,), (5,)]


def test_a_page_without_boxes_has_nothing_to_read() -> None:
    assert strands(np.empty((0, 4))) == []


def grouped(boxes: list[list[float]]) -> list[int]:
    """Lines per paragraph."""
    array: Boxes = np.array(boxes)
    return [len(rows) for rows in paragraphs(array, [(i,) for i in range(len(boxes))])]


def test_white_space_starts_a_paragraph() -> None:
    assert grouped([*column(50, 3), *column(50, 4, top=210)]) == [3, 4]


def test_an_indent_starts_a_paragraph() -> None:
    lines = column(50, 6)
    lines[3][0] += 25

    assert grouped(lines) == [3, 3]


def test_another_size_of_type_starts_a_paragraph() -> None:
    heading = [[50.0, 65.0, 300.0, 97.0]]

    assert grouped([*heading, *column(50, 4)]) == [1, 4]


def test_lines_of_uneven_height_stay_together() -> None:
    lines = column(50, 4)
    lines[2][1] += 4

    assert grouped(lines) == [4]
