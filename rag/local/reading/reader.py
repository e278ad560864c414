"""Bytes -> document on this machine: the port `Reader` over parsers and OCR in child processes."""

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from functools import cached_property
from importlib.metadata import version

import msgspec

from rag.domain import Box, Document, Source, Survey
from rag.errors import (
    DocumentTooLarge,
    EmptyDocument,
    EncryptedDocument,
    InvalidDocument,
    ModelUnavailable,
    UnsupportedMediaType,
)
from rag.lifetimes import mortal
from rag.local.reading.confinement import child_environment
from rag.local.reading.frames import (
    AllUnpacked,
    Done,
    Failed,
    Listed,
    ListMembers,
    ParserReply,
    ParserRequest,
    ReadSource,
    Recognitions,
    Rendered,
    RenderPage,
    SealedScans,
    Surveyed,
    SurveySource,
    Unpacked,
    UnpackSource,
)
from rag.local.reading.limits import DEFAULT_LIMITS, Limits
from rag.local.reading.media import PACKED, sniff
from rag.local.reading.pool import ChildKind, Children
from rag.local.reading.processes import Child
from rag.ports import Member

log = logging.getLogger(__name__)

READING_VERSION = 9
"""Raised with every change that makes a reading differ: readings are kept by fingerprint."""
LIBRARIES = ("pypdfium2", "lxml", "charset-normalizer", "pillow")
PARSER_RETIRES_AT = 400 * 1024 * 1024  # resident bytes; a fresh parser has about 60 MB
PARSER_RESTS = 600.0  # seconds
ENGINE_RESTS = 60.0  # seconds; it starts again in one
ENGINE_RETIRES_AT = 1536 * 1024 * 1024  # resident bytes; a warm OCR engine has about 500 MB

PARSER = "rag.local.reading.parser"
RECOGNITION = "rag.local.reading.recognition"

ERRORS: dict[str, type[InvalidDocument]] = {
    error.code: error
    for error in (
        InvalidDocument,
        EmptyDocument,
        EncryptedDocument,
        UnsupportedMediaType,
        DocumentTooLarge,
    )
}


