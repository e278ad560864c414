"""Warm child processes: lent one at a time, replaced when they die, misbehave or grow."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from rag.lifetimes import mortal
from rag.local.reading.confinement import child_environment
from rag.local.reading.processes import Child

PIPE_BUFFER = 1024 * 1024  # bytes held by the stream reader; page bitmaps are 10 MB and more


class ChildKind(Struct, frozen=True):
    """A module to run as a child, with its arguments."""

    module: str
    arguments: tuple[str, ...]
    retirement_size: int
    """Resident bytes above which a child is replaced after its document."""
    idle_seconds: float
    """After which a child nobody needs is ended: an OCR engine holds its models in memory."""
    threads: int = 1


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
            *mortal((sys.executable, "-P", "-m", self._kind.module, *self._kind.arguments)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,  # ours may be a log file, and children must not write to files
            limit=PIPE_BUFFER,
            env=child_environment(self._kind.threads),
        )
        return Child(self._kind.module, process, self._kind.retirement_size)

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().end()
