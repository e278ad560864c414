"""Which kind of file these bytes are, of those that the provider reads."""

from collections.abc import Iterator

from msgspec import Struct

from rag.errors import EmptyDocument, EncryptedDocument, UnsupportedMediaType
from rag.mistral.ocr.tiff import tiff_pages

PDF = "application/pdf"
_OOXML = "application/vnd.openxmlformats-officedocument"
DOCX = f"{_OOXML}.wordprocessingml.document"
PPTX = f"{_OOXML}.presentationml.presentation"
XLSX = f"{_OOXML}.spreadsheetml.sheet"
DOC = "application/msword"
PPT = "application/vnd.ms-powerpoint"
ODT = "application/vnd.oasis.opendocument.text"
EPUB = "application/epub+zip"
RTF = "application/rtf"

MODERN_IMAGES = ("image/avif", "image/heic", "image/heif")

MEDIA_TYPES = (
    PDF,
    "image/png",
    "image/jpeg",
    "image/tiff",
    "image/webp",
    "image/gif",
    "image/bmp",
    *MODERN_IMAGES,
    *(DOCX, PPTX, XLSX, DOC, PPT, ODT, EPUB, RTF),
)
"""What the provider reads. Of the formats in its FAQ those are left out that are text: reading
them takes no OCR and no money."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", PDF),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"{\\rtf", RTF),
)
"""First bytes -> media type; what a file is counts for more than what it was declared as."""

_BRANDS = {
    b"avif": "image/avif",
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx"), "image/heic"),
    **dict.fromkeys((b"mif1", b"msf1", b"heim", b"heis"), "image/heif"),
}
"""Of ISO base media files, behind `ftyp`."""

_PDF_WITHIN = 1024
"""Bytes; readers of PDF look for its mark that far, ISO 32000-1 annex H."""

_IN_ZIP: tuple[tuple[bytes, str], ...] = (
    (b"word/document.xml", DOCX),
    (b"ppt/presentation.xml", PPTX),
    (b"xl/workbook.xml", XLSX),
)
"""Names of entries, which an archive tells uncompressed."""

_IN_OLE: tuple[tuple[str, str], ...] = (("WordDocument", DOC), ("PowerPoint Document", PPT))
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED = "EncryptedPackage".encode("utf-16-le")


class Kind(Struct, frozen=True):
    media_type: str

    @property
    def is_pdf(self) -> bool:
        return self.media_type == PDF

    @property
    def is_image(self) -> bool:
        return self.media_type.startswith("image/")

    @property
    def is_office(self) -> bool:
        return not self.is_pdf and not self.is_image


def kind_of(content: bytes) -> Kind:
    """
    Raises:
        EmptyDocument: there are no bytes.
        EncryptedDocument: a password is needed.
        UnsupportedMediaType: the provider reads no such file.
    """
    if not content:
        raise EmptyDocument("the file is empty")
    found = next(_guesses(content), None)
    if found is None:
        raise UnsupportedMediaType(
            "neither a PDF, an image, nor an Office, OpenDocument, RTF or EPUB text; Mistral's OCR"
            " reads nothing else"
        )
    return Kind(found)


def image_pages(content: bytes, kind: Kind) -> int:
    """Of an image: one, but for TIFF, which fax machines and scanners fill with many."""
    return tiff_pages(content) if kind.media_type == "image/tiff" else 1


def _guesses(content: bytes) -> Iterator[str]:
    yield from (kind for magic, kind in _MAGIC if content.startswith(magic))
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        yield "image/webp"
    if content[4:8] == b"ftyp" and content[8:12] in _BRANDS:
        yield _BRANDS[content[8:12]]
    if b"%PDF-" in content[:_PDF_WITHIN]:
        yield PDF
    if content.startswith(_ZIP):
        yield from _in_zip(content)
    if content.startswith(_OLE):
        yield from _in_ole(content)


def _in_zip(content: bytes) -> Iterator[str]:
    """EPUB and OpenDocument begin with an entry that says what they are."""
    start = content[:256]
    yield from (kind for kind in (EPUB, ODT) if b"mimetype" + kind.encode() in start)
    places = ((content.find(name), kind) for name, kind in _IN_ZIP)
    yield from (kind for at, kind in sorted(places) if at >= 0)


def _in_ole(content: bytes) -> Iterator[str]:
    if _LOCKED in content:
        raise EncryptedDocument("the file is encrypted; remove its password")
    yield from (kind for name, kind in _IN_OLE if name.encode("utf-16-le") in content)
