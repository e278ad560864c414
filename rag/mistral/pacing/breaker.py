"""When so much fails that asking on is pointless, one call in a while finds out when it ends."""

from collections import deque
from math import inf

_WINDOW = 30.0
"""Seconds over which failures are counted."""

_FEWEST = 20
"""Calls, below which half of them is no evidence."""

_SHARE = 0.5
_REST = 30.0
"""Seconds between two probes: an outage of half an hour costs sixty calls."""


class Breaker:
    """Closed while calls go through, open while none does, half open while one probes."""

    def __init__(self) -> None:
        self._ended: deque[tuple[float, bool]] = deque()
        """When calls ended, and whether well."""
        self._opened: float | None = None
        self._probe_at = 0.0
        self._is_probing = False

    @property
    def is_open(self) -> bool:
        return self._opened is not None

    def open_for(self, now: float) -> float:
        """Seconds since it opened."""
        return 0.0 if self._opened is None else now - self._opened

    def wait(self, now: float) -> float:
        """Seconds until a call may leave; infinite while a probe is under way."""
        if self._opened is None:
            return 0.0
        return inf if self._is_probing else max(0.0, self._probe_at - now)

    def leave(self) -> bool:
        """Whether the call that leaves is the probe."""
        self._is_probing = self.is_open
        return self._is_probing

    def arrive(self, is_well: bool | None, is_probe: bool, now: float) -> None:
        """
        Args:
            is_well: None where the call says nothing of the provider: its caller left.
        """
        if is_probe:
            self._is_probing = False
            self._probe_at = now if is_well is None else now + _REST
            if is_well:
                self._opened = None
                self._ended.clear()
        elif self._opened is None and is_well is not None:
            self._count(is_well, now)

    def _count(self, is_well: bool, now: float) -> None:
        self._ended.append((now, is_well))
        while self._ended[0][0] <= now - _WINDOW:
            self._ended.popleft()
        failures = sum(not well for _, well in self._ended)
        if len(self._ended) >= _FEWEST and failures >= _SHARE * len(self._ended):
            self._opened = now
            self._probe_at = now + _REST
