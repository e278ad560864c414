"""A page of an OCR reply becomes text and blocks."""

from typing import Any

import msgspec
import pytest
from fake_mistral.pages import ocr_block, ocr_page
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import MalformedReply
from rag.mistral.pages import PageText, page_text
from rag.mistral.wire.ocr import OcrPage

TABLE = "| a | b |\n|---|---|\n| 1 | 2 |"


def read(markdown: str, *blocks: dict[str, Any], **more: Any) -> PageText:
    page = msgspec.convert(ocr_page(markdown, **{"blocks": list(blocks), **more}), OcrPage)
    return page_text(page, number=7)


def told(page: PageText) -> list[tuple[str, str]]:
    return [(block.kind, page.text[block.start : block.end]) for block in page.blocks]


def test_a_box_is_given_in_fractions_of_the_page() -> None:
    page = read("# Title", ocr_block("title", "Title", top=200))

    [block] = page.blocks
    assert (block.kind, block.level, block.page) == ("title", 1, 7)
    assert block.box == (100 / 1000, 200 / 2000, 200 / 1000, 300 / 2000)


@pytest.mark.parametrize(
    "corners",
    [
        {"top_left_x": None},
        {"top_left_x": 200},  # no width
        {"bottom_right_y": 0, "top_left_y": 10},  # upside down
        {"top_left_x": 1200, "bottom_right_x": 1300},  # beside the page
    ],
)
def test_a_box_without_an_area_on_the_page_is_none(corners: dict[str, Any]) -> None:
    [block] = read("Text", ocr_block("text", "Text") | corners).blocks

    assert block.box is None


def test_a_box_that_hangs_over_the_edge_is_cut_there() -> None:
    [block] = read("Text", ocr_block("text", "Text") | {"bottom_right_x": 1001}).blocks

    assert block.box == (0.1, 0.0, 1.0, 0.05)


@pytest.mark.parametrize("frame", [None, {"dpi": 200, "width": 0, "height": 0}])
def test_without_the_size_of_the_page_there_are_no_boxes(frame: Any) -> None:
    page = read("Text", ocr_block("text", "Text"), dimensions=frame)

    assert [block.box for block in page.blocks] == [None]


def test_the_level_of_a_heading_is_that_of_its_marks() -> None:
    page = read("### Deep\n\nFlat", ocr_block("title", "Deep"), ocr_block("title", "Flat"))

    assert [block.level for block in page.blocks] == [3, 1]


def test_a_table_stands_where_its_placeholder_stood() -> None:
    page = read(
        "Before\n\n[tbl-3.md](tbl-3.md)\n\nAfter",
        ocr_block("text", "Before"),
        ocr_block("table", "<table>told otherwise</table>", table_id="tbl-3.md"),
        ocr_block("text", "After"),
        tables=[{"id": "tbl-3.md", "format": "markdown", "content": TABLE}],
    )

    assert page.text == f"Before\n\n{TABLE}\n\nAfter"
    assert told(page) == [("text", "Before"), ("table", TABLE), ("text", "After")]
    assert all(block.box for block in page.blocks)


def test_a_table_that_is_named_and_not_sent_is_not_lost_in_silence() -> None:
    with pytest.raises(MalformedReply, match="table"):
        read("[tbl-0.md](tbl-0.md)")


def test_a_table_that_is_sent_and_not_named_is_kept() -> None:
    page = read("Text", tables=[{"id": "tbl-0.md", "content": TABLE}])

    assert page.text == f"Text\n\n{TABLE}"


def test_pictures_leave_nothing_but_their_description() -> None:
    page = read(
        "One\n\n![img-0.jpeg](img-0.jpeg)\n\nTwo\n\n![A red fox](img-1.jpeg)",
        ocr_block("text", "One"),
        ocr_block("image", "![img-0.jpeg](img-0.jpeg)", image_id="img-0.jpeg"),
        ocr_block("text", "Two"),
        images=[{"id": "img-0.jpeg"}, {"id": "img-1.jpeg"}],
    )

    assert page.text == "One\n\nTwo\n\nA red fox"
    assert told(page) == [("text", "One"), ("text", "Two"), ("text", "A red fox")]


