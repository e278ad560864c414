"""How fast a provider's counter may be used, stated or found out.

A call leaves as soon as those before it are paid off at the rate, so that use is even: what is
even stays within a limit however it is enforced, by a bucket, by the second or by the minute.
"""

from collections import deque
from math import inf

_MARGIN = 0.98
"""Of a stated limit, used. The rest is for clocks and for networks that bunch calls up."""

_BRIEF = 2.0
_WHILE = 10.0
_MINUTE = 60.0
"""Seconds over which use is measured. Providers count by the second and by the minute."""

_BUSY = 0.8
"""Share of its rate from which a counter may be the cause of a refusal."""

_BELOW = 0.98
"""Of the refused rate, taken for the limit: at the limit itself chance decides."""

_GENTLE, _HARD = 0.95, 0.7
"""Of the rate, kept after a refusal: when it was about right, and when it was far off."""

_AT_ONCE = 12
"""Calls after a refusal, within which the next one says that a guess was far off."""

_PROBE_CALLS = 200
_PROBE_SECONDS = 40.0
"""After a refusal, until the rate is again what was refused. A probe is refused once or twice;
every 200 calls that is less than one in a hundred."""

_FIRST_PROBE = 0.1
"""Of these, as long as the rate is a guess; doubled with each refusal that confirms it."""

_CLOSE = 1.1
"""Of what is used, allowed by a counter that seems not to be the cause of refusals."""

_CLOSE_PROBE = 0.5
"""Of a whole probe, after which it is allowed more."""

_ALIKE = 0.15
"""Share by which two refused rates may differ, and confirm each other."""

_FIRST_TRUST, _LONGEST_TRUST = 8.0, 160.0
"""Seconds, the same where the limit is stated: the refusal had another cause. Doubled with each
that comes too soon, for then others use the same account, and the limit is not ours alone."""

_TOO_SOON = 150
"""Calls after a refusal: somewhat more than the hundred of which one may be refused."""

_BEYOND = 2.0
_ACCELERATION = 1.25
"""Times the way back to the refused rate, after which that rate is no guide any more."""

_FURTHEST = 5.0
"""Times that way, where the rate is 260 times what was refused."""

_SAFE = 0.95
"""Of what a minute was seen to allow."""


