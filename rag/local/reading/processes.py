"""A child process as its parent has it: asked, listened to, and buried."""

import asyncio
import logging
from asyncio.subprocess import Process
from contextlib import suppress

import msgspec
from msgspec import Struct

from rag.errors import DocumentTooLarge, InvalidDocument, RagError, ReaderUnavailable
from rag.local.reading.confinement import NOT_SECLUDED, resident_bytes
from rag.local.reading.frames import HEADER_BYTES, header, payload_length

log = logging.getLogger(__name__)

RETIREMENT_AGE = 200  # documents; bounds what any leak in a parser can add up to
SLICE = 256 * 1024  # bytes handed to a pipe, or taken from it, at a time
LAST_WORDS = 4 * 1024  # bytes of standard error that are kept: a traceback has about 2,000
END_OF_WORDS = 1.0  # seconds that the rest of them may take once the child is dead
OUT_OF_TIME = (-24,)  # SIGXCPU
KILLED = (-9,)  # SIGKILL, not by us: the kernel ran out of memory


class Child:
    """One process at the other end of two pipes."""

    def __init__(self, module: str, process: Process, retirement_size: int) -> None:
        self._module = module
        self._process = process
        self._retirement_size = retirement_size
        self._has_answered = False
        self._last_words = b""
        self._listening = asyncio.create_task(self._listen())
        self._lent = 0

    async def ask(self, message: Struct | bytes | memoryview, seconds: float) -> bytearray:
        """The child's next frame after `message`.

        Raises:
            DocumentTooLarge: no frame came within `seconds`, or the kernel stopped the child.
            InvalidDocument: the child died.
            ReaderUnavailable: it never came to life, which is not the document's doing.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(message)
        except TimeoutError:
            raise DocumentTooLarge(f"reading took longer than {seconds:.0f} s") from None
        except (OSError, asyncio.IncompleteReadError):
            raise await self._obituary() from None
        except ValueError as error:
            raise InvalidDocument(f"the parser answered nonsense: {error}") from None

    async def _exchange(self, message: Struct | bytes | memoryview) -> bytearray:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        payload = msgspec.msgpack.encode(message) if isinstance(message, Struct) else message
        stdin.write(header(payload))
        await _hand(stdin, memoryview(payload))
        answer = await _heard(stdout, payload_length(await stdout.readexactly(HEADER_BYTES)))
        self._has_answered = True
        return answer

    async def _listen(self) -> None:
        """Reads what the child prints, so that it never waits to be heard, and keeps the end."""
        stderr = self._process.stderr
        assert stderr is not None
        while words := await stderr.read(LAST_WORDS):
            if words.startswith(NOT_SECLUDED.encode()):
                log.warning(
                    "this kernel does not take the network from child processes: `rag doctor`",
                    extra={"action": "child_not_secluded", "child": self._module},
                )
            self._last_words = (self._last_words + words)[-LAST_WORDS:]

    async def _obituary(self) -> RagError:
        status = await self._process.wait()
        if status > 0 and not self._has_answered:
            return await self._stillbirth(status)
        if status in OUT_OF_TIME:
            return DocumentTooLarge("reading took more CPU time than allowed")
        if status in KILLED:
            return DocumentTooLarge("reading took more memory than the machine has")
        return InvalidDocument(
            f"its parser crashed (status {status}) or ran out of memory; the file is damaged or "
            "made to do harm"
        )

    async def _stillbirth(self, status: int) -> ReaderUnavailable:
        """Python itself gave up before the first answer: a library is missing or broken."""
        await asyncio.wait({self._listening}, timeout=END_OF_WORDS)
        log.error(
            "a child process does not start",
            extra={
                "action": "child_does_not_start",
                "child": self._module,
                "status": status,
                "stderr": self._last_words.decode(errors="replace").splitlines(),
            },
        )
        return ReaderUnavailable(
            f"{self._module} does not start here (status {status}); the log says why, and "
            "`make install` puts its libraries in order"
        )

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    @property
    def is_retired(self) -> bool:
        return self._lent >= RETIREMENT_AGE or self.resident_bytes > self._retirement_size

    @property
    def resident_bytes(self) -> int:
        """As the kernel sees it; 0 once the child is gone."""
        try:
            return resident_bytes(self._process.pid)
        except OSError:
            return 0

    def lend(self) -> "Child":
        self._lent += 1
        return self

    @property
    def times_lent(self) -> int:
        return self._lent

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()

    async def end(self) -> None:
        self.kill()
        await self._process.wait()
        self._listening.cancel()


async def _hand(stdin: asyncio.StreamWriter, payload: memoryview) -> None:
    """Slice by slice: of what a pipe does not take at once, a copy is kept."""
    for start in range(0, len(payload), SLICE):
        stdin.write(payload[start : start + SLICE])
        await stdin.drain()


async def _heard(stdout: asyncio.StreamReader, length: int) -> bytearray:
    """Into its place at once: a stream that gathers the whole has it twice when it is done."""
    heard = bytearray(length)
    at = 0
    while at < length:
        piece = await stdout.read(min(SLICE, length - at))
        if not piece:
            raise asyncio.IncompleteReadError(b"", length - at)
        heard[at : at + len(piece)] = piece
        at += len(piece)
    return heard
