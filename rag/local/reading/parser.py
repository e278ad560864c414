"""The child process that parses: `python -m rag.local.reading.parser MEMORY`. One document at a
time, every kind of file, within limits; it has no model, no network and no secret."""

import gc
import sys
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import BinaryIO

import msgspec
from msgspec import Struct

from rag.chunking.markdown import blocks
from rag.domain import Block, Document, Page, Source, Survey
from rag.errors import EmptyDocument
from rag.local.reading import media
from rag.local.reading.child import pipes, serve
from rag.local.reading.composition import compose
from rag.local.reading.confinement import allow_cpu, confine
from rag.local.reading.frames import (
    Bitmap,
    Done,
    Failed,
    Left,
    ParserRequest,
    Recognitions,
    Recognized,
    RecognizedOrNot,
    Rendered,
    RenderPage,
    Scans,
    Surveyed,
    SurveySource,
    read_frame,
    write_frame,
)
from rag.local.reading.html import read_html
from rag.local.reading.images import read_image, render_image
from rag.local.reading.layout import UNREAD, Printed, Recognize
from rag.local.reading.limits import Limits
from rag.local.reading.pdf.document import read_pdf, render_pdf
from rag.local.reading.pdf.layer import BLANK
from rag.local.reading.plaintext import decode, paragraphs, whole


class _Parsed(Struct, frozen=True):
    text: str
    blocks: tuple[Block, ...]
    title: str | None = None
    pages: tuple[Page, ...] = ()


def parse(source: Source, media_type: str, limits: Limits, recognize: Recognize) -> Document:
    """
    Raises:
        InvalidDocument: the bytes cannot become a document.
    """
    document = _document(source, media_type, limits, recognize)
    if not any(character.isalnum() for character in document.text):
        raise EmptyDocument(_emptiness(document.pages))
    return document


def survey(source: Source, media_type: str, limits: Limits) -> Survey:
    """
    Raises:
        InvalidDocument: the bytes cannot become a document.
    """
    document = _document(source, media_type, limits, lambda bitmaps: [Left()] * len(bitmaps))
    unread = (p.number for p in document.pages if p.reader == UNREAD and p.reason != BLANK)
    return Survey(document, tuple(unread))


def _document(source: Source, media_type: str, limits: Limits, recognize: Recognize) -> Document:
    parsed = _parsed(source.content, media_type, limits, recognize)
    return Document(
        key=source.key,
        version=source.version,
        media_type=media.PLAIN if media_type == media.CODE else media_type,
        title=source.title or parsed.title or _first_heading(parsed) or _file_name(source.key),
        text=parsed.text,
        blocks=parsed.blocks,
        pages=parsed.pages,
        attributes=source.attributes,
    )


def _parsed(content: bytes, media_type: str, limits: Limits, recognize: Recognize) -> _Parsed:
    if media_type == media.MARKDOWN:
        text = decode(content)
        return _Parsed(text, blocks(text))
    if media_type == media.HTML:
        page = read_html(content)
        return _Parsed(page.markdown, blocks(page.markdown), page.title)
    if media_type == media.CODE:
        text = decode(content)
        return _Parsed(text, whole(text))
    if media_type == media.PDF:
        return _composed(read_pdf(content, limits, recognize))
    if media_type in media.IMAGES:
        return _composed(read_image(content, limits, recognize))
    text = decode(content)
    return _Parsed(text, paragraphs(text))


def _composed(printed: Printed) -> _Parsed:
    whole = compose(printed.pages)
    return _Parsed(whole.text, whole.blocks, printed.title, whole.pages)


def _emptiness(pages: Sequence[Page]) -> str:
    """Why there is no text: the first page that should have had some, if there is one."""
    for page in pages:
        if page.reason != BLANK:
            return f"there is no text in it (page {page.number}: {page.reason})"
    return "there is no text in it"


def _first_heading(parsed: _Parsed) -> str | None:
    """Of the highest level there is, without its marks."""
    titles = [block for block in parsed.blocks if block.kind == "title"]
    if not titles:
        return None
    first = min(titles, key=lambda block: block.level)
    return parsed.text[first.start : first.end].strip("#=- \n") or None


def _file_name(key: str) -> str:
    return PurePosixPath(key).name or key


def render(request: RenderPage) -> bytes:
    """One page as PNG."""
    draw = render_pdf if request.media_type == media.PDF else render_image
    return draw(request.content, request.number, request.dpi, request.limits)


def main() -> None:
    stdin, stdout = pipes()

    def answer(payload: bytes) -> Struct:
        request = msgspec.msgpack.decode(payload, type=ParserRequest)
        allow_cpu(request.limits.seconds)
        if isinstance(request, RenderPage):
            return Rendered(render(request))
        if isinstance(request, SurveySource):
            return Surveyed(survey(request.source, request.media_type, request.limits))
        recognize = _recognizer(stdin, stdout)
        return Done(parse(request.source, request.media_type, request.limits, recognize))

    gc.freeze()  # what was imported is never garbage, and not to be looked through again
    confine(memory=int(sys.argv[1]), writes_files=False)
    serve(answer, stdin, stdout)


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