class Bucket:
    """One counter of one model: requests, tokens or pages.

    Where the limit is not stated, its rate is found as TCP finds it (Ha, Rhee and Xu, "CUBIC",
    ACM SIGOPS 2008): after a refusal the rate falls, comes back quickly to near where it was
    refused, lingers there, and goes beyond ever faster. Only use moves it: a rate that nobody
    waited for tells nothing.
    """

    def __init__(self, slack: float) -> None:
        """
        Args:
            slack: seconds of disuse that may be made up for.
        """
        self._slack = slack
        self.rate: float | None = None
        """Per second; None while nothing limits it."""
        self._stated: float | None = None
        self._paid_at = 0.0
        """When all that left is paid off."""
        self._paused_until = 0.0
        self._used: deque[tuple[float, float]] = deque()
        """When, and how much; of the last minute."""
        self._peak = 0.0
        """Rate at the last refusal."""
        self._kept = _GENTLE
        self._probe = _FIRST_PROBE
        self._trust = _FIRST_TRUST
        self._calls = 0
        self._seconds = 0.0
        """Under this limit since the last refusal."""
        self._last = 0.0
        self._minute = 0.0
        """Used per second in the minute before the last refusal."""

    def wait(self, now: float) -> float:
        """Seconds until all that left is paid off; negative for as long as it has been. A minute
        at most, whatever one reply has said: after it, a minute's limit is there anew."""
        if self.rate is None:
            return 0.0
        self._paid_at = min(self._paid_at, now + _MINUTE)
        return self._paid_at - now

    def use(self, amount: float, now: float) -> None:
        self._used.append((now, amount))
        while self._used[0][0] <= now - _MINUTE:
            self._used.popleft()
        if self.rate is None:
            return
        ready = max(self._paid_at, min(self._paused_until, now))
        if now <= ready + self._slack:
            self._grow(min(now - self._last, _MINUTE))
        self._last = now
        self._paid_at = max(ready, now - self._slack) + amount / self.rate

    def pause(self, until: float) -> None:
        """Little leaves before; that is no disuse to make up for."""
        self._paused_until = max(self._paused_until, until)

    def correct(self, difference: float, left: float) -> None:
        """What was used by a call that left then turned out to be so much more, or less."""
        self._used.append((left, difference))
        if self.rate is not None:
            self._paid_at += difference / self.rate

    def state(self, rate: float, remaining: float | None, now: float) -> None:
        """The provider says what the limit is, and what is left of it."""
        stated = rate * _MARGIN
        if stated != self._stated:
            debt = max(0.0, self._paid_at - now) * (self.rate or 0.0)
            self._stated = self.rate = self._peak = stated
            self._kept = 1.0
            self._paid_at = now + debt / stated
        if remaining is not None and remaining < (usual := self._usual()):
            self._paid_at += (usual - remaining) / stated

    def is_in_the_way(self, now: float) -> bool:
        """Whether a refusal may be because of it: unlimited, or used up to its rate lately."""
        if self.rate is None:
            return True
        return self._measured(_WHILE, now) >= _BUSY * self.rate

    def fall(self, now: float) -> None:
        """A call was refused."""
        is_anew = self.rate is None or self._calls >= _AT_ONCE
        if is_anew:
            self._minute = self._measured(_MINUTE, now)
        if self.rate is not None:
            if is_anew:
                trust = self._trust * (2.0 if self._calls < _TOO_SOON else 0.5)
                self._trust = min(_LONGEST_TRUST, max(_FIRST_TRUST, trust))
            if abs(self.rate / self._peak - 1) < _ALIKE:
                self._probe = min(1.0, 2 * self._probe)
            self._fall_to(_GENTLE if is_anew or self._probe == 1.0 else _HARD)
        elif (measured := self._measured(_BRIEF, now)) > 0.0:
            self.rate = measured
            self._paid_at = now
            self._fall_to(_HARD)

    def stay(self, now: float) -> None:
        """A call was refused for another counter's sake. It may have been this one all the same:
        a rate far above what is used would let calls bunch up."""
        if self.rate is None or self._stated is not None:
            return
        measured = self._measured(_WHILE, now)
        if 0.0 < measured * _CLOSE < self.rate:
            self.rate = self._peak = measured * _CLOSE
            self._kept = 1.0
            self._probe = max(self._probe, _CLOSE_PROBE)
            self._calls, self._seconds = 0, 0.0

    def recover(self) -> None:
        """After a long stall calls go through again: what went through in the minute before it is
        all that a minute takes, and what was done to the rate meanwhile was not deserved."""
        if self.rate is not None and self._minute > 0.0:
            self.rate = min(self._minute, self._stated or inf)
            self._fall_to(_SAFE)
            self._probe, self._trust = 1.0, _LONGEST_TRUST  # it is known now, and no guess

    def _fall_to(self, share: float) -> None:
        assert self.rate is not None
        self._peak, self._kept = self.rate * _BELOW, share / _BELOW
        self.rate *= share
        self._calls, self._seconds = 0, 0.0

    def _usual(self) -> float:
        """Used by a call."""
        return sum(amount for _, amount in self._used) / max(1, len(self._used))

    def _measured(self, span: float, now: float) -> float:
        return sum(amount for at, amount in self._used if at > now - span) / span

    def _progress(self) -> float:
        """0 after a refusal, 1 when the rate is again what was refused."""
        if self._stated is not None:
            return self._seconds / self._trust
        calls, seconds = self._calls / _PROBE_CALLS, self._seconds / _PROBE_SECONDS
        return min(calls, seconds) / self._probe

    def _grow(self, seconds: float) -> None:
        self._calls += 1
        self._seconds += seconds
        rate = self._peak * _growth(self._progress(), self._kept)
        self.rate = rate if self._stated is None else min(rate, self._stated)


def _growth(progress: float, kept: float) -> float:
    """Share of the refused rate: from `kept` at 0 over 1 at 1, where it lingers, to as much above
    at 2, and from there ever faster, because the limit must have been raised."""
    if progress <= _BEYOND:
        return 1 + (1 - kept) * (progress - 1) ** 3
    return float((2 - kept) * _ACCELERATION ** min(progress - _BEYOND, _FURTHEST) ** 2)
