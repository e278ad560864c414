"""Bytes of a text file -> its text, and plain text -> blocks."""

import re

from charset_normalizer import from_bytes

from rag.domain import Block
from rag.errors import InvalidDocument

BYTE_ORDER_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
GUESSING_SAMPLE = 256 * 1024  # bytes; more did not change a guess and takes seconds
UNSEEN = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ufeff\U000e0000-\U000e007f]")
"""Dropped from text: controls, and the invisible twins of ASCII that carry messages to models. Tab,
line feed, form feed and carriage return have a meaning."""
PARAGRAPH = re.compile(r"[^\n\f]*\S[^\n\f]*(?:\n[^\n\f]*\S[^\n\f]*)*")


def decode(content: bytes, declared: str | None = None, otherwise: str | None = None) -> str:
    """The text, whole, with lines ended by `\\n` alone and without control characters.

    A byte order mark decides, then UTF-8 if it fits, then `declared`, then a guess, and where
    nothing can be guessed, `otherwise`.

    Raises:
        InvalidDocument: the bytes are text in no encoding.
    """
    return normalized(_decoded(content, declared) or _guessed(content, otherwise))


def normalized(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return UNSEEN.sub("", text)


def _decoded(content: bytes, declared: str | None) -> str | None:
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    for encoding in ("utf-8", *([declared] if declared else [])):
        try:
            return content.decode(encoding)
        except (ValueError, LookupError):  # not in it; or no name of an encoding
            continue
    return None


def _guessed(content: bytes, otherwise: str | None) -> str:
    guess = from_bytes(content[:GUESSING_SAMPLE]).best()
    encoding = guess.encoding if guess else otherwise
    if encoding is None:
        raise InvalidDocument("this text is in no encoding known here; save it as UTF-8")
    return content.decode(encoding, "replace")


def paragraphs(text: str) -> tuple[Block, ...]:
    """Runs of lines between blank lines."""
    return tuple(Block("text", m.start(), m.end()) for m in PARAGRAPH.finditer(text))


def whole(text: str) -> tuple[Block, ...]:
    """A file of source code: one block, without blank lines at either end."""
    stripped = text.strip("\n")
    start = text.index(stripped)
    return (Block("code", start, start + len(stripped)),) if stripped.strip() else ()
