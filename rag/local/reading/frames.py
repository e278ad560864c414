"""What a reader and its child processes say to each other: length-prefixed msgpack over pipes.

The two alternate strictly. The reader sends a request; the child answers `Done`, `Surveyed`,
`Rendered`, `Recognized` or `Failed`, or first asks with `Scans` for pages to be recognized and is
answered with `Recognitions`, as often as it likes. Asked to unpack, it sends `Unpacked` for each
file and waits for an empty frame, and ends with `AllUnpacked`; asked what is in an archive, it
answers `Listed`.
"""

from typing import BinaryIO, TypeAlias

import msgspec
from msgspec import Struct

from rag.domain import Box, Document, Source, Survey
from rag.local.ocr.page import OcrPage
from rag.local.reading.limits import Limits
from rag.ports import Member

HEADER_BYTES = 8
MAX_FRAME = 1024 * 1024 * 1024  # bytes; a frame that claims more comes from a child gone wrong


class Bitmap(Struct, frozen=True, tag=True):
    """A page as pixels, three bytes each, row by row from the top left."""

    width: int
    height: int
    rgb: bytes


class ReadSource(Struct, frozen=True, tag=True):
    source: Source
    media_type: str
    """As sniffed from the bytes, not as declared."""
    limits: Limits


class SurveySource(Struct, frozen=True, tag=True):
    """Read, but leave to others what needs OCR."""

    source: Source
    media_type: str
    limits: Limits


class RenderPage(Struct, frozen=True, tag=True):
    content: bytes
    media_type: str
    number: int
    dpi: int
    limits: Limits
    marked: tuple[Box, ...] = ()
    """Cut out with what is around them; the whole page where there are none."""


class UnpackSource(Struct, frozen=True, tag=True):
    """Send what is in it, file by file."""

    source: Source
    media_type: str
    limits: Limits


class Unpacked(Struct, frozen=True, tag=True):
    """A file of an archive. The next is sent when this one has been answered with nothing."""

    path: str
    content: bytes


class ListMembers(Struct, frozen=True, tag=True):
    """Tell what is in it."""

    source: Source
    media_type: str
    limits: Limits


class Listed(Struct, frozen=True, tag=True):
    members: tuple[Member, ...] | None
    """None of what is no archive."""


class AllUnpacked(Struct, frozen=True, tag=True):
    """There are no more files."""


class Scans(Struct, frozen=True, tag=True):
    bitmaps: tuple[Bitmap, ...]


class SealedScans(Struct, frozen=True, tag="Scans"):
    """The same to whoever passes them on: pages have 12 MB each, and are not copied to be
    looked at."""

    bitmaps: tuple[msgspec.Raw, ...]
    """Each a `Bitmap`, unopened."""


class Recognitions(Struct, frozen=True, tag=True):
    """One reply of the OCR child for each scan, in order and unopened."""

    replies: tuple[bytes, ...]


class Done(Struct, frozen=True, tag=True):
    document: Document


class Surveyed(Struct, frozen=True, tag=True):
    survey: Survey


class Rendered(Struct, frozen=True, tag=True):
    png: bytes


class Recognized(Struct, frozen=True, tag=True):
    """What OCR reads on a page."""

    page: OcrPage
    reader: str
    """Name of the engine."""


class Left(Struct, frozen=True, tag=True):
    """A page that is not to be recognized here."""


class Failed(Struct, frozen=True, tag=True):
    """A document that cannot be read, or a page that cannot be recognized."""

    code: str
    """Of an error in `rag.errors`."""
    message: str
    trace: tuple[str, ...] = ()
    """Where in our code it happened, innermost last, for the log: places only, no values."""


RecognizedOrNot: TypeAlias = Recognized | Failed
ParserRequest: TypeAlias = ReadSource | SurveySource | RenderPage | UnpackSource | ListMembers
ParserReply: TypeAlias = (
    Done | Surveyed | Rendered | SealedScans | Unpacked | AllUnpacked | Listed | Failed
)


def header(payload: bytes | memoryview) -> bytes:
    return len(payload).to_bytes(HEADER_BYTES, "big")


def payload_length(header: bytes) -> int:
    length = int.from_bytes(header, "big")
    if length > MAX_FRAME:
        raise ValueError(f"a frame of {length} bytes")
    return length


def write_frame(stream: BinaryIO, message: Struct) -> None:
    payload = msgspec.msgpack.encode(message)
    stream.write(header(payload))
    stream.write(payload)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next payload; None at the end of the stream."""
    start = stream.read(HEADER_BYTES)
    if len(start) < HEADER_BYTES:
        return None
    length = payload_length(start)
    payload = stream.read(length)
    return payload if len(payload) == length else None
