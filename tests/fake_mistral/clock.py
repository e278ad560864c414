"""Time that passes when it is asked to."""

import asyncio
from math import inf


class Clock:
    """Waits without waiting, and remembers how long."""

    def __init__(self) -> None:
        self.waited: list[float] = []
        self._now = 0.0

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self._now += seconds

    async def until(self, event: asyncio.Event, seconds: float) -> None:
        if seconds == inf:
            await event.wait()
        elif not event.is_set():
            await self.sleep(seconds)
