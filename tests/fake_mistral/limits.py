"""How much the provider lets through: requests in a second, tokens and pages in a minute, and
requests at a time, for each model by itself. Every window slides, which is the strictest reading
of the contract: in no second, and in no minute, more than the limit."""

import math
from collections import deque
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Literal

from msgspec import Struct

from .refusals import Refusal, envelope

SECOND = 1.0
MINUTE = 60.0

_ROUNDING = 1e-6
"""Seconds by which sums of fractions may be off."""


class Limits(Struct):
    """None where there is no limit."""

    requests_per_second: float | None = None
    tokens_per_minute: int | None = None
    pages_per_minute: int | None = None
    in_flight: int | None = None
    tells: bool = True
    """Whether replies say in headers what is left."""
    retry_after: Literal["seconds", "date"] | None = "seconds"
    """How a refusal says when to return, if at all."""


class Window:
    """So much in so many seconds, wherever they begin."""

    def __init__(self, limit: float, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self._spent: deque[tuple[float, float]] = deque()
        self._sum = 0.0

    def left(self, now: float) -> float:
        while self._spent and self._spent[0][0] <= now - self.seconds + _ROUNDING:
            self._sum -= self._spent.popleft()[1]
        return self.limit - self._sum

    def wait(self, amount: float, now: float) -> float:
        """Seconds until so much may pass; 0 for now. More than the limit passes an empty window,
        or it never would."""
        missing = amount - self.left(now)
        if missing <= 0 or not self._spent:
            return 0.0
        ends = 0.0
        for at, spent in self._spent:
            ends = at + self.seconds
            missing -= spent
            if missing <= 0:
                break
        return ends - now

    def spend(self, amount: float, now: float) -> None:
        self._spent.append((now, amount))
        self._sum += amount


class Gate:
    """Lets requests through, or raises the refusal they deserve."""

    def __init__(self, limits: Limits, now: Callable[[], float]) -> None:
        self.limits = limits
        self.refused = 0
        self._now = now
        self._windows: dict[tuple[str, str], Window] = {}

    def admit(self, model: str, tokens: int, pages: int, in_flight: int) -> dict[str, str]:
        """The headers that say what is left afterwards.

        Raises:
            Refusal: 429.
        """
        now = self._now()
        asked = [
            (window, amount)
            for window, amount in (
                (self._window(model, "requests"), 1),
                (self._window(model, "tokens"), tokens),
                (self._window(model, "pages"), pages),
            )
            if window is not None and amount
        ]
        wait = max((window.wait(amount, now) for window, amount in asked), default=0.0)
        crowded = self.limits.in_flight is not None and in_flight > self.limits.in_flight
        if wait > 0 or crowded:
            self.refused += 1
            raise self._refusal(max(wait, SECOND if crowded else 0.0), self._headers(model, tokens))
        for window, amount in asked:
            window.spend(amount, now)
        return self._headers(model, tokens)

    def spend(self, model: str, tokens: int, pages: int) -> None:
        """What is known only afterwards: tokens that were written, pages after the first."""
        for what, amount in (("tokens", tokens), ("pages", pages)):
            window = self._window(model, what)
            if window is not None and amount:
                window.spend(amount, self._now())

    def _window(self, model: str, what: str) -> Window | None:
        rate, seconds = {
            "requests": (self.limits.requests_per_second, SECOND),
            "tokens": (self.limits.tokens_per_minute, MINUTE),
            "pages": (self.limits.pages_per_minute, MINUTE),
        }[what]
        if rate is None:
            return None
        if rate < 1:  # one in so many seconds
            rate, seconds = 1.0, seconds / rate
        window = self._windows.get((model, what))
        if window is None or window.seconds != seconds:
            window = self._windows[model, what] = Window(rate, seconds)
        window.limit = rate  # a test may change it on the way
        return window

    def _headers(self, model: str, tokens: int) -> dict[str, str]:
        if not self.limits.tells:
            return {}
        now = self._now()
        told = {}
        if window := self._window(model, "tokens"):
            told["x-ratelimit-limit-tokens-minute"] = f"{window.limit:.0f}"
            told["x-ratelimit-remaining-tokens-minute"] = f"{max(0.0, window.left(now)):.0f}"
            told["x-ratelimit-tokens-query-cost"] = str(tokens)
        if window := self._window(model, "requests"):
            minutely = MINUTE / window.seconds
            told["x-ratelimit-limit-req-minute"] = f"{window.limit * minutely:.0f}"
            told["x-ratelimit-remaining-req-minute"] = f"{window.left(now) * minutely:.0f}"
        return told

    def _refusal(self, wait: float, headers: Mapping[str, str]) -> Refusal:
        seconds = max(1, math.ceil(wait))
        asked = {
            "seconds": {"retry-after": str(seconds)},
            "date": {"retry-after": formatdate(math.ceil(self._now()) + seconds, usegmt=True)},
            None: {},
        }[self.limits.retry_after]
        body = envelope(429, "rate_limited", "Rate limit exceeded", "1300")
        return Refusal(429, body, {**headers, **asked})
