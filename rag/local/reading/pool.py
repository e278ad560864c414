"""Warm child processes: lent one at a time, replaced when they die, misbehave or grow."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import msgspec
from msgspec import Struct

from rag.errors import DocumentTooLarge, InvalidDocument
from rag.local.reading.confinement import child_environment, resident_bytes
from rag.local.reading.frames import HEADER_BYTES, header, payload_length

RETIREMENT_AGE = 200  # documents; bounds what any leak in a parser can add up to
PIPE_BUFFER = 1024 * 1024  # bytes held by the stream reader; page bitmaps are 10 MB and more
OUT_OF_TIME = (-24,)  # SIGXCPU
KILLED = (-9,)  # SIGKILL, not by us: the kernel ran out of memory


class ChildKind(Struct, frozen=True):
    """A module to run as a child, with its arguments."""

    module: str
    arguments: tuple[str, ...]
    retirement_size: int
    """Resident bytes above which a child is replaced after its document."""
    idle_seconds: float
    """After which a child nobody needs is ended: an OCR engine holds its models in memory."""
    threads: int = 1


class Child:
    """One process at the other end of two pipes."""

    def __init__(self, process: Process, retirement_size: int) -> None:
        self._process = process
        self._retirement_size = retirement_size
        self._lent = 0

    async def ask(self, message: Struct | bytes, seconds: float) -> bytes:
        """The child's next frame after `message`.

        Raises:
            DocumentTooLarge: no frame came within `seconds`, or the kernel stopped the child.
            InvalidDocument: the child died.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(message)
        except TimeoutError:
            raise DocumentTooLarge(f"reading took longer than {seconds:.0f} s") from None
        except (OSError, asyncio.IncompleteReadError):
            raise self._obituary(await self._process.wait()) from None
        except ValueError as error:
            raise InvalidDocument(f"the parser answered nonsense: {error}") from None

    async def _exchange(self, message: Struct | bytes) -> bytes:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        payload = message if isinstance(message, bytes) else msgspec.msgpack.encode(message)
        stdin.write(header(payload))
        stdin.write(payload)
        await stdin.drain()
        start = await stdout.readexactly(HEADER_BYTES)
        return await stdout.readexactly(payload_length(start))

    def _obituary(self, status: int) -> InvalidDocument:
        if status in OUT_OF_TIME:
            return DocumentTooLarge("reading took more CPU time than allowed")
        if status in KILLED:
            return DocumentTooLarge("reading took more memory than the machine has")
        return InvalidDocument(
            f"its parser crashed (status {status}) or ran out of memory; the file is damaged or "
            "made to do harm"
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


class Children:
    """At most `size` children of one kind."""

    def __init__(self, kind: ChildKind, size: int) -> None:
        self._kind = kind
        self._slots = asyncio.Semaphore(size)
        self._idle: list[Child] = []

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Child]:
        """A child for one document. An exception inside the block ends the child, for nobody
        knows what it is still doing."""
        async with self._slots:
            child = await self._next()
            try:
                yield child
            except BaseException:
                await child.end()
                raise
            if child.is_retired:
                await child.end()
            else:
                self._rest(child)

    def _rest(self, child: Child) -> None:
        self._idle.append(child)
        turn = child.times_lent
        loop = asyncio.get_running_loop()
        loop.call_later(self._kind.idle_seconds, self._dismiss, child, turn)

    def _dismiss(self, child: Child, turn: int) -> None:
        """Ends a child that has not been lent since."""
        if child in self._idle and child.times_lent == turn:
            self._idle.remove(child)
            child.kill()

    async def _next(self) -> Child:
        while self._idle:
            child = self._idle.pop()
            if child.is_alive:
                return child.lend()
        return (await self._start()).lend()

    async def _start(self) -> Child:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", self._kind.module, *self._kind.arguments),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,  # it may be a log file, and children must not write to files
            limit=PIPE_BUFFER,
            env=child_environment(self._kind.threads),
        )
        return Child(process, self._kind.retirement_size)

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().end()
