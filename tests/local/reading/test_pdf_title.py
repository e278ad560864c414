"""A document is called what its metadata say, unless a program said it."""

from collections.abc import Sequence

import pytest
from tiny_pdf import Text, pdf

from rag.domain import Source
from rag.local.reading.frames import Bitmap, Failed
from rag.local.reading.limits import DEFAULT_LIMITS
from rag.local.reading.media import PDF
from rag.local.reading.parser import parse


def no_ocr(bitmaps: Sequence[Bitmap]) -> list[Failed]:
    raise AssertionError("a sound page was sent to OCR")


def title(of_metadata: str) -> str:
    page = [Text(50, 60, "Annual report", size=24), Text(50, 100, "All went well this year.")]
    content = pdf(page, title=of_metadata)
    return parse(Source("file.pdf", content), PDF, DEFAULT_LIMITS, no_ocr).title


def test_a_title_in_the_metadata_comes_first() -> None:
    assert title("Report of the Board for 2025") == "Report of the Board for 2025"


@pytest.mark.parametrize(
    "noise",
    [
        "",
        "  ",
        "untitled",
        "\\(anonymous\\)",
        "Document1",
        "Presentation 2",
        "Microsoft Word - report final.doc",
        "annual report.indd",
        "Annual Report_v2_4.30.20",
        "report",  # may be a title, and is more often a file
        "12 - 34",
    ],
)
def test_a_file_name_or_placeholder_is_no_title(noise: str) -> None:
    assert title(noise) == "Annual report"
