"""Text that runs from right to left comes out as it is typed."""

from collections.abc import Sequence

from tiny_pdf import Text, pdf

from rag.domain import Source
from rag.local.reading.frames import Bitmap, Failed
from rag.local.reading.limits import DEFAULT_LIMITS
from rag.local.reading.media import PDF
from rag.local.reading.parser import parse

CODES = {
    "S": "\u0633",  # seen
    "L": "\u0644\u0627",  # lam and alef as one glyph
    "M": "\u0645",  # meem
    "A": "\u0627",  # alef
    "l": "\u0644",  # lam
    "V": "\u064b",  # fathatan, drawn above seen
    "f": "\ufefb",  # lam with alef, as the name of their shape
}


def no_ocr(bitmaps: Sequence[Bitmap]) -> list[Failed]:
    raise AssertionError("a sound page was sent to OCR")


def read(drawn: str) -> str:
    """Of glyphs as they are drawn, from left to right."""
    content = pdf([Text(50, 100, drawn, font="coded")], codes=CODES)
    return parse(Source("file.pdf", content), PDF, DEFAULT_LIMITS, no_ocr).text


def test_a_word_is_read_from_its_right() -> None:
    assert read("MAS") == "\u0633\u0627\u0645"


def test_a_ligature_keeps_the_order_of_its_letters() -> None:
    assert read("MLS") == "\u0633\u0644\u0627\u0645"


def test_an_article_is_no_ligature() -> None:
    assert read("MSlA") == "\u0627\u0644\u0633\u0645"


def test_shapes_become_the_letters_that_they_stand_for() -> None:
    assert read("MfS") == "\u0633\u0644\u0627\u0645"


def test_a_vowel_sign_does_not_begin_a_word() -> None:
    assert read("ASV M") == "\u0645\u0633\u064b\u0627"
