"""How many calls may be under way at a time."""

_FIRST = 2.0
_MOST = 64.0
"""Beyond it nothing is gained: 64 calls of half a second are 128 a second."""

_CUT = 0.7
"""Of the limit, kept after a loss. Gentler than TCP's half: a refused call costs a provider
little, and the limit here is not shared by unknown others at each hop."""

_WINDOW = 1.0
"""Seconds."""


class Concurrency:
    """Additive increase, multiplicative decrease (Chiu and Jain, "Analysis of the increase and
    decrease algorithms for congestion avoidance", Computer Networks and ISDN Systems, 1989).

    A window is as many replies as calls are allowed, or a second, whichever ends first. After a
    clean one the limit is raised by one, if it stood in somebody's way; a loss cuts it, once for
    all calls that left before the cut.
    """

    def __init__(self) -> None:
        self._limit = _FIRST
        self._cut_at = -1.0
        self._window_began = 0.0
        self._replies = 0
        self._is_wanted = False

    @property
    def limit(self) -> int:
        return int(self._limit)

    def want_more(self) -> None:
        """Somebody had to wait for a place."""
        self._is_wanted = True

    def succeed(self, now: float) -> None:
        self._replies += 1
        if self._replies >= self.limit or now - self._window_began >= _WINDOW:
            if self._is_wanted:
                self._limit = min(_MOST, self._limit + 1)
            self._begin_window(now)

    def fail(self, left: float, now: float) -> None:
        """
        Args:
            left: when the call that failed left.
        """
        if left > self._cut_at:
            self._limit = max(1.0, self._limit * _CUT)
            self._cut_at = now
        self._begin_window(now)

    def _begin_window(self, now: float) -> None:
        self._window_began = now
        self._replies = 0
        self._is_wanted = False
