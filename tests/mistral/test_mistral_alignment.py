"""Blocks are found where they stand, or not at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.mistral.ocr.alignment import align


def found(contents: list[str], text: str) -> list[str | None]:
    return [text[place[0] : place[1]] if place else None for place in align(contents, text)]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Results", "# Results"),  # a heading's mark is not in its block
        ("It rose by 5 %.", "It  **rose** by\n5 %."),  # white space and emphasis differ
        ("- one\n- two", "* one\n* two"),
        ("a | b\n1 | 2", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("Größe: 3 µm", "Größe: 3 µm"),
        ("結果は良好です。", "結果は良好です。"),
    ],
)
def test_a_block_is_found_though_its_markup_differs(content: str, text: str) -> None:
    assert found([content], f"Before.\n\n{text}\n\nAfter.") == [text]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("1", "2010\n\n31\n\n10"),  # a number is not found inside another
        ("art", "start\n\narts"),
        ("It rose.", "It rose. It fell."),  # nor a sentence inside a paragraph
        ("Gone", "Here"),
        ("***", "***"),  # without letters nothing can be told apart
        ("", "text"),
    ],
)
def test_what_does_not_stand_as_whole_lines_is_not_found(content: str, text: str) -> None:
    assert align([content], text) == [None]


def test_what_occurs_twice_is_found_between_its_neighbors() -> None:
    text = "Total\n\nApples\n\nTotal\n\nPears\n\nTotal"

    places = align(["Apples", "Total", "Pears"], text)

    assert places == [(7, 13), (15, 20), (22, 27)]


def test_a_block_that_is_missing_does_not_move_the_others() -> None:
    text = "One thing\n\nAnother thing\n\nA third"

    assert found(["One thing", "Lost", "Another thing", "A third"], text) == [
        "One thing",
        None,
        "Another thing",
        "A third",
    ]


def test_of_blocks_out_of_order_the_most_are_kept_that_are_in_order() -> None:
    text = "a1\n\nb2\n\nc3\n\nd4"

    assert found(["d4", "a1", "b2", "c3"], text) == [None, "a1", "b2", "c3"]


lines = st.lists(st.text(st.characters(categories=["L", "N", "Zs", "P"])), max_size=12)


@settings(deadline=None, max_examples=50)
@given(lines, st.randoms(use_true_random=False))
def test_ranges_are_in_order_apart_and_hold_what_was_sought(
    parts: list[str], random: object
) -> None:
    contents = parts[::2] + parts[1::3]
    text = "\n\n".join(parts)

    places = align(contents, text)

    end = 0
    for content, place in zip(contents, places, strict=True):
        if place:
            assert end <= place[0] < place[1] <= len(text)
            end = place[1]
            assert letters(text[place[0] : place[1]]) == letters(content)


@settings(deadline=None, max_examples=50)
@given(lines)
def test_blocks_that_are_the_text_are_all_found(parts: list[str]) -> None:
    told = [part for part in parts if letters(part)]

    places = align(told, "\n\n".join(told))

    assert None not in places


def letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())
