"""Which kind of file these bytes are: by content first, by declared type and name where content
does not say.

A look at the first bytes, no more, for it happens in the service's own process. What kind of file
a ZIP or an Office 97 container holds is found by the parser that opens it.
"""

import re
from pathlib import PurePosixPath

from rag.errors import EmptyDocument, UnsupportedMediaType
from rag.local.reading.foreign import refuse_by_name

MARKDOWN = "text/markdown"
HTML = "text/html"
PLAIN = "text/plain"
CODE = "text/x-source"
RST = "text/x-rst"
ASCIIDOC = "text/asciidoc"
CSV = "text/csv"
TSV = "text/tab-separated-values"
JSON = "application/json"
XML = "application/xml"
NOTEBOOK = "application/x-ipynb+json"
RTF = "application/rtf"
MAIL = "message/rfc822"
MBOX = "application/mbox"
PDF = "application/pdf"
ZIP = "application/zip"
TAR = "application/x-tar"
GZIP = "application/gzip"
BZIP2 = "application/x-bzip2"
XZ = "application/x-xz"
OLE = "application/x-ole-storage"
PACKED = frozenset((ZIP, TAR, GZIP, BZIP2, XZ))
"""Kinds that may be archives; an Office file is packed too."""
IMAGES = frozenset(
    {"image/png", "image/jpeg", "image/tiff", "image/webp", "image/gif", "image/bmp"}
)
PAPER = IMAGES | {PDF}
"""Kinds that have pages to look at, and may need OCR."""
READ = (
    "PDF, Word, PowerPoint, Excel, OpenDocument, RTF, EPUB, HTML, XML, markdown, reStructuredText,"
    " AsciiDoc, plain text, source code, CSV, JSON, notebooks, e-mail (EML, MSG, MBOX), ZIP and"
    " TAR archives, and PNG, JPEG, TIFF, WebP, GIF and BMP images"
)

PDF_HEADER_WITHIN = 1024  # bytes; readers accept junk before %PDF-, ISO 32000-1 annex H
TEXT_SAMPLE = 4096  # bytes looked at for markup and mail headers
TAR_MARK, TAR_MARK_AT = b"ustar", 257
TAR_BLOCK, TAR_SUM = 512, slice(148, 156)
BITMAP_HEADS = (12, 16, 40, 52, 56, 64, 108, 124)  # bytes, from OS/2 1 to Windows 5

MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"{\\rtf", RTF),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"\x1f\x8b", GZIP),
    (b"BZh", BZIP2),
    (b"\xfd7zXZ\x00", XZ),
)

REFUSED_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"7z\xbc\xaf\x27\x1c", "7z archives are not read; unpack it first"),
    (b"Rar!\x1a\x07", "RAR archives are not read; unpack it first"),
    (b"%!PS", "PostScript is not read; convert it to PDF"),
    (b"AT&TFORM", "DjVu is not read; convert it to PDF"),
)

MARKUP = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
XML_START = re.compile(rb"\s*<(?:\?xml\s|!DOCTYPE\s|rss\s|feed\s)")
MAIL_START = re.compile(
    rb"(?:[A-Za-z][A-Za-z-]*:[^\n]*\n(?:[ \t][^\n]*\n)*)*?"
    rb"(?:Received|MIME-Version|Message-ID|Return-Path):",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"https?://[^/?]*([^?]*)")
