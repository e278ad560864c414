"""Forms with files -> uploads, each spooled to disk as it comes."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack

from litestar import Request
from litestar.datastructures import State
from msgspec import Struct
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
)

from rag.api.problems import Refused
from rag.storage.spooling import PIECE, Spool

MAX_PARTS = 1_000
"""Files and fields of one form: more are an attack on the parser."""

FIELD_BYTES = 8 << 20
"""Of a field that is no file; what is told of a thousand files is some 200 kB."""


class Spools(ExitStack):
    """The spools of a request, which are closed with it, however it ends."""

    def __init__(self, make: Callable[[], Spool]) -> None:
        super().__init__()
        self._make = make

    def new(self) -> "Filling":
        spool = self._make()
        self.callback(spool.close)
        return Filling(spool)


class Filling:
    """A spool that takes pieces of any size, and writes large ones, in a thread."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._held = bytearray()

    async def add(self, some: bytes | bytearray) -> None:
        self._held += some
        if len(self._held) >= PIECE:
            await self._write()

    async def end(self) -> Spool:
        if self._held:
            await self._write()
        return self._spool

    async def _write(self) -> None:
        held, self._held = self._held, bytearray()
        await asyncio.to_thread(self._spool.write, held)


class File(Struct, frozen=True):
    """A part of a form that has a file name."""

    name: str
    media_type: str
    content: Spool


class Form(Struct, frozen=True):
    files: tuple[File, ...]
    fields: dict[str, str]
    """The last of each name."""


async def receive_body(request: Request[object, object, State], spools: Spools) -> Spool:
    """The whole of it."""
    filling = spools.new()
    async for chunk in request.stream():
        await filling.add(chunk)
    return await filling.end()


async def receive_form(request: Request[object, object, State], spools: Spools) -> Form:
    """
    Raises:
        Refused: it is no form, or one of too many parts.
    """
    try:
        taking = _Taking(spools)
        with PushMultipartParser(
            request.content_type[1].get("boundary", ""), max_segment_count=MAX_PARTS
        ) as parser:
            async for chunk in request.stream():
                for event in parser.parse(chunk) if chunk and not parser.closed else ():
                    await taking.take(event)
        return taking.form
    except (MultipartError, UnicodeDecodeError, LookupError) as error:  # the last: no such charset
        raise Refused(
            400,
            "malformed_form",
            f"the form is not valid multipart/form-data of at most {MAX_PARTS} parts, or a field"
            f" is longer than {FIELD_BYTES >> 20} MB",
        ) from error


class _Taking:
    """What the parser has told so far."""

    def __init__(self, spools: Spools) -> None:
        self._spools = spools
        self._part: MultipartSegment | None = None
        self._filling: Filling | None = None
        self._text = bytearray()
        self._files: list[File] = []
        self._fields: dict[str, str] = {}

    async def take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        """A part's head, some of its bytes, or its end."""
        if isinstance(event, MultipartSegment):
            self._part, self._text = event, bytearray()
            self._filling = self._spools.new() if event.filename else None
        elif event is None:
            await self._end()
        elif self._filling is not None:
            await self._filling.add(event)
        else:
            self._text += event
            if len(self._text) > FIELD_BYTES:
                raise MultipartError("a field is too long")

    async def _end(self) -> None:
        part = self._part
        assert part is not None, "a part ends that never began"
        if self._filling is None:
            self._fields[part.name] = self._text.decode(part.charset or "utf-8")
            return
        media_type = part.content_type or "text/plain"
        self._files.append(File(part.filename or "", media_type, await self._filling.end()))

    @property
    def form(self) -> Form:
        return Form(tuple(self._files), self._fields)
