"""Whole definitions where there is room; else as much as fits, told line by line."""

import pytest

from rag.ranking.code.passages import Passage, definition_lines, passage, tokens_of
from rag.syntax.cutting import outline

BODY = "".join(f"    first_{n} = second_{n} + third_{n}\n" for n in range(80))
LONG = f"def long(a, b):\n{BODY}"
TEXT = f"import os\n\n\n{LONG}\n\ndef short():\n    return 1\n"
OUTLINE = outline("python", TEXT)
LINES = TEXT.split("\n")
LATER = max(n for n, chunk in enumerate(OUTLINE.chunks) if chunk.symbol == ("long",))


def shown(budget: int, *found: int) -> Passage:
    return passage(OUTLINE, LATER, LINES, found, budget)


def test_a_part_of_a_function_shows_all_of_it_where_there_is_room() -> None:
    taken = shown(10_000)

    assert taken.is_complete
    assert taken.text == "".join(line + "\n" for line in LINES[3:84])
    assert taken.shown == ((4, 84),) == (definition_lines(OUTLINE, LATER),)


def test_where_there_is_less_the_head_stands_above_what_was_found() -> None:
    chunk = OUTLINE.chunks[LATER]

    taken = shown(tokens_of(TEXT[chunk.start : chunk.end]) + 10)

    assert not taken.is_complete
    assert taken.shown == ((4, 4), (chunk.start_line, chunk.end_line))
    assert taken.text == "def long(a, b):\n" + TEXT[chunk.start : chunk.end]


def test_where_there_is_little_the_lines_that_match_come_first() -> None:
    number = OUTLINE.chunks[LATER].start_line + 7

    taken = shown(tokens_of(LINES[number - 1]) + 1, number)

    assert taken.shown == ((number, number),)


@pytest.mark.parametrize("budget", [0, 1, 5, 20, 50, 200, 1_000])
def test_no_more_is_shown_than_there_is_room_for(budget: int) -> None:
    taken = shown(budget)

    assert taken.tokens <= budget
    assert taken.text.count("\n") == sum(last - first + 1 for first, last in taken.shown)


def test_definitions_that_share_a_chunk_are_complete() -> None:
    text = "def a():\n    pass\n\n\ndef b():\n    pass\n"

    taken = passage(outline("python", text), 0, text.split("\n"), (), 100)

    assert (taken.text, taken.is_complete) == (text, True)
