"""When the next call to one model may leave."""

from math import inf
from typing import Literal, TypeAlias

from msgspec import Struct

from rag.mistral.pacing.breaker import Breaker
from rag.mistral.pacing.buckets import Bucket
from rag.mistral.pacing.concurrency import Concurrency
from rag.mistral.pacing.holds import Hold
from rag.mistral.pacing.limits import Limits

Lane: TypeAlias = Literal["bulk", "interactive"]
"""Work nobody waits for, and a person who does."""

Outcome: TypeAlias = Literal["done", "refused", "limited", "failed", "left"]
"""It was done; the request was refused, which says nothing of the provider's state; it asks for
fewer; it is in trouble; or the caller left, which says nothing either."""

Reason: TypeAlias = Literal["places", "limits", "trouble"]

_OWN_PLACES = 4
"""That people have at least, however few places are left to all."""

_OVERDRAFT = 0.5
_OVERDRAFT_LESS = 3.0
"""Seconds of requests that people may use ahead, and requests by which it is less: where six a
second are allowed, one too many is noticed. Bulk work then waits until it is paid off."""

_UNIT_OVERDRAFT = 10.0
"""The same of tokens and pages, which are counted by the minute: a sixth of it."""

_SLACK = 0.1
_UNIT_SLACK = 1.0
"""Seconds of disuse that are made up for: wake-ups are late, and where both counters are short,
one waits for the other. Of what is counted by the minute more may be bunched up."""

_AT_ONCE = 1e-6
"""Seconds that are no time: shorter than what a clock can tell apart."""

_LONGEST_HOLD: dict[Lane, float] = {"bulk": 60.0, "interactive": 4.0}
"""Seconds without calls after a refusal that states none: up to the span of the provider's
counters, and for people less than they wait. What is refused is nearly always bulk work, a
hundred times as heavy as a question: where it does not fit into the rest of a minute, many
questions do."""

_LONG_STALL = 3.0
"""Seconds, after which it was not the second's counter that was used up."""

_LEARNING = 0.1
"""Weight of the last call in what is known of all."""

_SECOND = 1.0
"""After which a counter of seconds, if it was one, is there anew for a question."""

_MOST_RATIO = 2.0
"""Units used, of those expected, which are meant as the most: above, one of the counts is wrong."""

_NOTHING_STATED = Limits()


class Wait(Struct, frozen=True):
    seconds: float
    """Infinite where only the end of another call helps."""
    reason: Reason


class Departure(Struct, frozen=True):
    """A call that left."""

    number: int
    at: float
    lane: Lane
    expected: float
    """Units, as told by the caller."""
    charged: float
    """Units, as put down for it."""
    is_probe: bool


