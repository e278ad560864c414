"""Which kind of file these bytes are: by content first, by declared type and name where content
does not say."""

import re
from pathlib import PurePosixPath

from rag.errors import EmptyDocument, UnsupportedMediaType

MARKDOWN = "text/markdown"
HTML = "text/html"
PLAIN = "text/plain"
CODE = "text/x-source"
PDF = "application/pdf"
IMAGES = frozenset(
    {"image/png", "image/jpeg", "image/tiff", "image/webp", "image/gif", "image/bmp"}
)
READ = "PDF, HTML, markdown, plain text, source code, and PNG, JPEG, TIFF, WebP, GIF and BMP images"

PDF_HEADER_WITHIN = 1024  # bytes; readers accept junk before %PDF-, ISO 32000-1 annex H
TEXT_SAMPLE = 4096  # bytes looked at for markup and mail headers

MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
)

REFUSED_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"{\\rtf", "Rich Text documents are not read yet; export to PDF"),
    (b"\x1f\x8b", "gzip archives are not read yet; unpack it first"),
    (b"BZh", "bzip2 archives are not read yet; unpack it first"),
    (b"\xfd7zXZ\x00", "xz archives are not read yet; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "7z archives are not read yet; unpack it first"),
    (b"Rar!\x1a\x07", "RAR archives are not read yet; unpack it first"),
    (b"%!PS", "PostScript is not read; convert it to PDF"),
    (b"AT&TFORM", "DjVu is not read; convert it to PDF"),
)

IN_ZIP: tuple[tuple[bytes, str], ...] = (
    (b"word/", "Word documents are not read yet; export to PDF"),
    (b"ppt/", "PowerPoint presentations are not read yet; export to PDF"),
    (b"xl/", "Excel workbooks are not read yet; export to PDF or to text"),
    (b"application/epub+zip", "EPUB books are not read yet; export to PDF or HTML"),
    (b"application/vnd.oasis.opendocument", "OpenDocument files are not read yet; export to PDF"),
)
IN_OLE: tuple[tuple[str, str], ...] = (
    ("EncryptedPackage", "password-protected Office files are not read; remove the password"),
    ("WordDocument", "Word 97 documents are not read yet; export to PDF"),
    ("PowerPoint Document", "PowerPoint 97 presentations are not read yet; export to PDF"),
    ("Workbook", "Excel 97 workbooks are not read yet; export to PDF or to text"),
    ("Book", "Excel 97 workbooks are not read yet; export to PDF or to text"),
    ("__substg1.0_", "Outlook messages are not read yet; save it as text or PDF"),
)
REFUSED_SUFFIXES = {
    ".eml": "e-mail is not read yet; save it as text or PDF",
    ".mbox": "e-mail is not read yet; save it as text or PDF",
    ".ipynb": "notebooks are not read yet; export to markdown or HTML",
}

MARKUP = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
MAIL = re.compile(
    rb"(?:[A-Za-z][A-Za-z-]*:[^\n]*\n(?:[ \t][^\n]*\n)*)*?"
    rb"(?:Received|MIME-Version|Message-ID|Return-Path):",
    re.IGNORECASE,
)
MARKDOWN_SUFFIXES = {".md", ".markdown", ".mdown", ".mkd", ".mdx"}
HTML_SUFFIXES = {".html", ".htm", ".xhtml"}
CODE_SUFFIXES = {
    *(".bash", ".c", ".cc", ".clj", ".cpp", ".cs", ".css", ".csv", ".cxx", ".dart", ".erl"),
    *(".ex", ".exs", ".f90", ".fs", ".go", ".gradle", ".groovy", ".h", ".hh", ".hpp"),
    *(".hs", ".ini", ".java", ".jl", ".js", ".json", ".jsonl", ".jsx", ".kt", ".lua", ".m"),
    *(".mjs", ".ml", ".nix", ".php", ".pl", ".pm", ".proto", ".ps1", ".py", ".pyi", ".r"),
    *(".rb", ".rs", ".rss", ".scala", ".scss", ".sh", ".sql", ".swift", ".tcl", ".toml"),
    *(".tf", ".ts", ".tsv", ".tsx", ".vb", ".vue", ".xml", ".xsd", ".xsl", ".yaml", ".yml"),
    *(".zig", ".zsh"),
}


def sniff(content: bytes, declared: str | None, key: str) -> str:
    """
    Raises:
        EmptyDocument: there are no bytes.
        UnsupportedMediaType: this kind of file is not read.
    """
    if not content.strip(b"\x00 \t\r\n"):
        raise EmptyDocument("the file is empty")
    return _by_magic(content) or _by_text(content, declared, PurePosixPath(key).suffix.lower())


def _by_magic(content: bytes) -> str | None:
    if b"%PDF-" in content[:PDF_HEADER_WITHIN]:
        return PDF
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    for start, reason in REFUSED_MAGIC:
        if content.startswith(start):
            raise UnsupportedMediaType(reason)
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise UnsupportedMediaType(_named(content, IN_ZIP, "ZIP archives are not read yet"))
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        names = tuple((name.encode("utf-16-le"), reason) for name, reason in IN_OLE)
        raise UnsupportedMediaType(_named(content, names, "Office 97 files are not read yet"))
    return next((kind for start, kind in MAGIC if content.startswith(start)), None)


def _named(content: bytes, names: tuple[tuple[bytes, str], ...], otherwise: str) -> str:
    return next((reason for name, reason in names if name in content), otherwise)


def _by_text(content: bytes, declared: str | None, suffix: str) -> str:
    if _is_binary(content) and not (suffix in HTML_SUFFIXES and content.lstrip()[:1] == b"<"):
        raise UnsupportedMediaType(
            f"this is neither text nor any kind of file known here ({_as_hex(content)}); "
            f"what is read: {READ}"
        )
    if suffix in REFUSED_SUFFIXES:
        raise UnsupportedMediaType(REFUSED_SUFFIXES[suffix])
    if declared == "message/rfc822" or MAIL.match(content[:TEXT_SAMPLE]):
        raise UnsupportedMediaType(REFUSED_SUFFIXES[".eml"])
    if suffix in MARKDOWN_SUFFIXES or declared in {MARKDOWN, "text/x-markdown"}:
        return MARKDOWN
    if suffix in CODE_SUFFIXES:
        return CODE
    is_markup = MARKUP.search(content[:TEXT_SAMPLE].replace(b"\x00", b""))
    if is_markup or suffix in HTML_SUFFIXES or declared in {HTML, "application/xhtml+xml"}:
        return HTML
    return PLAIN


def _is_binary(content: bytes) -> bool:
    """Zero bytes in a sample mean binary, but for UTF-16 and UTF-32, where they are every second
    byte or three in four, always in the same places."""
    sample = content[:TEXT_SAMPLE]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return False
    controls = sum(sample.count(bytes([c])) for c in (*range(1, 8), *range(14, 27)))
    if controls > len(sample) / 20:
        return True
    zeros = sample.count(0)
    return zeros > 0 and not _is_wide(sample, zeros)


def _is_wide(sample: bytes, zeros: int) -> bool:
    if zeros < len(sample) / 4:
        return False
    by_place = [sample[place::4].count(0) for place in range(4)]
    return any(count < len(sample) / 40 for count in by_place)


def _as_hex(content: bytes) -> str:
    return "it begins with " + content[:8].hex(" ")
