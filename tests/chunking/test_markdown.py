"""Markdown is cut where something worth embedding whole begins and ends."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.chunking.markdown import LONG_LIST, blocks


def cut(text: str) -> list[tuple[str, str]]:
    return [(block.kind, text[block.start : block.end]) for block in blocks(text)]


def test_a_heading_has_its_level_and_keeps_its_mark() -> None:
    text = "intro\n### Deep  \ntext"

    assert cut(text) == [("text", "intro"), ("title", "### Deep"), ("text", "text")]
    assert [block.level for block in blocks(text)] == [0, 3, 0]


def test_an_underlined_heading_is_one_with_its_underline() -> None:
    text = "Top\n===\n\nsecond\nline\n---\nbody"

    assert cut(text)[:2] == [("title", "Top\n==="), ("title", "second\nline\n---")]
    assert [block.level for block in blocks(text)] == [1, 2, 0]


def test_a_fence_is_whole_whatever_is_in_it() -> None:
    code = "```py\n# no heading\n\n- no item\n```"

    assert cut(f"a\n{code}\nb") == [("text", "a"), ("code", code), ("text", "b")]


def test_a_fence_that_is_never_closed_lasts_to_the_end() -> None:
    assert cut("~~~\nx\n\n# y\n") == [("code", "~~~\nx\n\n# y")]


def test_a_shorter_fence_does_not_close_a_longer_one() -> None:
    assert cut("````\n```\nx\n````\ny") == [("code", "````\n```\nx\n````"), ("text", "y")]


def test_a_table_needs_its_row_of_dashes() -> None:
    table = "| a | b |\n|---|:-:|\n| 1 | 2 |"

    assert cut(f"{table}\n\nx") == [("table", table), ("text", "x")]
    assert cut("| a | b |\n| 1 | 2 |") == [("text", "| a | b |\n| 1 | 2 |")]


def test_a_list_is_whole_with_what_belongs_to_its_items() -> None:
    items = "- a\n  more\n\n  - nested\n- b\nlazily continued\n1. other"

    assert cut(f"{items}\n\nafter") == [("list", items), ("text", "after")]


def test_a_long_list_is_cut_between_its_outermost_items() -> None:
    item = "- " + "x" * 600 + "\n  - inner\n"

    parts = cut(item * 10)

    assert {kind for kind, _ in parts} == {"list"}
    assert "\n".join(part for _, part in parts) == (item * 10).strip()
    assert all(part.startswith("- x") and len(part) <= LONG_LIST + 700 for _, part in parts)


def test_a_heading_ends_a_list_and_a_rule_is_no_item() -> None:
    assert cut("- a\n# h\n* * *\ntext") == [("list", "- a"), ("title", "# h"), ("text", "text")]


def test_quotations_are_text_and_indented_lines_are_code() -> None:
    text = "> said\nlazily\n\n    x = 1\n\n    y = 2\n"

    assert cut(text) == [("text", "> said\nlazily"), ("code", "    x = 1\n\n    y = 2")]


def test_front_matter_is_code_and_only_at_the_top() -> None:
    assert cut("---\na: 1\n---\nx")[0] == ("code", "---\na: 1\n---")
    assert cut("x\n\n---\n\ny") == [("text", "x"), ("text", "y")]


def test_comments_are_left_out_and_an_open_one_is_text() -> None:
    assert cut("a\n<!-- x\n\ny -->\nb") == [("text", "a"), ("text", "b")]
    assert cut("<!-- never\nclosed") == [("text", "<!-- never\nclosed")]
    assert cut("<!-- x\ny --> tail") == [("text", "y --> tail")]


@pytest.mark.parametrize("text", ["", "\n", "   \n\t\n", "***\n---\n"])
def test_nothing_gives_no_blocks(text: str) -> None:
    assert blocks(text) == ()


@given(st.text(st.sampled_from("ab #-*|`~>=+1.\n\t<!é"), max_size=200))
def test_blocks_are_in_order_and_lose_no_word(text: str) -> None:
    found = blocks(text)

    assert all(block.start < block.end for block in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    if "<" not in text:
        outside = "".join(
            text[start:end]
            for start, end in zip(
                [0, *(block.end for block in found)],
                [*(block.start for block in found), len(text)],
                strict=True,
            )
        )
        assert not any(character.isalnum() for character in outside)


@pytest.mark.parametrize(
    "unit",
    ["word " * 20 + "\n", "- item\n", "a|b\n-|-\n", "<!-- x\n", "```\nx\n", "> a\n", "\n    \n"],
)
def test_four_times_the_text_does_not_take_sixteen_times_the_time(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        start = time.process_time()
        blocks(text)
        return time.process_time() - start

    once, four_times = (min(seconds(size) for _ in range(3)) for size in (60_000, 240_000))

    assert four_times < 10 * once + 0.1  # between linear and quadratic, for busy machines


def test_one_line_of_a_hundred_thousand_characters_is_one_block() -> None:
    [block] = blocks("x " * 50_000)

    assert (block.start, block.end) == (0, 99_999)
