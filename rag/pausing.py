"""When a provider, or the disk, fails all of us, the work waits; none of it fails.

A refused document is that document's end. A provider that is down, asks us to wait, or takes our
key no longer would be every document's end in turn, so nothing more is begun until it may pass. A
full disk is the same.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from rag.domain import Failure
from rag.errors import KeyRefused, OutOfSpace, ProviderUnavailable, RagError, RateLimited

FIRST_WAIT = 15.0  # seconds, doubled with each failure in a row
LONGEST_WAIT = 300.0  # seconds: an outage that ends is noticed within five minutes
FULL_DISK_WAIT = 10.0  # seconds: looking again costs nothing
NEVER = float("inf")


class Pause:
    """Whether work may begin now, and if not, why."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._until = 0.0
        self._failures = 0
        """In a row."""
        self._reason: Failure | None = None

    @property
    def reason(self) -> Failure | None:
        """Why nothing is begun; None while work goes on."""
        return self._reason if self._clock() < self._until else None

    def begin(self, error: Exception) -> bool:
        """Whether `error` concerns all work. If it does, none begins for a while."""
        if not isinstance(error, RagError):
            return False
        wait = self._wait(error)
        if wait is None:
            return False
        is_provider = not isinstance(error, OutOfSpace)
        if is_provider and self._clock() >= self._until:
            self._failures += 1  # several that fail together are one failure
        self._until = max(self._until, self._clock() + wait)
        until = "until the service is started again" if wait == NEVER else f"for {wait:.0f} s"
        stage = "provider" if is_provider else "storage"
        self._reason = Failure(error.code, stage, f"nothing is begun {until}: {error}")
        return True

    def end(self) -> None:
        """A document went through: the provider works."""
        self._failures = 0

    async def passed(self) -> None:
        """Returns when work may begin."""
        while (left := self._until - self._clock()) > 0:
            await self._sleep(min(left, LONGEST_WAIT))

    def _wait(self, error: RagError) -> float | None:
        """Seconds; None where the error concerns one document."""
        if isinstance(error, KeyRefused):
            return NEVER
        if isinstance(error, OutOfSpace):
            return FULL_DISK_WAIT
        backoff = min(LONGEST_WAIT, FIRST_WAIT * 2.0**self._failures)
        if isinstance(error, RateLimited):
            return max(error.retry_after, FIRST_WAIT)
        return backoff if isinstance(error, ProviderUnavailable) else None
