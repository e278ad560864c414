"""On real documents nothing of a sound text layer gets lost on the way into blocks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.errors import InvalidDocument
from rag.local.reading.pdf.document import loaded, opened, text_layer
from rag.local.reading.pdf.layer import SOUND, Layer, layer
from rag.local.reading.pdf.pages import printed
from rag.local.reading.pdf.words import characters

REAL = Path(__file__).parents[3] / ".." / "shared" / "eval" / "docs"
FILES = (
    "mmlongbench-subset/pdfs/2023.acl-long.386.pdf",  # two columns, tables, figures with text
    "mmlongbench-subset/pdfs/936c0e2c2e6c8e0c07c51bfaf7fd0a83.pdf",  # an inspection report
    "files/files/redp5110_sampled.pdf",
    "files/files/right_to_left_01.pdf",
    "files/files/movie-theater-booking-2024.pdf",  # tables without rules
)
MARKS = str.maketrans("", "", "|-#\\•\x02\ufffe")
"""What markdown adds or replaces."""


def layers(content: bytes) -> Iterator[tuple[Layer, str]]:
    with opened(content) as pdf:
        for index in range(5):
            try:
                with loaded(pdf, index) as page, text_layer(page) as text_page:
                    yield layer(page, text_page), characters(text_page)
            except InvalidDocument:  # past the last page
                return


@pytest.mark.parametrize("name", FILES)
def test_every_character_of_a_sound_page_comes_out(name: str) -> None:
    if not (REAL / name).exists():
        pytest.skip("the evaluation documents are not on this machine")
    read, texts = zip(*layers((REAL / name).read_bytes()), strict=True)

    for page, text in zip(printed(read), texts, strict=True):
        if page.reason == SOUND:
            out = "".join(line.text for block in page.blocks for line in block.lines)
            assert letters(out) >= 0.99 * letters(text)


def letters(text: str) -> int:
    return len("".join(text.split()).translate(MARKS))
