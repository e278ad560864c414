"""What is no text of a page, even of the only one."""

import pytest
from tiny_pdf import Text, paragraph, pdf

from rag.domain import Source
from rag.local.reading.limits import DEFAULT_LIMITS
from rag.local.reading.parser import parse

BODY = [
    line for y in range(120, 700, 40) for line in paragraph(60, y, "All of this is prose. " * 4)
]


def read(*items: Text) -> str:
    content = pdf([*BODY, *items])
    source = Source("a.pdf", content)
    return parse(source, "application/pdf", DEFAULT_LIMITS, lambda bitmaps: []).text


@pytest.mark.parametrize(
    "items",
    [
        [Text(298, 770, "12")],
        [Text(60, 770, "Page 3 of 10")],
        [Text(60, 770, "Journal of Things"), Text(520, 770, "447")],
        [Text(60, 770, "Vol. 8"), Text(298, 770, "1"), Text(480, 770, "March 2014")],
        # a book's head, lower and larger
        [Text(60, 70, "400"), Text(220, 70, "HUSBANDRY.", 13), Text(500, 70, "[Ch. 19.")],
        [Text(60, 780, "Download date: 28 Dec 2018")],
        [Text(60, 16, "Downloaded from http://example.org on July 12"), Text(60, 28, "447")],
        # as browsers print
        [Text(60, 15, "12/3/2024, 10:01 AM", 7), Text(400, 15, "Our prices", 7)],
    ],
)
def test_page_numbers_and_what_goes_with_them_are_left_out(items: list[Text]) -> None:
    text = read(*items)

    assert "prose" in text
    assert not any(item.text in text for item in items)


@pytest.mark.parametrize(
    "items",
    [
        # a sum at the foot, a number of an invoice, a year, a chapter's number
        [Text(60, 740, "Total"), Text(500, 740, "1,250")],
        [Text(60, 60, "Invoice"), Text(500, 60, "1042")],
        [Text(60, 70, "Annual report"), Text(500, 70, "2024")],
        [Text(298, 80, "7", 24)],
        [Text(60, 770, "The account is 4711 at 12 Main Street")],
        # right below the text
        [Text(60, 710, "12")],
    ],
)
def test_what_may_be_text_stays(items: list[Text]) -> None:
    text = read(*items)

    assert all(item.text in text for item in items)
