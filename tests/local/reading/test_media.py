"""A file is what its bytes say, not what it is called."""

import pytest

from rag.errors import EmptyDocument, UnsupportedMediaType
from rag.local.reading.media import CODE, HTML, MARKDOWN, PDF, PLAIN, sniff


@pytest.mark.parametrize(
    ("content", "declared", "key", "kind"),
    [
        (b"%PDF-1.7\n", "text/plain", "a.txt", PDF),
        (b"junk before\n%PDF-1.4", None, "a", PDF),
        (b"\x89PNG\r\n\x1a\n....", None, "a.jpg", "image/png"),
        (b"\xff\xd8\xff\xe0....", None, "a", "image/jpeg"),
        (b"RIFF....WEBPVP8 ", None, "a", "image/webp"),
        (b"II*\x00....", None, "a", "image/tiff"),
        (b"<!DOCTYPE html><p>x", None, "a.txt", HTML),
        (b"<p>no declaration", None, "a.htm", HTML),
        (b"<p>declared", "text/html", "a", HTML),
        (b"# head", None, "notes.md", MARKDOWN),
        (b"# head", "text/markdown", "notes", MARKDOWN),
        (b"# head", None, "notes", PLAIN),
        (b"<html> in a string", None, "a.py", CODE),
        ("naïve".encode("utf-16"), None, "a.txt", PLAIN),
        ("naïve".encode("utf-16-le"), None, "a.txt", PLAIN),
        ("naïve text here".encode("latin-1"), None, "a.txt", PLAIN),
    ],
)
def test_content_decides_first(content: bytes, declared: str | None, key: str, kind: str) -> None:
    assert sniff(content, declared, key) == kind


@pytest.mark.parametrize(
    ("content", "key", "said"),
    [
        (b"PK\x03\x04..word/document.xml", "a.pdf", "Word documents are not read yet"),
        (b"PK\x03\x04..xl/workbook.xml", "a", "Excel workbooks"),
        (b"PK\x03\x04..mimetypeapplication/epub+zip", "a", "EPUB"),
        (b"PK\x03\x04..readme", "a.zip", "ZIP archives"),
        (b"\xd0\xcf\x11\xe0.." + "WordDocument".encode("utf-16-le"), "a.doc", "Word 97"),
        (b"\xd0\xcf\x11\xe0.." + "EncryptedPackage".encode("utf-16-le"), "a.docx", "password"),
        (b"{\\rtf1 hello", "a.txt", "Rich Text"),
        (b"Received: from x\nSubject: y\n\nbody", "a", "e-mail"),
        (b"Subject: y\n\nbody", "a.eml", "e-mail"),
        (b"\x7fELF\x01\x00\x00\x00\x00\x00", "a.txt", "begins with 7f 45 4c 46"),
    ],
)
def test_what_is_not_read_is_refused_by_name(content: bytes, key: str, said: str) -> None:
    with pytest.raises(UnsupportedMediaType, match=said):
        sniff(content, None, key)


@pytest.mark.parametrize("content", [b"", b"  \n\t", b"\x00\x00"])
def test_nothing_is_empty(content: bytes) -> None:
    with pytest.raises(EmptyDocument):
        sniff(content, "application/pdf", "a.pdf")