class LocalReader:
    """Reads up to `workers` documents at once; the others wait their turn.

    Whatever a document does to its parser, this process and the other documents go on.
    """

    def __init__(self, *, ocr: str = "auto", workers: int, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._ocr = ocr
        parser = ChildKind(PARSER, (str(limits.memory),), PARSER_RETIRES_AT, PARSER_RESTS)
        engine = ChildKind(
            RECOGNITION, (ocr, str(limits.ocr_memory)), ENGINE_RETIRES_AT, ENGINE_RESTS
        )
        self._parsers = Children(parser, workers)
        self._engines = Children(engine, workers)

    @cached_property
    def fingerprint(self) -> str:
        """Of the parsers, and of the OCR engine, which is asked once and takes a second.

        Raises:
            ModelUnavailable: there is no such engine on this machine.
        """
        libraries = " ".join(f"{name}={version(name)}" for name in LIBRARIES)
        return f"local/{READING_VERSION} {libraries} {_engine_fingerprint(self._ocr)}"

    async def read(self, source: Source) -> Document:
        """
        Raises:
            InvalidDocument: the bytes cannot become a document.
        """
        reply = await self._parse(ReadSource(source, self._media_type(source), self._limits))
        assert isinstance(reply, Done)
        return reply.document

    async def survey(self, source: Source) -> Survey:
        """What can be read without OCR, and which pages cannot.

        Raises:
            InvalidDocument: the bytes cannot become a document.
        """
        reply = await self._parse(SurveySource(source, self._media_type(source), self._limits))
        assert isinstance(reply, Surveyed)
        return reply.survey

    async def render(
        self, source: Source, page_number: int, dpi: int, marked: tuple[Box, ...] = ()
    ) -> bytes:
        """One page of a PDF or image as PNG, or the part of it where the marked boxes are.

        Raises:
            InvalidDocument: it has no such page, or no pages at all.
        """
        media_type = sniff(source.content, source.media_type, source.key)
        request = RenderPage(source.content, media_type, page_number, dpi, self._limits, marked)
        reply = await self._parse(request)
        assert isinstance(reply, Rendered)
        return reply.png

    async def members(self, source: Source) -> tuple[Member, ...] | None:
        """What is in an archive, and in archives within it: all of it is unpacked, and thrown
        away. None of what is no archive.

        Raises:
            InvalidDocument: it is damaged, encrypted or too large.
        """
        try:
            media_type = self._media_type(source)
        except InvalidDocument:  # another reader may know the kind, and else it is refused there
            return None
        if media_type not in PACKED:
            return None
        async with self._parsers.lend() as parser:
            request = ListMembers(source, media_type, self._limits)
            reply = _decoded(await parser.ask(request, self._limits.seconds))
        if isinstance(reply, Failed):
            _log(reply)
            raise ERRORS.get(reply.code, InvalidDocument)(reply.message)
        assert isinstance(reply, Listed)
        return reply.members

    async def unpack(self, source: Source) -> AsyncIterator[Source]:
        """The files of an archive, and of archives within it, as sources of their own: the key
        of `q1.docx` in `reports.zip` is `reports.zip!/q1.docx`. What is no archive is its own
        only source. One file is in memory at a time.

        Raises:
            InvalidDocument: it is damaged, encrypted or too large; what came before is sound.
        """
        message: ParserRequest | bytes = UnpackSource(
            source, self._media_type(source), self._limits
        )
        async with self._parsers.lend() as parser:
            while True:
                reply = _decoded(await parser.ask(message, self._limits.seconds))
                if not isinstance(reply, Unpacked):
                    break
                message = b""
                yield _member(source, reply)
        if isinstance(reply, Failed):
            _log(reply)
            raise ERRORS.get(reply.code, InvalidDocument)(reply.message)

    async def close(self) -> None:
        """Ends the children that wait for work; those at work end with it."""
        await self._parsers.close()
        await self._engines.close()

    def _media_type(self, source: Source) -> str:
        if len(source.content) > self._limits.bytes:
            raise DocumentTooLarge(
                f"the file has {len(source.content) // 2**20} MB; "
                f"at most {self._limits.bytes // 2**20} are read"
            )
        return sniff(source.content, source.media_type, source.key)

    async def _parse(self, request: ParserRequest) -> Done | Surveyed | Rendered:
        async with self._parsers.lend() as parser:
            reply = await self._converse(parser, request)
        if isinstance(reply, Failed):
            _log(reply)
            raise ERRORS.get(reply.code, InvalidDocument)(reply.message)
        return reply

    async def _converse(
        self, parser: Child, request: ParserRequest
    ) -> Done | Surveyed | Rendered | Failed:
        """The parser's last word, with its questions to OCR answered on the way. The clock runs
        only while the parser does."""
        message: ParserRequest | Recognitions = request
        left = self._limits.seconds
        while True:
            asked = time.monotonic()
            reply = _decoded(await parser.ask(message, left))
            left -= time.monotonic() - asked
            if not isinstance(reply, SealedScans):
                assert not isinstance(reply, Unpacked | AllUnpacked | Listed)
                return reply
            message = await self._recognize(reply)

    async def _recognize(self, scans: SealedScans) -> Recognitions:
        pages = (self._recognize_page(memoryview(bitmap)) for bitmap in scans.bitmaps)
        return Recognitions(tuple(await asyncio.gather(*pages)))

    async def _recognize_page(self, bitmap: memoryview) -> bytes:
        """The engine's reply, unopened; its death is the page's failure, not the document's."""
        try:
            async with self._engines.lend() as engine:
                return bytes(await engine.ask(bitmap, self._limits.ocr_seconds))
        except InvalidDocument as error:
            return msgspec.msgpack.encode(Failed(error.code, str(error)))


def _member(archive: Source, member: Unpacked) -> Source:
    if not member.path:
        return archive
    return Source(archive.key + member.path, member.content, attributes=archive.attributes)


def _engine_fingerprint(choice: str) -> str:
    """Asked of a process of its own: an engine's libraries would stay in this one's memory."""
    command = mortal((sys.executable, "-P", "-m", RECOGNITION, choice))
    asked = subprocess.run(  # noqa: S603  # our own interpreter and module
        command, capture_output=True, text=True, env=child_environment(threads=1)
    )
    if asked.returncode:
        raise ModelUnavailable(asked.stderr.strip() or f"OCR engine {choice!r} does not start")
    return asked.stdout.strip()


def _decoded(payload: bytearray) -> ParserReply:
    try:
        reply: ParserReply = msgspec.msgpack.decode(payload, type=ParserReply)
    except msgspec.DecodeError:
        raise InvalidDocument("its parser answered nonsense; the file may be damaged") from None
    return reply


def _log(failure: Failed) -> None:
    if failure.trace:
        log.warning(
            "a parser failed",
            extra={"action": "parser_failed", "code": failure.code, "trace": failure.trace},
        )
