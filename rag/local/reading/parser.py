"""The child process that parses: `python -m rag.local.reading.parser MEMORY`. One document at a
time, every kind of file, within limits; it has no model, no network and no secret."""

import gc
import io
import sys
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import BinaryIO

import msgspec
from msgspec import Struct

from rag.domain import Document, Page, Source, Survey
from rag.errors import EmptyDocument, InvalidDocument
from rag.local.reading import media
from rag.local.reading.child import pipes, serve
from rag.local.reading.confinement import allow_cpu, confine
from rag.local.reading.frames import (
    AllUnpacked,
    Bitmap,
    Done,
    Failed,
    Left,
    Listed,
    ListMembers,
    ParserRequest,
    ReadSource,
    Recognitions,
    Recognized,
    RecognizedOrNot,
    Rendered,
    RenderPage,
    Scans,
    Surveyed,
    SurveySource,
    Unpacked,
    UnpackSource,
    read_frame,
    write_frame,
)
from rag.local.reading.images import render_image
from rag.local.reading.kinds import members_of, read_kind
from rag.local.reading.layout import UNREAD, Recognize
from rag.local.reading.limits import Limits
from rag.local.reading.marking import cut_out
from rag.local.reading.pdf.document import render_pdf
from rag.local.reading.pdf.layer import BLANK
from rag.local.reading.readout import Readout
from rag.ports import Member


def parse(source: Source, media_type: str, limits: Limits, recognize: Recognize) -> Document:
    """
    Raises:
        InvalidDocument: the bytes cannot become a document.
    """
    document = _document(source, media_type, limits, recognize)
    if not any(character.isalnum() for character in document.text):
        raise EmptyDocument(_emptiness(document.pages))
    return document


def survey(source: Source, media_type: str, limits: Limits, recognize: Recognize) -> Survey:
    """Only what is nothing but pages is left to others: within mails and archives, images are
    recognized here, for nobody else could find them.

    Raises:
        InvalidDocument: the bytes cannot become a document.
    """
    if media_type not in media.PAPER:
        return Survey(parse(source, media_type, limits, recognize))
    document = _document(source, media_type, limits, lambda bitmaps: [Left()] * len(bitmaps))
    unread = (
        p.number for p in document.pages if p.reader == UNREAD and not p.reason.startswith(BLANK)
    )
    return Survey(document, tuple(unread))


def _document(source: Source, media_type: str, limits: Limits, recognize: Recognize) -> Document:
    readout = read_kind(source.content, media_type, source.key, limits, recognize)
    return Document(
        key=source.key,
        version=source.version,
        media_type=readout.media_type or media_type,
        title=source.title or readout.title or _first_heading(readout) or _file_name(source.key),
        text=readout.text,
        blocks=readout.blocks,
        pages=readout.pages,
        attributes={**readout.attributes, **source.attributes},
    )


def _emptiness(pages: Sequence[Page]) -> str:
    """Why there is no text: the first page that should have had some, if there is one."""
    for page in pages:
        if not page.reason.startswith(BLANK):
            return f"there is no text in it (page {page.number}: {page.reason})"
    return "there is no text in it"


def _first_heading(readout: Readout) -> str | None:
    """Of the highest level there is, without its marks."""
    titles = [block for block in readout.blocks if block.kind == "title"]
    if not titles:
        return None
    first = min(titles, key=lambda block: block.level)
    return readout.text[first.start : first.end].strip("#=- \n") or None


def _file_name(key: str) -> str:
    return PurePosixPath(key).name or key


def render(request: RenderPage) -> bytes:
    """One page, or what is marked on it, as PNG."""
    if request.media_type not in media.PAPER:
        raise InvalidDocument("only PDFs and images have pages to look at")
    draw = render_pdf if request.media_type == media.PDF else render_image
    page = draw(request.content, request.number, request.dpi, request.limits)
    shown = cut_out(page, request.marked) if request.marked else page
    buffer = io.BytesIO()
    shown.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def main() -> None:
    stdin, stdout = pipes()
    recognize = _recognizer(stdin, stdout)

    def answer(payload: bytes) -> Struct:
        request = msgspec.msgpack.decode(payload, type=ParserRequest)
        allow_cpu(request.limits.seconds)
        if isinstance(request, RenderPage):
            return Rendered(render(request))
        if isinstance(request, UnpackSource):
            return _unpack(request, stdin, stdout)
        if isinstance(request, ListMembers):
            return Listed(_list(request))
        if isinstance(request, SurveySource):
            return Surveyed(survey(*_given(request), recognize))
        return Done(parse(*_given(request), recognize))

    gc.freeze()  # what was imported is never garbage, and not to be looked through again
    confine(memory=int(sys.argv[1]), writes_files=False)
    serve(answer, stdin, stdout)


def _given(request: ReadSource | SurveySource) -> tuple[Source, str, Limits]:
    return request.source, request.media_type, request.limits


def _list(request: ListMembers) -> tuple[Member, ...] | None:
    source = request.source
    members = members_of(source.content, request.media_type, source.key, request.limits)
    listed = tuple(Member(each.path, len(each.content)) for each in members)
    return None if [each.path for each in listed] == [""] else listed


def _unpack(request: UnpackSource, stdin: BinaryIO, stdout: BinaryIO) -> AllUnpacked:
    source = request.source
    for member in members_of(source.content, request.media_type, source.key, request.limits):
        write_frame(stdout, Unpacked(member.path, member.content))
        if read_frame(stdin) is None:
            raise EOFError("the reader is gone")
        allow_cpu(request.limits.seconds)  # for the next
    return AllUnpacked()


def _recognizer(stdin: BinaryIO, stdout: BinaryIO) -> Recognize:
    """Asks the parent, who has the OCR engines."""

    def recognize(bitmaps: Sequence[Bitmap]) -> tuple[Recognized | Failed, ...]:
        write_frame(stdout, Scans(tuple(bitmaps)))
        payload = read_frame(stdin)
        if payload is None:
            raise EOFError("the reader is gone")
        replies = msgspec.msgpack.decode(payload, type=Recognitions).replies
        return tuple(msgspec.msgpack.decode(reply, type=RecognizedOrNot) for reply in replies)

    return recognize


if __name__ == "__main__":
    main()
