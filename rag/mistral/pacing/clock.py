"""Time, as the client needs it: told to it, so that a test can tell another."""

import asyncio
from contextlib import suppress
from math import inf
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since some moment; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    async def until(self, event: asyncio.Event, seconds: float) -> None:
        """Returns when the event is set, and after so many seconds at the latest."""
        ...


class LoopClock:
    """Of the event loop."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def until(self, event: asyncio.Event, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(None if seconds == inf else seconds):
                await event.wait()
