"""What is written on pictures in Office files is read by OCR."""

import io
import zipfile
from collections.abc import Sequence

import pytest
from packages import OFFICE, docx, paragraph, pptx, related, shape
from PIL import Image

from rag.domain import Document, Source
from rag.local.ocr.page import OcrLine, OcrPage
from rag.local.reading.frames import Bitmap, Recognized
from rag.local.reading.limits import DEFAULT_LIMITS
from rag.local.reading.media import sniff
from rag.local.reading.office.pictures import MOST
from rag.local.reading.parser import parse

DRAWN = (
    '<w:p><w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/'
    'wordprocessingDrawing"><wp:docPr id="1" name="" descr="A scan"/><a:graphic xmlns:a="http://'
    'schemas.openxmlformats.org/drawingml/2006/main"><a:blip r:embed="{id}"/></a:graphic>'
    "</wp:inline></w:drawing></w:r></w:p>"
)


def picture(width: int = 400, height: int = 300) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(buffer, "PNG")
    return buffer.getvalue()


def with_parts(package: bytes, parts: dict[str, str | bytes]) -> bytes:
    """The package with these parts instead of its own, or beside them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return buffer.getvalue()


class Ocr:
    """Says the same of every picture, and how many it was asked about."""

    def __init__(self, text: str = "Due on 3 May", confidence: float = 0.9) -> None:
        line = OcrLine(text, (0.1, 0.1, 0.9, 0.2), confidence)
        self.page = OcrPage(((line,),), 0, confidence)
        self.asked = 0

    def __call__(self, bitmaps: Sequence[Bitmap]) -> list[Recognized]:
        self.asked += len(bitmaps)
        return [Recognized(self.page, "an-ocr")] * len(bitmaps)

    def read(self, content: bytes) -> Document:
        source = Source("file", content)
        return parse(source, sniff(content, None, "file"), DEFAULT_LIMITS, self)


def letter(image: bytes, *ids: str) -> bytes:
    body = paragraph("Dear all") + "".join(DRAWN.format(id=id) for id in ids) + paragraph("Yours")
    relations = related(*(("image", f"media/image{n}.png") for n in range(1, len(ids) + 1)))
    images: dict[str, str | bytes] = {
        f"word/media/image{n}.png": image for n in range(1, len(ids) + 1)
    }
    return with_parts(docx(body), {"word/_rels/document.xml.rels": relations, **images})


def test_a_picture_in_a_letter_is_read_where_it_stands() -> None:
    document = Ocr().read(letter(picture(), "rId1"))

    assert document.text == "Dear all\n\nA scan\n\nDue on 3 May\n\nYours"
    [block] = [block for block in document.blocks if block.kind == "image"]
    assert document.text[block.start : block.end] == "Due on 3 May"
    assert block.confidence == pytest.approx(0.9)


def test_a_logo_on_every_slide_is_read_once() -> None:
    logo = (
        '<p:pic><p:nvPicPr><p:cNvPr id="2" name=""/></p:nvPicPr>'
        '<p:blipFill><a:blip r:embed="rId1"/></p:blipFill></p:pic>'
    )
    slides = pptx(shape("One") + logo, shape("Two") + logo)
    relations = related(("image", "../media/image1.png"))
    ocr = Ocr()

    document = ocr.read(
        with_parts(
            slides,
            {
                "ppt/slides/_rels/slide1.xml.rels": relations,
                "ppt/slides/_rels/slide2.xml.rels": relations,
                "ppt/media/image1.png": picture(),
            },
        )
    )

    assert document.text == "One\n\nDue on 3 May\n\nTwo"
    assert ocr.asked == 1
    assert OFFICE in relations


@pytest.mark.parametrize(
    ("image", "ocr"),
    [
        (picture(40, 40), Ocr()),  # an icon
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, Ocr()),  # damaged
        (picture(), Ocr("~ ' il", 0.3)),  # a texture
        (picture(), Ocr("=-")),  # no words
    ],
)
def test_pictures_without_words_add_nothing(image: bytes, ocr: Ocr) -> None:
    assert ocr.read(letter(image, "rId1")).text == "Dear all\n\nA scan\n\nYours"


def test_no_more_pictures_are_read_than_there_is_time_for() -> None:
    ocr = Ocr()

    ocr.read(letter(picture(), *(f"rId{n}" for n in range(1, MOST + 6))))

    assert ocr.asked == MOST
