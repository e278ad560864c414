"""Blocks become the pieces that can answer; each piece is a slice of its block."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Block, BlockKind
from rag.grounding.sentences import readable, sentences


def pieces(text: str, kind: BlockKind = "text") -> list[str]:
    found = sentences(Block(kind, 0, len(text)), text)
    return [text[one.start : one.end] for one in found]


def readings(text: str, kind: BlockKind = "text") -> list[str]:
    return [one.text for one in sentences(Block(kind, 0, len(text)), text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rained. We left.", ["It rained.", "We left."]),
        ("Really? Yes! Good.", ["Really?", "Yes!", "Good."]),
        ("Dr. Smith met J. R. Jones. They spoke.", ["Dr. Smith met J. R. Jones.", "They spoke."]),
        ("It costs $1.50 or 2.5 euros. Cheap.", ["It costs $1.50 or 2.5 euros.", "Cheap."]),
        ("See Fig. 3 for more. Then stop.", ["See Fig. 3 for more.", "Then stop."]),
        ('"Stop." He stopped.', ['"Stop."', "He stopped."]),
        ("Made by Acme Inc. e.g. glue. It holds.", ["Made by Acme Inc. e.g. glue.", "It holds."]),
        ("Etwa 3 Mio. Euro. Das ist viel.", ["Etwa 3 Mio. Euro.", "Das ist viel."]),
        ("他来了。她走了。", ["他来了。", "她走了。"]),
        ("वह आया। वह गई।", ["वह आया।", "वह गई।"]),
        ("wrapped over\ntwo lines. Next.", ["wrapped over\ntwo lines.", "Next."]),
        ("no stop at all", ["no stop at all"]),
        ("spaced out . As some corpora are .", ["spaced out .", "As some corpora are ."]),
    ],
)  # fmt: skip
def test_prose_falls_into_sentences(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


def test_a_row_is_read_with_the_names_of_its_columns() -> None:
    table = "| Year | Visitors |\n|---|---:|\n| 2018 | 867,000 |\n| 2019 | **900,000** |"

    assert pieces(table, "table") == ["| 2018 | 867,000 |", "| 2019 | **900,000** |"]
    assert readings(table, "table") == [
        "Year: 2018; Visitors: 867,000",
        "Year: 2019; Visitors: 900,000",
    ]


def test_a_row_knows_where_its_header_stands() -> None:
    table = "| Year | Visitors |\n|---|---|\n| 2018 | 867,000 |"

    [row] = sentences(Block("table", 0, len(table)), table)

    assert row.header is not None
    assert table[slice(*row.header)] == "| Year | Visitors |"


def test_a_table_without_a_header_gives_plain_rows() -> None:
    assert readings("a | b\n1 | 2", "table") == ["a; b", "1; 2"]


def test_a_list_item_is_one_piece_without_its_marker() -> None:
    text = "You need:\n- a saw. And a file\n- glue,\n  clear\n2. patience"

    assert readings(text, "list") == ["You need:", "a saw. And a file", "glue, clear", "patience"]


def test_a_list_without_markers_falls_into_lines() -> None:
    assert readings("a saw and a file\nglue", "list") == ["a saw and a file", "glue"]


def test_a_long_list_item_is_prose() -> None:
    sentence = "This item goes on and on about the many ways in which a boat may be kept dry. "

    assert pieces("- " + 6 * sentence, "list") == 6 * [sentence.strip()]


def test_code_keeps_its_characters_and_loses_its_fence() -> None:
    code = "```python\ndef f():\n    return __all__\n\nf()\n```"

    assert pieces(code, "code") == ["def f():\n    return __all__", "f()"]


@pytest.mark.parametrize("kind", ["header", "footer"])
def test_page_headers_and_footers_answer_nothing(kind: BlockKind) -> None:
    assert pieces("Annual report 2018.", kind) == []


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("**bold** and *slanted* words", "bold and slanted words"),
        ("see [the manual](http://example.org/a_b) now", "see the manual now"),
        ("![a cat](cat.png) sleeps", "a cat sleeps"),
        ("call `read_file` twice", "call read_file twice"),
        ("5 \\* 3 and snake_case_name", "5 * 3 and snake_case_name"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("line<br>break", "line break"),
        ("Ducks dive.[12][13] See a[1].", "Ducks dive. See a[1]."),
    ],
)
def test_markup_is_not_read_aloud(markdown: str, text: str) -> None:
    assert readable(markdown) == text


@given(
    st.text(alphabet="aB1 .,!?\n|-*_`#[](){}。“”'\"Ünd", max_size=120),
    st.sampled_from(["text", "list", "table", "code", "caption"]),
)
def test_pieces_are_slices_in_order_that_never_overlap(text: str, kind: BlockKind) -> None:
    found = sentences(Block(kind, 0, len(text)), text)

    edges = [edge for one in found for edge in (one.start, one.end)]
    assert edges == sorted(edges)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.text for one in found)
