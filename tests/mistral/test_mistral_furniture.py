"""What comes back on page after page is not a page's own."""

from typing import Any

import msgspec
import pytest
from fake_mistral.pages import ocr_block, ocr_page

from rag.mistral.ocr.furniture import Furniture, furniture
from rag.mistral.wire.ocr import OcrPage


def found(*pages: dict[str, Any]) -> Furniture:
    return furniture(msgspec.convert([ocr_page("Text", **page) for page in pages], list[OcrPage]))


def test_a_line_on_two_pages_is_running_whatever_its_numbers() -> None:
    running = found(*({"header": f"ACME Report {n}\nChapter {n}{n}"} for n in range(2)), {}, {})

    assert running.without("ACME  report 9") == ""
    assert running.without("ACME annual report") == "ACME annual report"
    assert running.without("Chapter 17\nThe beginning") == "The beginning"


def test_a_line_on_one_page_is_not() -> None:
    assert found({"footer": "ACME"}, {}, {}).without("ACME") == "ACME"


def test_a_line_twice_on_one_page_is_on_one_page() -> None:
    assert found({"header": "ACME", "footer": "ACME"}, {}).without("ACME") == "ACME"


def test_headers_told_as_blocks_count_too() -> None:
    pages = ({"blocks": [ocr_block("header", "ACME")]} for _ in range(3))

    assert found(*pages).without("ACME") == ""


@pytest.mark.parametrize("line", ["7", "- 7 -", "Page 7 of 9", "7/9", "p. 7", "xii", "Seite 7"])
def test_a_page_number_is_running_even_on_a_single_page(line: str) -> None:
    assert Furniture().without(line) == ""


@pytest.mark.parametrize("line", ["Invoice 7", "ACME", "Page of contents", "§ 7 BGB"])
def test_other_lines_of_a_single_page_are_not(line: str) -> None:
    assert Furniture().without(line) == line


def test_a_link_on_three_pages_is_running() -> None:
    pages = ({"hyperlinks": ["https://a.example", f"https://b.example/{n}"]} for n in range(3))

    assert found(*pages).links == {"https://a.example"}
    assert found(*[{"hyperlinks": ["https://a.example"]}] * 2).links == frozenset()