def test_links_are_left_as_they_are() -> None:
    markdown = "See [the site](https://example.org) and [img-0.jpeg](https://example.org/img)."

    assert read(markdown).text == markdown


def test_a_header_moved_out_of_the_text_is_no_block() -> None:
    page = read("Text", ocr_block("header", "Annual report"), ocr_block("text", "Text"))

    assert told(page) == [("text", "Text")]


def test_a_header_left_in_the_text_says_what_it_is() -> None:
    page = read("Report\n\nText", ocr_block("header", "Report"), ocr_block("text", "Text"))

    assert told(page) == [("header", "Report"), ("text", "Text")]


def test_text_that_no_block_found_is_cut_by_its_markdown() -> None:
    page = read(
        "# Title\n\nSome prose.\n\n- one\n- two\n\nEnd",
        ocr_block("text", "End"),
    )

    assert told(page) == [
        ("title", "# Title"),
        ("text", "Some prose."),
        ("list", "- one\n- two"),
        ("text", "End"),
    ]
    assert [block.box is None for block in page.blocks] == [True, True, True, False]


def test_text_that_no_block_found_gets_the_box_around_those_that_were_lost() -> None:
    page = read(
        "Start\n\nThe value is about five.\n\nEnd",
        ocr_block("text", "Start"),
        ocr_block("text", "The value is", top=200),
        ocr_block("text", "about 5.", top=600),
        ocr_block("text", "End", top=1000),
    )

    [_, lost, _] = page.blocks
    assert lost.box == (0.1, 200 / 2000, 0.2, 700 / 2000)


def test_a_header_that_was_moved_out_widens_no_box() -> None:
    page = read(
        "The value is about five.",
        ocr_block("header", "The value is", top=0),
        ocr_block("text", "The value is about 5.", top=600),
    )

    [block] = page.blocks
    assert block.box == (0.1, 600 / 2000, 0.2, 700 / 2000)


def test_a_box_of_other_words_is_nobodys() -> None:
    page = read(
        "Start\n\nThe value is five.\n\nEnd",
        ocr_block("text", "Start"),
        ocr_block("caption", "Figure 3: something else altogether"),
        ocr_block("text", "End"),
    )

    assert [block.box is None for block in page.blocks] == [False, True, False]


def test_confidence_is_the_blocks_own() -> None:
    scores = {"average_content_confidence_score": 0.75}

    page = read("Text", ocr_block("text", "Text", confidence_scores=scores))

    assert [block.confidence for block in page.blocks] == [0.75]


def test_a_kind_not_yet_known_is_text() -> None:
    assert told(read("Text", ocr_block("hologram", "Text"))) == [("text", "Text")]


def test_a_model_without_blocks_still_gives_blocks() -> None:
    assert told(read("# Title\n\nText", blocks=None)) == [("title", "# Title"), ("text", "Text")]


markdown = st.lists(
    st.sampled_from(["# One", "Two words", "- a\n- b", TABLE, "![x](x)", "```\ncode\n```", "Two"]),
    max_size=8,
).map("\n\n".join)
contents = st.lists(
    st.builds(
        ocr_block,
        st.sampled_from(["title", "text", "list", "table", "image", "header"]),
        st.sampled_from(["One", "Two words", "- a\n- b", "Two", "absent", ""]),
    )
)


@settings(deadline=None, max_examples=50)
@given(markdown, contents)
def test_blocks_cover_the_text_in_order_whatever_the_provider_says(
    markdown: str, blocks: list[dict[str, Any]]
) -> None:
    page = read(markdown, *blocks)

    end = 0
    for block in page.blocks:
        assert not page.text[end : block.start].strip()
        assert page.text[block.start : block.end].strip()
        end = block.end
    assert not page.text[end:].strip()
