"""What a site says its page is, held against the page."""

import re
from contextlib import suppress

from rag.errors import FetchFailed

UNDECLARED = frozenset({"", "application/octet-stream", "binary/octet-stream", "unknown/unknown"})
"""Media types that say nothing."""

PDF_HEADER_WITHIN = 1024  # bytes; readers accept junk before %PDF-, ISO 32000-1 annex H

_CHARSET = re.compile(r"text/(?!xml).*;\s*charset\s*=\s*[\"']?([\w.:-]{2,40})", re.I)
"""XML names its own encoding, and would then name the wrong one."""
_KNOWN = re.compile(
    r"iso-?8859-\d{1,2}|latin-?\d|windows-(?:125\d|874)|cp125\d|koi8-[rut]|macintosh|us-ascii|"
    r"shift[_-]jis|sjis|euc-(?:jp|kr)|gb2312|gbk|gb18030|big5|utf-16(?:le|be)?",
    re.I,
)
"""Codecs of the web. Others of Python's are no encodings of texts, or take for ever."""
_MEANT = {"iso-8859-1": "windows-1252", "us-ascii": "windows-1252", "gb2312": "gb18030"}
"""What browsers take for them (WHATWG Encoding, 4.2)."""

_BINARY = re.compile(
    r"image/(?!svg)|audio/|video/|application/(?:pdf|zip|gzip|epub\+zip|msword|vnd\.(?:ms-|open))"
)
_PAGE = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_SAMPLE = 4096  # bytes


def media_type_of(declared: str, content: bytes) -> str | None:
    """Without its parameters; None where it says nothing, so that readers sniff.

    Raises:
        FetchFailed: a page came in place of the file: one that asks to sign in, or says that the
            file is gone. It would be read as if it were the document.
    """
    bare = declared.partition(";")[0].strip().lower()
    if _BINARY.match(bare) and _PAGE.match(content[:_SAMPLE]):
        raise FetchFailed(
            f"the site declares {bare}, but sent a web page instead, perhaps one to sign in"
        )
    if bare == "application/pdf" and content and b"%PDF-" not in content[:PDF_HEADER_WITHIN]:
        raise FetchFailed("the site declares application/pdf, but what it sent is no PDF")
    return None if bare in UNDECLARED else bare


def in_utf8(declared: str, content: bytes) -> bytes:
    """A text whose encoding only its site knows, and says beside it: alone, it would be guessed.
    What is UTF-8, or not what the site says, stays as it is."""
    charset = _CHARSET.match(declared)
    if charset is None or not _KNOWN.fullmatch(charset[1]):
        return content
    name = charset[1].lower()
    try:
        content.decode()
    except UnicodeDecodeError:
        with suppress(UnicodeDecodeError):
            return content.decode(_MEANT.get(name, name)).encode()
    return content