class Pace:
    """Counters, places and trouble of one model at one endpoint. Knows no clock of its own."""

    def __init__(self) -> None:
        self._requests = Bucket(_SLACK)
        self._units = Bucket(_UNIT_SLACK)
        self._concurrency = Concurrency()
        self._breaker = Breaker()
        self._under_way: dict[Lane, int] = {"bulk": 0, "interactive": 0}
        self._left = 0
        self._ratio = 1.0
        """Units used, of those expected."""
        self._holds = {lane: Hold(longest) for lane, longest in _LONGEST_HOLD.items()}
        self._is_stalled = False
        self._stalled_at = 0.0
        self._last_refusal = 0.0
        """When the first and the last refusal in a row were."""
        self._blamed: list[Bucket] = []
        """Counters that may have been used up then."""
        self._refused_charge = 0.0
        """Units of the heaviest call that was refused."""

    @property
    def is_in_trouble(self) -> bool:
        return self._breaker.is_open

    def trouble_for(self, now: float) -> float:
        """Seconds for which nothing has gone through."""
        stall = now - self._stalled_at if self._is_stalled else 0.0
        return max(stall, self._breaker.open_for(now))

    def wait(self, lane: Lane, now: float) -> Wait | None:
        """Why a call of that lane may not leave yet; None where it may."""
        hold = self._holds[lane]
        held = hold.until - now
        if (trouble := self._breaker.wait(now)) > _AT_ONCE:
            return Wait(max(trouble, held), "trouble")
        if held > _AT_ONCE:
            return Wait(held, "limits")
        if lane == "bulk" and hold.refusals and hold.trying:
            return Wait(inf, "limits")
        if self._under_way[lane] >= self._places(lane):
            self._concurrency.want_more()
            return Wait(inf, "places")
        requests, units = self._requests.wait(now), self._units.wait(now)
        if lane == "interactive":
            requests -= self._overdraft()
            units -= _UNIT_OVERDRAFT
        unpaid = max(requests, units)
        return Wait(unpaid, "limits") if unpaid > _AT_ONCE else None

    def leave(self, lane: Lane, expected: float, now: float) -> Departure:
        """To be called right after `wait` said that it may."""
        charged = expected * self._ratio
        self._requests.use(1.0, now)
        self._units.use(charged, now)
        self._under_way[lane] += 1
        self._holds[lane].left()
        self._left += 1
        return Departure(self._left, now, lane, expected, charged, self._breaker.leave())

    def begin(self, call: Departure, now: float) -> None:
        """Its answer has begun, and may go on for long: the provider works."""
        if call.is_probe:
            self._breaker.arrive(True, True, now)

    def arrive(
        self,
        call: Departure,
        outcome: Outcome,
        now: float,
        *,
        used: float | None = None,
        stated: Limits = _NOTHING_STATED,
        hold: float | None = None,
        chance: float = 1.0,
    ) -> None:
        """
        Args:
            used: units, as the reply counts them.
            stated: what the reply's headers say.
            hold: seconds for which the provider asks for nothing more.
            chance: uniform in [0, 1), for what is waited beyond that.
        """
        self._under_way[call.lane] -= 1
        is_later = self._holds[call.lane].is_later(call.number)
        self._holds[call.lane].arrived(call.number)
        is_well = None if outcome in ("left", "limited") else outcome != "failed"
        self._breaker.arrive(is_well, call.is_probe, now)
        if hold is not None:
            for each in self._holds.values():
                each.keep_still(now + hold)
        if outcome == "done":
            self._succeed(call, is_later, now)
        elif outcome in ("limited", "failed"):
            self._concurrency.fail(call.at, now)
        if outcome in ("limited", "refused"):
            used = 0.0
        elif stated.cost is not None:
            used = stated.cost
        self._account(call, used, stated, now)
        if outcome == "limited":
            self._requests.correct(-1.0, call.at)
            if is_later:
                self._refuse(call, chance, now)

    def _overdraft(self) -> float:
        rate = self._requests.rate
        return max(0.0, _OVERDRAFT - _OVERDRAFT_LESS / rate) if rate else 0.0

    def _places(self, lane: Lane) -> int:
        if lane == "interactive":
            return max(_OWN_PLACES, self._concurrency.limit)
        return self._concurrency.limit

    def _succeed(self, call: Departure, is_later: bool, now: float) -> None:
        self._concurrency.succeed(now)
        if is_later and self._is_stalled:
            self._holds[call.lane].refusals = 0
            if self._is_over(call, now):
                self._go_on()

    def _is_over(self, call: Departure, now: float) -> bool:
        """A small call goes through where a large one would not: it is no sign, for a while."""
        is_heavy = call.charged >= self._refused_charge / 2
        return is_heavy or now - self._holds["bulk"].until > _LONG_STALL

    def _go_on(self) -> None:
        self._is_stalled = False
        self._refused_charge = 0.0
        for hold in self._holds.values():
            hold.refusals = 0
        if self._last_refusal - self._stalled_at >= _LONG_STALL:
            for bucket in self._blamed:
                bucket.recover()

    def _refuse(self, call: Departure, chance: float, now: float) -> None:
        """The first refusal in a row lowers the rates; those after it only prolong the wait."""
        if not self._is_stalled:
            self._is_stalled, self._stalled_at = True, now
            buckets = [self._requests, self._units]
            self._blamed = [each for each in buckets if each.is_in_the_way(now)] or buckets
            for bucket in buckets:
                bucket.fall(now) if bucket in self._blamed else bucket.stay(now)
        self._last_refusal = now
        self._refused_charge = max(self._refused_charge, call.charged)
        hold = self._holds[call.lane]
        hold.refuse(self._left, chance, max(now, hold.until))
        self._holds["bulk"].keep_still(hold.until)
        self._holds["interactive"].keep_still(min(self._holds["bulk"].until, now + _SECOND))
        self._requests.pause(self._holds["bulk"].until)
        self._units.pause(self._holds["bulk"].until)

    def _account(
        self,
        call: Departure,
        used: float | None,
        stated: Limits,
        now: float,
    ) -> None:
        """Puts the counters right by what the reply tells."""
        for bucket, limit in (
            (self._requests, stated.requests),
            (self._units, stated.units),
        ):
            if limit.rate is not None:
                bucket.state(limit.rate, limit.remaining, now)
        if used is not None:
            self._units.correct(max(0.0, used) - call.charged, call.at)
            if used > 0 and call.expected > 0:
                ratio = min(used / call.expected, _MOST_RATIO)
                self._ratio += _LEARNING * (ratio - self._ratio)
