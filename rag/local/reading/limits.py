"""How much one document may cost before it is refused."""

from msgspec import Struct


class Limits(Struct, frozen=True):
    """Beyond any of these a document is refused as too large; the service goes on."""

    bytes: int = 256 * 1024 * 1024
    """Of one file: ten times the largest annual report we know, and still sent to a child whole."""
    pages: int = 5_000
    """Of one file: the thickest printed works have about half of this."""
    pixels: int = 100_000_000
    """Of one decoded image: an A1 sheet at 300 dpi has 70 million. As RGB this is 300 MB."""
    seconds: float = 120
    """Of one document in its parser, waiting for OCR apart; 5,000 plain pages need about 60."""
    ocr_seconds: float = 120
    """Of one page in OCR: ten times what a dense page takes on a slow core."""
    unpacked: int = 512 * 1024 * 1024
    """Bytes that come out of one archive or office file, with all archives within it."""
    entries: int = 10_000
    """Of one archive or office file, with those of archives within it."""
    depth: int = 4
    """Of archives and mails within one another: a mail with a forwarded mail with a ZIP has 3."""
    ratio: int = 250
    """Times its size that a large member may unpack to: the densest real sheets reach 100."""
    characters: int = 64_000_000
    """Of one document's text: twenty times the thickest printed works."""
    memory: int = 1024 * 1024 * 1024
    """Bytes of address space of a parser: three copies of the largest image would not fit."""
    ocr_memory: int = 4 * 1024 * 1024 * 1024
    """Bytes of address space of an OCR engine: its models and arenas reserve far more than they
    touch."""


DEFAULT_LIMITS = Limits()