MBOX_START = re.compile(rb"From \S+[^\n]*\d\d:\d\d[^\n]*\n[A-Za-z][A-Za-z-]*:")
BY_SUFFIX: dict[str, str] = {
    **dict.fromkeys((".md", ".markdown", ".mdown", ".mkd", ".mdx"), MARKDOWN),
    **dict.fromkeys((".html", ".htm", ".xhtml"), HTML),
    **dict.fromkeys((".rst", ".rest"), RST),
    **dict.fromkeys((".adoc", ".asciidoc", ".asc"), ASCIIDOC),
    **dict.fromkeys((".eml", ".mht", ".mhtml"), MAIL),
    **dict.fromkeys((".json", ".jsonl", ".ndjson", ".geojson"), JSON),
    **dict.fromkeys((".xml", ".rss", ".atom", ".svg", ".dita", ".fodt", ".fods", ".fodp"), XML),
    **{".csv": CSV, ".tsv": TSV, ".tab": TSV, ".mbox": MBOX, ".ipynb": NOTEBOOK},
}
BY_DECLARATION: dict[str, str] = {
    "text/x-markdown": MARKDOWN,
    "application/xhtml+xml": HTML,
    "text/xml": XML,
    "application/rss+xml": XML,
    "application/atom+xml": XML,
    **{kind: kind for kind in (MARKDOWN, HTML, RST, ASCIIDOC, CSV, TSV, JSON, XML, NOTEBOOK)},
    **{kind: kind for kind in (MAIL, MBOX)},
}
CODE_SUFFIXES = {
    *(".bash", ".c", ".cc", ".clj", ".cpp", ".cs", ".css", ".cxx", ".dart", ".erl"),
    *(".ex", ".exs", ".f90", ".fs", ".go", ".gradle", ".groovy", ".h", ".hh", ".hpp"),
    *(".hs", ".ini", ".java", ".jl", ".js", ".jsx", ".kt", ".lua", ".m"),
    *(".mjs", ".ml", ".nix", ".php", ".pl", ".pm", ".proto", ".ps1", ".py", ".pyi", ".r"),
    *(".rb", ".rs", ".scala", ".scss", ".sh", ".sql", ".swift", ".tcl", ".toml"),
    *(".tf", ".ts", ".tsx", ".vb", ".vue", ".xsd", ".xsl", ".yaml", ".yml"),
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
    return _by_magic(content) or _by_text(content, declared, _suffix(key, declared))


def _suffix(key: str, declared: str | None) -> str:
    """Of a file's name; of an address, what stands in its path: `https://docs.rs` is no Rust. A
    page's own says what made it (`index.php`), and nothing of the page."""
    address = ADDRESS.match(key)
    if address and BY_DECLARATION.get(declared or "") == HTML:
        return ""
    return PurePosixPath(address[1] if address else key).suffix.lower()


def _by_magic(content: bytes) -> str | None:
    if b"%PDF-" in content[:PDF_HEADER_WITHIN]:
        return PDF
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    for start, reason in REFUSED_MAGIC:
        if content.startswith(start):
            raise UnsupportedMediaType(reason)
    if content[TAR_MARK_AT : TAR_MARK_AT + len(TAR_MARK)] == TAR_MARK or _is_old_tar(content):
        return TAR
    if content.startswith(b"BM") and _is_bitmap(content):
        return "image/bmp"
    return next((kind for start, kind in MAGIC if content.startswith(start)), None)


def _is_old_tar(content: bytes) -> bool:
    """From before there was a mark: the sum in a member's head is that of the head, itself taken
    for spaces."""
    head = content[:TAR_BLOCK]
    said = head[TAR_SUM].strip(b" \x00")
    if len(head) < TAR_BLOCK or not said.isdigit() or said.strip(b"01234567"):
        return False
    return int(said, 8) == sum(head) - sum(head[TAR_SUM]) + len(head[TAR_SUM]) * ord(" ")


def _is_bitmap(content: bytes) -> bool:
    """And not a text on BMW: what Windows reserved is empty, and its second head has a known
    size."""
    return not any(content[6:10]) and int.from_bytes(content[14:18], "little") in BITMAP_HEADS


def _by_text(content: bytes, declared: str | None, suffix: str) -> str:
    named = BY_SUFFIX.get(suffix)
    if _is_binary(content) and not (named == HTML and content.lstrip()[:1] == b"<"):
        refuse_by_name(content)
        raise UnsupportedMediaType(
            f"this is neither text nor any kind of file known here; what is read: {READ}"
        )
    sample = content[:TEXT_SAMPLE].replace(b"\x00", b"")
    if MBOX_START.match(sample):
        return MBOX
    if named not in (MBOX, MARKDOWN) and MAIL_START.match(sample):
        return MAIL
    if suffix in CODE_SUFFIXES:
        return CODE
    if named in (None, XML) and MARKUP.search(sample):
        return HTML
    return named or BY_DECLARATION.get(declared or "") or _by_start(sample)


def _by_start(sample: bytes) -> str:
    return XML if XML_START.match(sample.removeprefix(b"\xef\xbb\xbf")) else PLAIN


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
