"""A page of an OCR reply becomes text and blocks."""

from typing import Any

import msgspec
import pytest
from fake_mistral.pages import ocr_block, ocr_page
from hypothesis import given, settings
from hypothesis import strategies as st
from seeded_pages import TABLE, any_page

from rag.mistral.ocr.furniture import Furniture, furniture
from rag.mistral.ocr.pages import Reading, recognized_page
from rag.mistral.wire.ocr import OcrPage
from rag.pages import LoosePage


def read(
    markdown: str,
    *blocks: dict[str, Any],
    beside: tuple[dict[str, Any], ...] = (),
    **more: Any,
) -> LoosePage:
    """The page as part of a document that has the pages `beside` it too."""
    given = ocr_page(markdown, **{"blocks": list(blocks), **more})
    pages = [msgspec.convert(page, OcrPage) for page in (given, *beside)]
    running = furniture(pages) if beside else Furniture()
    return recognized_page(pages[0], 7, "mistral-ocr-4-0", Reading("0f3a", running))


def told(page: LoosePage) -> list[tuple[str, str]]:
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


def test_a_table_that_is_sent_and_not_named_is_kept() -> None:
    page = read("Text", tables=[{"id": "tbl-0.md", "content": TABLE}])

    assert page.text == f"Text\n\n{TABLE}"


def test_a_table_in_html_becomes_markdown_wherever_it_is_told() -> None:
    html = "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>"
    as_markdown = "| a | b |\n| --- | --- |\n| 1 | 2 |"

    inset = read(
        "[tbl-0.html](tbl-0.html)",
        ocr_block("table", html, table_id="tbl-0.html"),
        tables=[{"id": "tbl-0.html", "format": "html", "content": html}],
    )
    inline = read(f"Before\n\n{html}", ocr_block("table", html))

    assert told(inset) == [("table", as_markdown)]
    assert told(inline) == [("text", "Before"), ("table", as_markdown)]
    assert inset.blocks[0].box == inline.blocks[1].box == (0.1, 0.0, 0.2, 0.05)


def test_pictures_get_a_name_that_no_other_picture_has() -> None:
    page = read(
        "One\n\n![img-0.jpeg](img-0.jpeg)\n\n![A red fox](img-1.jpeg)",
        ocr_block("text", "One"),
        ocr_block("image", "![img-0.jpeg](img-0.jpeg)", image_id="img-0.jpeg"),
        ocr_block("image", "", image_id="img-1.jpeg"),
        images=[{"id": "img-0.jpeg"}, {"id": "img-1.jpeg"}],
    )

    assert told(page)[:2] == [("text", "One"), ("image", "![](0f3a-p7-img-0.jpeg)")]
    assert page.text.endswith("![A red fox](0f3a-p7-img-1.jpeg)")


def test_a_picture_that_was_described_is_a_block_of_its_description() -> None:
    page = read(
        "One\n\n![img-0.jpeg](img-0.jpeg)",
        ocr_block("text", "One"),
        ocr_block("image", "![img-0.jpeg](img-0.jpeg)", top=300, image_id="img-0.jpeg"),
        images=[
            {
                "id": "img-0.jpeg",
                "image_annotation": '{"description": "Revenue by year:\\n2024 was 5."}',
            }
        ],
    )

    assert told(page) == [("text", "One"), ("image", "Revenue by year: 2024 was 5.")]
    assert page.blocks[1].box == (0.1, 300 / 2000, 0.2, 400 / 2000)


@pytest.mark.parametrize("annotation", ['{"description": "cut', "[]", '{"description": 5}', "{}"])
def test_a_description_that_cannot_be_read_leaves_the_picture(annotation: str) -> None:
    page = read(
        "![img-0.jpeg](img-0.jpeg)",
        images=[{"id": "img-0.jpeg", "image_annotation": annotation}],
    )

    assert page.text == "![](0f3a-p7-img-0.jpeg)"


def test_models_without_blocks_still_tell_where_pictures_are() -> None:
    place = {"top_left_x": 0, "top_left_y": 0, "bottom_right_x": 500, "bottom_right_y": 500}

    page = read("One\n\n![i](i)", blocks=None, images=[{"id": "i", **place}])

    assert told(page) == [("text", "One"), ("image", "![](0f3a-p7-i)")]
    assert page.blocks[1].box == (0, 0, 0.5, 0.25)


