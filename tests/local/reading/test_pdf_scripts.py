"""What stands above or below the line keeps its meaning: 10² is neither 102 nor "10 2"."""

from collections.abc import Sequence

import pytest
from tiny_pdf import Text, pdf

from rag.domain import Source
from rag.local.reading.frames import Bitmap, Failed
from rag.local.reading.limits import DEFAULT_LIMITS
from rag.local.reading.media import PDF
from rag.local.reading.parser import parse

DIGIT, UP, DOWN = 5.56, -4.0, 2.0
"""Width of Helvetica's digits at 10 points; from the baseline to that of a script, downwards."""


def no_ocr(bitmaps: Sequence[Bitmap]) -> list[Failed]:
    raise AssertionError("a sound page was sent to OCR")


def read(*page: Text) -> str:
    return parse(Source("file.pdf", pdf(page)), PDF, DEFAULT_LIMITS, no_ocr).text


def power(base: str, width: float, script: str, shift: float, *, size: float = 6) -> list[Text]:
    """`base`, so many points wide, and right behind it a script, on a line of prose."""
    return [
        Text(50, 100, "This line is about"),
        Text(150, 100, base),
        Text(150 + width, 100 + shift, script, size=size),
    ]


@pytest.mark.parametrize(
    ("base", "width", "script", "shift", "printed"),
    [
        ("10", 2 * DIGIT, "2", UP, "10²"),
        ("10", 2 * DIGIT, "-3", UP, "10⁻³"),
        ("CO", 15, "2", DOWN, "CO₂"),
        ("x", 5, "n", UP, "xⁿ"),
        ("x", 5, "k", UP, "x^k"),  # letters without a superscript of their own
        ("V", 6.67, "max", DOWN, "V_max"),
        ("2", DIGIT, "nd", UP, "2nd"),  # an ordinal
        ("word.", 25.01, "14", UP, "word.¹⁴"),  # the mark of a footnote
    ],
)
def test_a_raised_or_lowered_run_is_a_script(
    base: str, width: float, script: str, shift: float, printed: str
) -> None:
    assert read(*power(base, width, script, shift)) == f"This line is about {printed}"


def test_a_line_goes_on_behind_a_script() -> None:
    page = power("10", 2 * DIGIT, "2", UP)

    assert read(*page, Text(168, 100, "meters of it")) == "This line is about 10² meters of it"


def test_a_script_within_a_word_is_found() -> None:
    page = power("H", 7.22, "2", DOWN)

    assert read(*page, Text(150 + 7.22 + 3.34, 100, "O")) == "This line is about H₂O"


def test_a_footnote_begins_with_its_mark() -> None:
    page = [Text(50, 100 + UP, "1", size=6), Text(50 + 3.34, 100, "See the appendix")]

    assert read(*page) == "¹See the appendix"


@pytest.mark.parametrize(
    "beside",
    [
        Text(150 + 2 * DIGIT, 100, "5", size=6),  # smaller, on the line
        Text(150 + 2 * DIGIT + 4, 96, "5", size=6),  # raised, but apart
        Text(150 + 2 * DIGIT, 96, "5"),  # as large as its neighbor
    ],
)
def test_what_is_not_smaller_raised_and_joined_is_no_script(beside: Text) -> None:
    read_text = read(Text(50, 100, "This line is about"), Text(150, 100, "10"), beside)

    assert "⁵" not in read_text
    assert "5" in read_text


def test_the_text_behind_a_drop_capital_is_no_script() -> None:
    page = [Text(50, 120, "I", size=40), Text(61.1, 100, "n the beginning there was")]

    assert "n the beginning there was" in read(*page)


def test_the_line_of_a_script_is_as_high_as_its_letters() -> None:
    content = pdf([*power("10", 2 * DIGIT, "2", UP), Text(50, 140, "This line is about 102")])

    [above], [below] = (
        block.lines for block in parse(Source("f.pdf", content), PDF, DEFAULT_LIMITS, no_ocr).blocks
    )

    heights = [line.box[3] - line.box[1] for line in (above, below)]
    assert heights[0] == pytest.approx(heights[1], abs=0.001)
