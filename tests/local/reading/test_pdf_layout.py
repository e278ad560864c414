"""What is printed on a page comes out as a person would read it, each line with its place."""

from collections.abc import Sequence

import pytest
from tiny_pdf import HEIGHT, WIDTH, Rule, Text, grid, paragraph, pdf

from rag.domain import Document, Source
from rag.local.reading.frames import Bitmap, Failed
from rag.local.reading.limits import DEFAULT_LIMITS
from rag.local.reading.media import PDF
from rag.local.reading.parser import parse

PROSE = (
    "the quick brown fox jumps over the lazy dog while seven wizards quietly "
    "judge my vow and every boxing expert mixes jugs of liquid oxygen before "
    "dawn comes up over hills that nobody has ever cared to give a proper name"
)
TITLE = "A title that stands across both of the columns"


def no_ocr(bitmaps: Sequence[Bitmap]) -> list[Failed]:
    raise AssertionError("a sound page was sent to OCR")


def read(content: bytes, key: str = "file.pdf") -> Document:
    return parse(Source(key=key, content=content), PDF, DEFAULT_LIMITS, no_ocr)


def blocks(document: Document) -> list[tuple[str, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def test_a_line_knows_where_it_stands_on_the_page() -> None:
    document = read(pdf([Text(60, 100, "Here it stands", size=20)]))

    [[line]] = [block.lines for block in document.blocks]
    x0, y0, x1, y1 = line.box
    assert document.text[line.start : line.end] == "Here it stands"
    assert x0 * WIDTH == pytest.approx(60, abs=1)
    assert (x1 - x0) * WIDTH == pytest.approx(123.4, abs=1)  # Helvetica's own widths
    assert y0 * HEIGHT < 100 - 14
    assert 100 < y1 * HEIGHT < 108


@pytest.mark.parametrize(
    ("rotate", "corner"),
    [
        (0, (60 / WIDTH, 100 / HEIGHT)),
        (90, (1 - 100 / HEIGHT, 60 / WIDTH)),
        (180, (1 - 60 / WIDTH, 1 - 100 / HEIGHT)),
        (270, (100 / HEIGHT, 1 - 60 / WIDTH)),
    ],
)
def test_boxes_are_on_the_page_as_it_is_shown(rotate: int, corner: tuple[float, float]) -> None:
    document = read(pdf([Text(60, 100, "word")], rotate=rotate))

    [block] = document.blocks
    assert block.box is not None
    x0, y0, x1, y1 = block.box
    assert min(abs(x0 - corner[0]), abs(x1 - corner[0])) < 0.01
    assert min(abs(y0 - corner[1]), abs(y1 - corner[1])) < 0.01


def test_columns_are_read_one_after_the_other_even_if_drawn_line_by_line() -> None:
    left, right = paragraph(50, 100, PROSE), paragraph(320, 100, PROSE.upper())
    across = [line for pair in zip(left, right, strict=True) for line in pair]

    document = read(pdf([Text(50, 60, TITLE), *across]))

    assert document.text.replace("\n", " ").split() == [
        *TITLE.split(),
        *PROSE.split(),
        *PROSE.upper().split(),
    ]


def test_a_page_drawn_from_its_foot_is_read_from_its_head() -> None:
    lines = [Text(50, 100 + 40 * i, f"paragraph number {i}") for i in range(12)]

    document = read(pdf(list(reversed(lines))))

    assert document.text.split("\n\n") == [line.text for line in lines]


def test_the_order_of_the_content_is_kept_where_it_makes_sense() -> None:
    column = paragraph(50, 100, PROSE)
    note = [Text(320, 90, "A note in the margin")]

    document = read(pdf([*column, *note]))

    assert document.text.endswith("A note in the margin")


def test_larger_and_bolder_lines_are_headings_and_rank_by_size() -> None:
    page = [
        Text(50, 60, "Annual report", size=24),
        Text(50, 100, "Results", size=14),
        *paragraph(50, 130, PROSE),
        Text(50, 220, "Outlook by region", font="bold"),
        *paragraph(50, 240, PROSE),
    ]

    document = read(pdf(page))

    assert [text for kind, text in blocks(document) if kind == "title"] == [
        "# Annual report",
        "## Results",
        "### Outlook by region",
    ]
    assert document.title == "Annual report"


def test_bullets_become_a_list_of_dashes() -> None:
    page = [
        *paragraph(50, 60, PROSE),
        Text(50, 150, "\x95 first thing"),
        Text(60, 162, "that goes on"),
        Text(50, 174, "\x95 second thing"),
    ]

    document = read(
        pdf(page).replace(b"/Helvetica >>", b"/Helvetica /Encoding /WinAnsiEncoding >>")
    )

    assert blocks(document)[-1] == ("list", "- first thing\nthat goes on\n- second thing")


def test_numbered_lines_are_a_list_when_there_is_more_than_one() -> None:
    page = [*paragraph(50, 60, PROSE), Text(50, 150, "1. first"), Text(50, 162, "2. second")]

    document = read(pdf(page))

    assert blocks(document)[-1] == ("list", "1. first\n2. second")


def test_a_list_that_goes_on_in_the_next_column_has_a_place_in_each() -> None:
    left, right = paragraph(50, 100, PROSE), paragraph(320, 100, PROSE)
    page = [
        *left,
        Text(50, 200, "1. first of all"),
        Text(50, 212, "2. second of all"),
        Text(320, 64, "3. third of all"),
        Text(320, 76, "4. fourth of all"),
        *right,
    ]

    document = read(pdf(page))

    lists = [block for block in document.blocks if block.kind == "list"]
    assert [block.box[0] > 0.5 for block in lists if block.box] == [False, True]


def test_a_paragraph_ends_on_a_line_with_room_for_the_next_word() -> None:
    page = [
        Text(50, 100, "The directors present their report on the year that has just ended."),
        Text(50, 112, "All of it went well."),
        Text(50, 124, "The committees met as often as the rules of the company ask of them."),
        Text(50, 136, "None was absent without leave, and what was decided can be read"),
        Text(50, 148, "in the annex."),
    ]

    document = read(pdf(page))

    assert [len(block.lines) for block in document.blocks] == [2, 3]


def test_a_sentence_that_ends_at_the_edge_ends_no_paragraph() -> None:
    page = [
        Text(50, 100, "The directors present their report on the year that has ended."),
        Text(50, 112, "Representatives of the company were asked, and they have agreed"),
    ]

    assert len(read(pdf(page)).blocks) == 1


def test_a_caption_is_one_and_a_sentence_about_a_figure_is_not() -> None:
    page = [Text(50, 60, "Figure 3: Growth by year"), Text(50, 100, "Figure 3 shows the growth")]

    assert [kind for kind, _ in blocks(read(pdf(page)))] == ["caption", "text"]


def test_a_ruled_table_keeps_its_cells_and_empty_ones() -> None:
    page = [
        *grid([50, 150, 250, 350], [100, 120, 140, 160]),
        *[Text(60 + 100 * i, 114, head) for i, head in enumerate(("Name", "Unit", "Count"))],
        Text(60, 134, "bolt"),
        Text(260, 134, "12"),
        Text(60, 154, "nut | washer"),
        Text(160, 154, "box"),
        Text(260, 154, "7"),
    ]

    document = read(pdf(page))

    assert document.text == (
        "| Name | Unit | Count |\n"
        "| --- | --- | --- |\n"
        "| bolt |  | 12 |\n"
        "| nut \\| washer | box | 7 |"
    )
    [table] = document.blocks
    header, dashes, first, last = table.lines
    assert document.text[first.start : first.end] == "| bolt |  | 12 |"
    assert header.box[1] < first.box[1] < last.box[1]
    assert dashes.box[1] == dashes.box[3]


def test_columns_of_prose_in_frames_are_no_table() -> None:
    long = " ".join([PROSE] * 3)
    page = [
        *grid([40, 300, 560], [80, 300, 520]),
        *paragraph(50, 100, long),
        *paragraph(310, 100, long),
        *paragraph(50, 320, long),
        *paragraph(310, 320, long),
    ]

    document = read(pdf(page))

    assert {block.kind for block in document.blocks} == {"text"}


def test_rows_that_stand_in_columns_are_a_table_without_rules() -> None:
    rows = [("Item", "Price", "Stock"), ("bolt", "1.20", "12"), ("nut", "0.80", "7")]
    page = [
        Text(50 + 100 * column, 100 + 14 * row, cell)
        for row, cells in enumerate(rows)
        for column, cell in enumerate(cells)
    ]

    document = read(pdf(page))

    assert document.text.splitlines()[0] == "| Item | Price | Stock |"
    assert document.text.splitlines()[-1] == "| nut | 0.80 | 7 |"


def test_a_drawing_that_lies_across_text_is_no_table() -> None:
    page = [*paragraph(50, 100, PROSE), *grid([90, 120, 160], [90, 110, 130])]

    document = read(pdf(page))

    assert document.text.split() == PROSE.split()


def test_running_lines_and_page_numbers_are_left_out_of_the_text() -> None:
    pages = [
        [
            Text(50, 40, "Annual report 2025"),
            *paragraph(50, 100, f"Body of page {i} and more words"),
            Text(290, 780, str(i)),
        ]
        for i in range(1, 5)
    ]

    document = read(pdf(*pages))

    assert document.text.split("\n\n") == [f"Body of page {i} and more\nwords" for i in range(1, 5)]


def with_body(*lines: Text) -> list[Text | Rule]:
    return [*lines, *paragraph(50, 200, PROSE)]


def shown(pages: Sequence[Sequence[Text | Rule]]) -> int:
    """On how many pages their first line is part of the text."""
    document = read(pdf(*pages))
    first = pages[0][0]
    assert isinstance(first, Text)
    return document.text.count(first.text)


def test_the_head_of_a_chapter_is_left_out_on_each_of_its_pages() -> None:
    chapter = [with_body(Text(50, 50, "Of the sea", size=9))] * 3

    assert shown([*chapter, *[with_body()] * 9]) == 0


def test_a_deep_head_is_left_out_where_half_of_the_pages_have_it() -> None:
    deep = [with_body(Text(50, 140, "Opinion of the Court"))]

    assert shown(deep * 6 + [with_body()] * 6) == 0
    assert shown(deep * 3 + [with_body()] * 9) == 3


def test_what_comes_back_elsewhere_on_the_page_is_text() -> None:
    assert shown([with_body(Text(50, 30 + 15 * i, "Total of the year")) for i in range(5)]) == 5


def test_a_heading_that_comes_back_is_text_where_it_is_large() -> None:
    rating = with_body(Text(50, 50, "Requires improvement", size=14))

    assert shown([rating] * 3 + [with_body()] * 9) == 3


def test_text_that_comes_back_below_other_text_is_text() -> None:
    pages = [
        with_body(Text(300, 80, "Good", size=9), Text(50, 50, f"Is the service {how}?", size=9))
        for how in ("safe", "caring", "quick")
    ]

    assert shown([*pages, *[with_body()] * 9]) == 3


def test_a_word_broken_at_a_line_end_is_joined_where_it_stands_whole_elsewhere() -> None:
    page = [
        Text(50, 100, "information is what we look for, and infor-"),
        Text(50, 112, "mation is what we find; but a cost-"),
        Text(50, 124, "benefit analysis is not one word"),
    ]

    document = read(pdf(page))

    assert "and information is what we find; but a cost-\nbenefit" in document.text
    [[first, second, _]] = [block.lines for block in document.blocks]
    assert document.text[first.start : first.end].endswith("infor")
    assert document.text[second.start : second.end].startswith("mation")


def test_a_broken_word_is_joined_where_neither_part_is_a_word_of_a_long_document() -> None:
    words = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in "lmnrt"]
    lines = paragraph(50, 100, " ".join([*words, "solving"]))
    broken = [
        Text(50, 500, "The results were irretrie-"),
        Text(50, 512, "vably lost, and nobody was problem-"),
        Text(50, 524, "solving that day"),
    ]

    text = read(pdf([*lines, *broken])).text

    assert "were irretrievably lost" in text
    assert "problem-\nsolving" in text


def test_pages_are_spans_of_the_one_text() -> None:
    document = read(pdf([Text(50, 100, "first page")], [Text(50, 100, "second page")], []))

    assert [document.text[page.start : page.end] for page in document.pages] == [
        "first page",
        "second page",
        "",
    ]
    assert [(page.number, page.reader, page.reason) for page in document.pages] == [
        (1, "text-layer", "sound text layer"),
        (2, "text-layer", "sound text layer"),
        (3, "none", "blank page"),
    ]


def test_every_line_lies_within_its_block_and_every_block_within_its_page() -> None:
    page = [*paragraph(50, 60, PROSE), *paragraph(320, 60, PROSE), Rule(50, 300, 500, 300)]
    document = read(pdf(page, page))

    for block in document.blocks:
        inside = document.pages[(block.page or 0) - 1]
        assert inside.start <= block.start <= block.end <= inside.end
        ends = [
            block.start,
            *(p for line in block.lines for p in (line.start, line.end)),
            block.end,
        ]
        assert ends == sorted(ends)
