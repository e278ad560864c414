"""What a site says its page is, held against the page."""

import re

from rag.errors import FetchFailed

UNDECLARED = frozenset({"", "application/octet-stream", "binary/octet-stream", "unknown/unknown"})
"""Media types that say nothing."""

PDF_HEADER_WITHIN = 1024  # bytes; readers accept junk before %PDF-, ISO 32000-1 annex H

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