def test_links_are_left_as_they_are() -> None:
    markdown = "See [the site](https://example.org) and [img-0.jpeg](https://example.org/img)."

    assert read(markdown).text == markdown


def test_a_running_header_is_left_out_and_so_is_a_page_number() -> None:
    header = ocr_block("header", "ACME · Report 7")
    next_page = ocr_page("Other", header="ACME · Report 8")

    page = read(
        "Text",
        header,
        ocr_block("text", "Text"),
        header="ACME · Report 7",
        footer="Page 7 of 9",
        beside=(next_page,),
    )

    assert told(page) == [("text", "Text")]
    assert page.text == "Text"


def test_a_header_that_stands_on_one_page_only_is_text() -> None:
    page = read(
        "Dear Sir",
        ocr_block("header", "ACME Inc., Invoice 5\n7"),
        ocr_block("text", "Dear Sir"),
        header="ACME Inc., Invoice 5\n7",
        beside=(ocr_page("Other"),),
    )

    assert told(page) == [("text", "ACME Inc., Invoice 5"), ("text", "Dear Sir")]
    assert page.blocks[0].box == (0.1, 0.0, 0.2, 0.05)


def test_a_running_header_left_in_the_text_says_what_it_is() -> None:
    page = read(
        "Report\n\nText",
        ocr_block("header", "Report"),
        ocr_block("text", "Text"),
        beside=(ocr_page("Report\n\nOther", blocks=[ocr_block("header", "Report")]),),
    )

    assert told(page) == [("header", "Report"), ("text", "Text")]


def test_a_page_that_has_only_blocks_is_read_from_them() -> None:
    page = read("  ", ocr_block("title", "Results"), ocr_block("text", "It rose."))

    assert page.text == "# Results\n\nIt rose."
    assert told(page) == [("title", "# Results"), ("text", "It rose.")]


def test_links_stand_where_their_address_does_and_else_at_the_end() -> None:
    page = read(
        "See www.example.org/a for more.",
        ocr_block("text", "See www.example.org/a for more."),
        hyperlinks=["https://www.example.org/a", "https://example.net/form", "#page=3"],
    )

    assert told(page) == [
        ("text", "See [www.example.org/a](https://www.example.org/a) for more."),
        ("text", "<https://example.net/form>"),
    ]
    assert page.blocks[0].box is not None


def test_of_lost_blocks_each_gives_its_box_to_the_text_in_its_words() -> None:
    page = read(
        "The value of it all is five today.\n\nThe price of it all is six today.",
        ocr_block("caption", "The value of it all is 5 today.", top=200),
        ocr_block("text", "The price of it all is 6 today.", top=600),
    )

    assert [block.kind for block in page.blocks] == ["caption", "text"]
    assert [block.box for block in page.blocks] == [
        (0.1, 200 / 2000, 0.2, 300 / 2000),
        (0.1, 600 / 2000, 0.2, 700 / 2000),
    ]


@pytest.mark.parametrize("score", [-0.1, 1.5, None])
def test_a_confidence_that_is_none_is_not_believed(score: float | None) -> None:
    scores = {"average_content_confidence_score": score}
    whole = {"average_page_confidence_score": score}

    page = read(
        "Text", ocr_block("text", "Text", confidence_scores=scores), confidence_scores=whole
    )

    assert page.blocks[0].confidence is page.page.confidence is None


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


@settings(max_examples=60)
@given(st.lists(any_page, min_size=1, max_size=4))
def test_blocks_cover_the_text_in_order_whatever_the_provider_says(
    pages: list[dict[str, Any]],
) -> None:
    page = read(pages[0]["markdown"], beside=tuple(pages[1:]), **_without(pages[0], "markdown"))

    assert (page.page.start, page.page.end) == (0, len(page.text))
    end = 0
    for block in page.blocks:
        assert not page.text[end : block.start].strip()
        assert page.text[block.start : block.end].strip()
        assert block.page == 7
        if block.box:
            x0, y0, x1, y1 = block.box
            assert 0 <= x0 < x1 <= 1
            assert 0 <= y0 < y1 <= 1
        end = block.end
    assert not page.text[end:].strip()


def _without(page: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in page.items() if key not in (name, "index")}
