"""What a file is, is told by its bytes."""

import struct
import zipfile
from io import BytesIO

import pytest
from PIL import Image

from rag.errors import EmptyDocument, EncryptedDocument, UnsupportedMediaType
from rag.mistral.ocr.kinds import DOC, DOCX, EPUB, MEDIA_TYPES, ODT, PDF, PPT, PPTX, XLSX, kind_of
from rag.mistral.ocr.tiff import tiff_pages

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def archive(*names: str, mimetype: str | None = None) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        if mimetype:
            written.writestr("mimetype", mimetype)
        for name in names:
            written.writestr(name, "text " * 100, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def ole(*names: str) -> bytes:
    return OLE + b"".join(name.encode("utf-16-le") for name in names)


@pytest.mark.parametrize(
    ("content", "media_type", "family"),
    [
        (b"%PDF-1.7", PDF, "pdf"),
        (b"junk\n%PDF-1.7", PDF, "pdf"),
        (archive("[Content_Types].xml", "word/document.xml"), DOCX, "office"),
        (archive("[Content_Types].xml", "ppt/presentation.xml"), PPTX, "office"),
        (archive("[Content_Types].xml", "xl/workbook.xml"), XLSX, "office"),
        (archive("word/document.xml", "xl/workbook.xml"), DOCX, "office"),
        (archive("content.xml", mimetype=ODT), ODT, "office"),
        (archive("book.opf", mimetype=EPUB), EPUB, "office"),
        (ole("Root Entry", "WordDocument"), DOC, "office"),
        (ole("Root Entry", "PowerPoint Document"), PPT, "office"),
        (b"{\\rtf1 text}", "application/rtf", "office"),
        (b"\0\0\0\x1cftypavif", "image/avif", "image"),
        (b"\0\0\0\x1cftypheic", "image/heic", "image"),
        (b"\0\0\0\x1cftypmif1", "image/heif", "image"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp", "image"),
    ],
)
def test_a_file_is_known_by_its_content(content: bytes, media_type: str, family: str) -> None:
    kind = kind_of(content)

    assert kind.media_type == media_type
    assert [kind.is_pdf, kind.is_image, kind.is_office] == [
        family == each for each in ("pdf", "image", "office")
    ]
    assert kind.media_type in MEDIA_TYPES


@pytest.mark.parametrize(
    "content",
    [b"plain text", archive("a.txt"), ole("Workbook"), b"RIFF\0\0\0\0WAVE", b"\0\0\0\x1cftypmp42"],
)
def test_what_the_provider_does_not_read_is_not_sent(content: bytes) -> None:
    with pytest.raises(UnsupportedMediaType):
        kind_of(content)


def test_a_locked_or_empty_file_says_so() -> None:
    with pytest.raises(EncryptedDocument, match="password"):
        kind_of(ole("EncryptedPackage"))
    with pytest.raises(EmptyDocument):
        kind_of(b"")


@pytest.mark.parametrize("count", [1, 2, 30])
def test_pages_of_a_fax_are_counted(count: int) -> None:
    file = BytesIO()
    frames = [Image.new("1", (8, 8)) for _ in range(count)]
    frames[0].save(file, "TIFF", save_all=True, append_images=frames[1:])

    assert tiff_pages(file.getvalue()) == count


def test_a_chain_without_an_end_is_counted_once_around() -> None:
    directory = struct.pack("<HI", 0, 8)  # no fields, and the next directory is this one

    assert tiff_pages(b"II*\x00" + struct.pack("<I", 8) + directory) == 1
    assert tiff_pages(b"MM\x00*") == 1
    assert tiff_pages(b"II*\x00\xff\xff\xff\xff") == 1
