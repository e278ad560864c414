"""Charts in a letter are read, and files that it takes in stand in their place."""

import pytest
from packages import docx, paragraph, read, related
from pictured import with_parts

from rag.errors import InvalidDocument

CHART = "http://schemas.openxmlformats.org/drawingml/2006/chart"
DRAWN = (
    '<w:p><w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/'
    f'wordprocessingDrawing"><wp:docPr id="1" name=""/><c:chart xmlns:c="{CHART}" r:id="rId1"/>'
    "</wp:inline></w:drawing></w:r></w:p>"
)
SERIES = (
    '<c:ser><c:tx><c:v>Ships</c:v></c:tx><c:cat><c:pt idx="0"><c:v>May</c:v></c:pt></c:cat>'
    '<c:val><c:pt idx="0"><c:v>7</c:v></c:pt></c:val></c:ser>'
)
TAKEN_IN = '<w:altChunk r:id="rId1"/>'


def test_a_letter_of_nothing_but_a_chart_has_its_numbers() -> None:
    parts: dict[str, str | bytes] = {
        "word/_rels/document.xml.rels": related(("chart", "charts/c.xml")),
        "word/charts/c.xml": f'<c:chartSpace xmlns:c="{CHART}">{SERIES}</c:chartSpace>',
    }

    document = read(with_parts(docx(DRAWN + DRAWN), parts))

    [block] = document.blocks
    assert block.kind == "table"
    assert "| May | 7 |" in document.text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("part.html", b"<html><body><h2>Terms</h2><p>Due in May.</p></body></html>"),
        (
            "part.docx",
            docx(paragraph("Terms", '<w:outlineLvl w:val="1"/>') + paragraph("Due in May.")),
        ),
        ("part.rtf", b"{\\rtf1 Terms\\par\\par Due in May.\\par}"),
    ],
)
def test_a_file_that_a_letter_takes_in_stands_where_it_is_taken_in(
    name: str, content: bytes
) -> None:
    parts: dict[str, str | bytes] = {
        "word/_rels/document.xml.rels": related(("aFChunk", name)),
        f"word/{name}": content,
    }
    body = paragraph("Dear all") + TAKEN_IN + paragraph("Yours")

    document = read(with_parts(docx(body), parts))

    lines = [line.lstrip("# ") for line in document.text.split("\n") if line]
    assert lines == ["Dear all", "Terms", "Due in May.", "Yours"]


@pytest.mark.parametrize(
    ("relations", "why"),
    [((), "missing"), ((("aFChunk", "part.bin"),), "takes in")],
)
def test_a_letter_whose_words_are_in_a_file_that_cannot_be_read_is_refused(
    relations: tuple[tuple[str, str], ...], why: str
) -> None:
    parts: dict[str, str | bytes] = {
        "word/_rels/document.xml.rels": related(*relations),
        "word/part.bin": b"\x00\x01\x02\x03" * 50,
    }

    with pytest.raises(InvalidDocument, match=why):
        read(with_parts(docx(paragraph("Dear all") + TAKEN_IN), parts))
