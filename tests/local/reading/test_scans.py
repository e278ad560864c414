"""What OCR reads becomes pages like any other, in the place where it is seen."""

from collections.abc import Sequence

import pytest

from rag.domain import Box, Doubt
from rag.local.ocr.page import OcrLine, OcrPage
from rag.local.reading.composition import compose
from rag.local.reading.frames import Bitmap, Failed, Recognized
from rag.local.reading.layout import PrintedBlock, PrintedLine, PrintedPage
from rag.local.reading.scans import BATCH, Scan, as_seen, beside, recognized

WHOLE = (0.0, 0.0, 1.0, 1.0)
BITMAP = Bitmap(1, 1, b"...")


def scans(count: int) -> list[Scan]:
    return [Scan(n, 600, 800, "no text layer", BITMAP) for n in range(1, count + 1)]


def lines(*heights: float) -> tuple[tuple[OcrLine, ...], ...]:
    tops = [sum(heights[:i]) for i in range(len(heights))]
    return tuple(
        (OcrLine(f"line of height {h}", (0.1, top, 0.9, top + h), 0.9),)
        for top, h in zip(tops, heights, strict=True)
    )


@pytest.mark.parametrize(
    ("rotation", "box"),
    [
        (0, (0.1, 0.2, 0.3, 0.4)),
        (90, (0.2, 0.7, 0.4, 0.9)),
        (180, (0.7, 0.6, 0.9, 0.8)),
        (270, (0.6, 0.1, 0.8, 0.3)),
    ],
)
def test_boxes_of_a_turned_page_lie_where_the_file_shows_them(rotation: int, box: Box) -> None:
    assert as_seen((0.1, 0.2, 0.3, 0.4), rotation) == pytest.approx(box)


def test_a_page_that_fails_has_no_text_and_says_why() -> None:
    def recognize(bitmaps: Sequence[Bitmap]) -> list[Recognized | Failed]:
        good = Recognized(OcrPage(lines(0.02), 90, 0.9), "tesseract")
        return [good, Failed("document_too_large", "it took too long")]

    read, failed = recognized(scans(2), recognize)

    assert (read.reader, read.reason) == ("tesseract", "no text layer; turned by 90°")
    assert read.confidence == 0.9
    assert (failed.reader, failed.blocks) == ("none", ())
    assert failed.reason == "no text layer; recognition failed: it took too long"


def test_pages_are_sent_in_batches_and_come_back_in_order() -> None:
    sizes = []

    def recognize(bitmaps: Sequence[Bitmap]) -> list[Recognized | Failed]:
        sizes.append(len(bitmaps))
        return [Recognized(OcrPage(), "tesseract")] * len(bitmaps)

    pages = list(recognized(scans(BATCH + 1), recognize))

    assert sizes == [BATCH, 1]
    assert [page.number for page in pages] == list(range(1, BATCH + 2))


def test_lines_in_much_larger_print_are_headings() -> None:
    def recognize(bitmaps: Sequence[Bitmap]) -> list[Recognized | Failed]:
        return [Recognized(OcrPage(lines(0.05, *[0.02] * 6, 0.033, 0.02), 0, 0.9), "rapidocr")]

    [page] = recognized(scans(1), recognize)

    assert [(b.kind, b.level) for b in page.blocks if b.kind == "title"] == [
        ("title", 1),
        ("title", 2),
    ]


def test_doubtful_words_are_spans_of_the_documents_text() -> None:
    box = (0.1, 0.1, 0.9, 0.2)
    first = OcrLine("All is well", box, 0.95)
    second = OcrLine("but tbis word", box, 0.8, (Doubt(4, 8, 0.3),))
    page = OcrPage(((first,), (first, second)), 0, 0.9)

    made = compose(
        list(recognized(scans(1), lambda bitmaps: [Recognized(page, "an-ocr")] * len(bitmaps)))
    )

    [[doubt]] = [block.doubts for block in made.blocks if block.doubts]
    assert made.text[doubt.start : doubt.end] == "tbis"
    assert doubt.confidence == 0.3


def test_lines_that_a_text_layer_lacks_are_read_from_the_page_and_the_others_are_not() -> None:
    there = PrintedBlock("text", (PrintedLine("For leaders", (0.2, 0.7, 0.8, 0.8)),), WHOLE)
    page = PrintedPage(1, 600, 800, "text-layer", "sound text layer", (there,))
    again = PrintedBlock(
        "text", (PrintedLine("F0r leaders", (0.21, 0.71, 0.79, 0.79)),), (0, 0, 1, 1)
    )
    logo = PrintedBlock(
        "title", (PrintedLine("THE VISION", (0.3, 0.1, 0.7, 0.2)),), (0, 0, 1, 1), 1
    )
    read = PrintedPage(1, 600, 800, "an-ocr", "sound text layer", (again, logo))

    both = beside(page, read)

    assert [line.text for block in both.blocks for line in block.lines] == [
        "For leaders",
        "THE VISION",
    ]
    assert both.reader == "text-layer"
    assert both.reason == "sound text layer; an-ocr read what its images say"
    assert [block.kind for block in both.blocks] == ["text", "image"]


def test_a_page_on_which_ocr_finds_nothing_more_stays_as_it_is() -> None:
    page = PrintedPage(1, 600, 800, "text-layer", "sound text layer")

    assert beside(page, PrintedPage(1, 600, 800, "none", "failed")) == page
