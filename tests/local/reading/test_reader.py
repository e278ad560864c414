"""The port from end to end: real children, real limits, real OCR."""

import io
import struct
import zlib
from collections.abc import AsyncIterator
from email.message import EmailMessage

import pytest
from PIL import Image
from tiny_pdf import Text, pdf

from rag.domain import Source
from rag.errors import (
    DocumentTooLarge,
    EmptyDocument,
    InvalidDocument,
    UnsupportedMediaType,
)
from rag.local.reading.limits import Limits
from rag.local.reading.reader import LocalReader
from rag.ports import Reader

pytestmark = pytest.mark.anyio
LETTER = pdf([Text(60, 100, "The invoice is due on 14 March.", size=18)])


@pytest.fixture(scope="module")
async def reader() -> AsyncIterator[LocalReader]:
    reader = LocalReader(workers=1, limits=Limits(pages=3, pixels=5_000_000, bytes=1_000_000))
    yield reader
    await reader.close()


def source(content: bytes, key: str = "file") -> Source:
    return Source(key=key, content=content, attributes={"year": 2026})


async def test_it_is_a_reader(reader: LocalReader) -> None:
    assert isinstance(reader, Reader)
    assert "tuning" in reader.fingerprint


async def test_markdown_is_its_own_text_with_blocks(reader: LocalReader) -> None:
    document = await reader.read(source(b"# Title\r\n\r\ntext", "notes/a.md"))

    assert document.text == "# Title\n\ntext"
    assert [block.kind for block in document.blocks] == ["title", "text"]
    assert (document.title, document.key, document.media_type) == (
        "Title",
        "notes/a.md",
        "text/markdown",
    )
    assert document.attributes == {"year": 2026}


async def test_a_file_without_a_title_is_called_by_its_name(reader: LocalReader) -> None:
    document = await reader.read(source(b"just text", "notes/today.txt"))

    assert document.title == "today.txt"


async def test_the_callers_title_comes_first(reader: LocalReader) -> None:
    document = await reader.read(Source(key="a.md", content=b"# Title\n", title="Mine"))

    assert document.title == "Mine"


async def test_a_scan_is_read_by_ocr_and_says_so(reader: LocalReader) -> None:
    png = await reader.render(source(LETTER), 1, dpi=150)

    document = await reader.read(source(png, "scan.png"))

    [page] = document.pages
    [line] = [line for block in document.blocks for line in block.lines]
    assert "14 March" in document.text
    assert page.reader in {"tesseract", "rapidocr"}
    assert page.reason == "an image has no text layer"
    assert (page.width, page.height) == (1250, 1667)
    assert 0.05 < line.box[0] < 0.15
    assert 0.08 < line.box[1] < line.box[3] < 0.15


async def test_a_scanned_page_in_a_pdf_is_read_by_ocr_and_says_why(reader: LocalReader) -> None:
    image = Image.open(io.BytesIO(await reader.render(source(LETTER), 1, dpi=150)))
    scanned = io.BytesIO()
    image.save(scanned, "PDF", resolution=150)

    document = await reader.read(source(scanned.getvalue(), "scan.pdf"))

    assert "14 March" in document.text
    assert [page.reason for page in document.pages] == [
        "no text layer, images cover 100% of the page"
    ]


async def test_a_survey_leaves_scans_to_others_and_nothing_else(reader: LocalReader) -> None:
    image = Image.open(io.BytesIO(await reader.render(source(LETTER), 1, dpi=150)))
    blank = Image.new("RGB", image.size, "white")
    scanned = io.BytesIO()
    image.convert("RGB").save(scanned, "PDF", resolution=150, save_all=True, append_images=[blank])

    scan = await reader.survey(source(scanned.getvalue(), "scan.pdf"))
    sound = await reader.survey(source(LETTER))

    assert (scan.unread, scan.document.text) == ((1,), "")
    assert [page.reader for page in scan.document.pages] == ["none", "none"]
    assert sound.unread == ()
    assert sound.document == await reader.read(source(LETTER))


async def test_a_document_without_a_word_is_empty(reader: LocalReader) -> None:
    with pytest.raises(EmptyDocument, match="no text in it"):
        await reader.read(source(pdf([])))


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (pdf(*[[Text(50, 50, "x")]] * 4), DocumentTooLarge, "4 pages; at most 3"),
        (b"x" * 1_000_001, DocumentTooLarge, "at most"),
        (b"%PDF-1.7 nothing more", InvalidDocument, "damaged or cut short"),
        (b"\x89PNG\r\n\x1a\n and then nothing", InvalidDocument, "cannot be decoded"),
        (b"Rar!\x1a\x07\x00", UnsupportedMediaType, "RAR"),
        (b"PK\x03\x04word/", InvalidDocument, "damaged or cut short"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_a_reason(
    reader: LocalReader, content: bytes, error: type[InvalidDocument], said: str
) -> None:
    with pytest.raises(error, match=said):
        await reader.read(source(content))


async def test_an_image_bomb_is_refused_before_it_is_decoded(reader: LocalReader) -> None:
    small = io.BytesIO()
    Image.new("1", (8, 8)).save(small, "PNG")
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    bomb = small.getvalue()[:12] + header + struct.pack(">I", zlib.crc32(header))

    with pytest.raises(DocumentTooLarge, match="30000 x 30000"):
        await reader.read(source(bomb + small.getvalue()[33:]))


async def test_a_page_that_does_not_exist_cannot_be_rendered(reader: LocalReader) -> None:
    with pytest.raises(InvalidDocument):
        await reader.render(source(LETTER), 2, dpi=72)


async def test_a_page_is_rendered_as_large_as_asked(reader: LocalReader) -> None:
    image = Image.open(io.BytesIO(await reader.render(source(LETTER), 1, dpi=72)))

    assert image.size == (600, 800)


async def test_a_document_that_takes_too_long_is_refused() -> None:
    reader = LocalReader(workers=1, limits=Limits(seconds=0.01))

    with pytest.raises(DocumentTooLarge, match="longer than"):
        await reader.read(source(b"# slow to start\n", "a.md"))

    await reader.close()


async def test_a_scan_in_a_mail_is_recognized_here_and_left_to_nobody(reader: LocalReader) -> None:
    letter = EmailMessage()
    letter["Subject"] = "Invoice"
    letter.set_content("see the scan")
    png = await reader.render(source(LETTER), 1, dpi=150)
    letter.add_attachment(png, maintype="image", subtype="png", filename="scan.png")

    survey = await reader.survey(source(letter.as_bytes(), "a.eml"))

    assert survey.unread == ()
    assert [page.name for page in survey.document.pages] == ["Invoice", "scan.png"]
    assert "14 March" in survey.document.text


async def test_only_paper_has_pages_to_look_at(reader: LocalReader) -> None:
    with pytest.raises(InvalidDocument, match="only PDFs and images"):
        await reader.render(source(b"# text\n", "a.md"), 1, dpi=72)
