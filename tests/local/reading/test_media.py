"""A file is what its bytes say, not what it is called."""

import pytest

from rag.errors import EmptyDocument, UnsupportedMediaType
from rag.local.reading import media
from rag.local.reading.media import CODE, HTML, MARKDOWN, PDF, PLAIN, sniff


def old_tar() -> bytes:
    """As `tar` wrote in 1979: with a sum, and no mark."""
    head = bytearray(512)
    head[:5] = b"a.txt"
    head[148:156] = b" " * 8
    head[148:155] = b"%06o\0" % sum(head)
    return bytes(head)


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
        (b"<p>made by a script", "text/html", "https://example.org/index.php?a=b.py", HTML),
        (b"<p>no Rust", "text/html", "https://docs.rs", HTML),
        (b"fn main() {}", "text/plain", "https://example.org/main.rs?raw=1", CODE),
        (b"# head", "text/plain", "https://example.org/README.md", MARKDOWN),
        (b"plain", "text/plain", "https://docs.rs", PLAIN),
        (b"BMW to make a car, and more of them", None, "a.txt", PLAIN),
        (b"BM" + bytes(12) + b"\x28\x00\x00\x00", None, "a", "image/bmp"),
        (b"MZ is how programs begin, and names", None, "a.txt", PLAIN),
        ("naïve".encode("utf-16"), None, "a.txt", PLAIN),
        ("naïve".encode("utf-16-le"), None, "a.txt", PLAIN),
        ("naïve text here".encode("latin-1"), None, "a.txt", PLAIN),
    ],
)
def test_content_decides_first(content: bytes, declared: str | None, key: str, kind: str) -> None:
    assert sniff(content, declared, key) == kind


@pytest.mark.parametrize(
    ("content", "key", "kind"),
    [
        (b"PK\x03\x04..", "a.pdf", media.ZIP),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1..", "a.docx", media.OLE),
        (b"{\\rtf1 hello", "a.txt", media.RTF),
        (b"\x1f\x8b..", "a.txt", media.GZIP),
        (b"." * 257 + b"ustar", "a", media.TAR),
        (old_tar(), "a", media.TAR),
        (b"Received: from x\nSubject: y\n\nbody", "a.txt", media.MAIL),
        (b"Subject: y\n\nbody", "a.eml", media.MAIL),
        (b"From me Thu Jan  1 00:00:00 2026\nSubject: y\n\nbody", "a", media.MBOX),
        (b"a,b\n1,2", "a.csv", media.CSV),
        (b"{}", "a.json", media.JSON),
        (b"{}", "a.ipynb", media.NOTEBOOK),
        (b"Title\n=====", "a.rst", media.RST),
        (b"= Title", "a.adoc", media.ASCIIDOC),
        (b"<?xml version='1.0'?><a/>", "a", media.XML),
        (b"<?xml version='1.0'?><html/>", "a.xml", HTML),
        (b"<?xml version='1.0'?><xsl/>", "a.xsl", CODE),
    ],
)
def test_a_look_at_its_start_or_name_tells_a_kind(content: bytes, key: str, kind: str) -> None:
    assert sniff(content, None, key) == kind


@pytest.mark.parametrize(
    ("content", "key", "said"),
    [
        (b"Rar!\x1a\x07\x00", "a.zip", "RAR archives are not read"),
        (b"%!PS-Adobe", "a.ps", "PostScript is not read"),
        (b"\x7fELF\x01\x00\x00\x00\x00\x00", "a.txt", "nothing is read of programs"),
        (b"ID3\x03\x00\x00\x00\x00", "a.mp3", "nothing is read of MP3 audio; a transcript"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "a.heic", "HEIC and AVIF pictures"),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00", "a.mp4", "nothing is read of video"),
        (b"\xff\xfb\x90\x00\x00\x00\x00\x00", "a", "MPEG audio"),
        (b"\x30\x80\x06\x09*\x86H\x86\xf7\r\x01\x07\x00", "a.p7m", "certificates"),
        (b"\x01\x02\x00\x00\x00\x00\x00\x00", "a", "neither text nor any kind of file known"),
    ],
)
def test_what_is_not_read_is_refused_by_name(content: bytes, key: str, said: str) -> None:
    with pytest.raises(UnsupportedMediaType, match=said):
        sniff(content, None, key)


@pytest.mark.parametrize("content", [b"", b"  \n\t", b"\x00\x00"])
def test_nothing_is_empty(content: bytes) -> None:
    with pytest.raises(EmptyDocument):
        sniff(content, "application/pdf", "a.pdf")
