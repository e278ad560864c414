"""Who is next: a line for bulk work and one for people, for each model at each endpoint."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from itertools import count
from math import inf

from rag.errors import ProviderError, ProviderRefused, ProviderUnavailable, RateLimited
from rag.mistral.calls import Call
from rag.mistral.failures import MayPass, RefusedKey
from rag.mistral.pacing.clock import Clock
from rag.mistral.pacing.limits import limits
from rag.mistral.pacing.pace import Departure, Lane, Outcome, Pace, Wait
from rag.mistral.patience import Patience
from rag.mistral.wire.decoding import PROVIDER


class Place:
    """What a call has while it is under way."""

    def __init__(self, departure: Departure) -> None:
        self.departure = departure
        self.used: float | None = None
        """Units, once the reply has told them."""
        self.headers: Mapping[str, str] = {}
        """Of the reply."""


class Lanes:
    """All calls of one client pass through here."""

    def __init__(self, clock: Clock, chance: Callable[[], float]) -> None:
        self._clock = clock
        self._chance = chance
        self._lines: dict[tuple[str, str], _Lines] = {}
        self._numbers = count()
        self._closed: RefusedKey | None = None

    def ticket(self) -> int:
        """A place in line, kept through all attempts: older calls go first."""
        return next(self._numbers)

    def is_in_trouble(self, call: Call) -> bool:
        """Whether so much fails there that only a call now and then is let through."""
        return self._lines_of(call).pace.is_in_trouble

    @asynccontextmanager
    async def place(
        self, call: Call, ticket: int, patience: Patience, expected: float
    ) -> AsyncIterator[Place]:
        """The call is under way within the block; how the block ends is learned from.

        Raises:
            RefusedKey: the provider takes nothing from this key.
            RateLimited: the turn would not come within the patience.
            ProviderUnavailable: the provider has been in trouble for longer than that.
        """
        lines = self._lines_of(call)
        place = Place(await lines.turn(ticket, patience, expected))
        try:
            yield place
        except BaseException as failure:
            self._arrive(lines, place, failure)
            raise
        self._arrive(lines, place, None)

    def begin(self, call: Call, place: Place) -> None:
        """The answer has begun: whoever waited for a sign that the provider works has it."""
        lines = self._lines_of(call)
        lines.pace.begin(place.departure, self._clock.now())
        lines.wake()

    def _lines_of(self, call: Call) -> "_Lines":
        endpoint = "/".join(call.path.partition("?")[0].split("/")[:3])
        key = (endpoint, call.model)
        if key not in self._lines:
            self._lines[key] = _Lines(self._clock, self._closed)
        return self._lines[key]

    def _arrive(self, lines: "_Lines", place: Place, failure: BaseException | None) -> None:
        passing = failure if isinstance(failure, MayPass) else None
        lines.pace.arrive(
            place.departure,
            _outcome(failure),
            self._clock.now(),
            used=place.used,
            stated=limits(passing.headers if passing else place.headers),
            hold=passing.retry_after if passing else None,
            chance=self._chance(),
        )
        if isinstance(failure, RefusedKey):
            self._close(lines, failure)
        lines.wake()

    def _close(self, lines: "_Lines", failure: RefusedKey) -> None:
        """Nothing leaves any more; what is under way ends as it ends."""
        if failure.is_for_all:
            self._closed = failure
        for each in self._lines.values() if failure.is_for_all else [lines]:
            each.close(failure)


class _Waiting:
    """One call in line."""

    def __init__(self, ticket: int) -> None:
        self.ticket = ticket
        self.called = asyncio.Event()
        """Something has changed; look again."""
        self.is_gone = False

    def __lt__(self, other: "_Waiting") -> bool:
        return self.ticket < other.ticket


class _Lines:
    """To one model at one endpoint. Only the first of a line looks at the pace."""

    def __init__(self, clock: Clock, closed: RefusedKey | None) -> None:
        self.pace = Pace()
        self._clock = clock
        self._closed = closed
        self._waiting: dict[Lane, list[_Waiting]] = {"bulk": [], "interactive": []}
        """Heaps."""

    async def turn(self, ticket: int, patience: Patience, expected: float) -> Departure:
        line = self._waiting[patience.lane]
        me = _Waiting(ticket)
        heappush(line, me)
        try:
            while True:
                if self._closed is not None:
                    raise self._closed.again()
                wait = self._wait(me, patience)
                if wait is None:
                    return self.pace.leave(patience.lane, expected, self._clock.now())
                await self._clock.until(me.called, wait.seconds)
                me.called.clear()
        finally:
            me.is_gone = True
            while line and line[0].is_gone:
                heappop(line)
            self.wake()

    def wake(self) -> None:
        for line in self._waiting.values():
            if line:
                line[0].called.set()

    def close(self, failure: RefusedKey) -> None:
        self._closed = failure
        for each in [*self._waiting["bulk"], *self._waiting["interactive"]]:
            each.called.set()

    def _wait(self, me: _Waiting, patience: Patience) -> Wait | None:
        if self._waiting[patience.lane][0] is not me:
            return Wait(inf, "places")
        now = self._clock.now()
        wait = self._wait_of_people(patience.lane, now) or self.pace.wait(patience.lane, now)
        if wait is None or wait.reason == "places":
            return wait
        if patience.lane == "interactive":
            is_too_long = wait.reason == "trouble" or wait.seconds > patience.longest_wait
        else:
            is_too_long = self.pace.trouble_for(now) > patience.longest_wait
        if is_too_long or inf > wait.seconds > patience.longest_wait:
            raise _given_up(wait)
        return wait

    def _wait_of_people(self, lane: Lane, now: float) -> Wait | None:
        """Where a person could be next, bulk work waits behind."""
        people = self._waiting["interactive"]
        if lane == "interactive" or not people:
            return None
        wait = self.pace.wait("interactive", now)
        if wait is None:
            people[0].called.set()
            return Wait(inf, "limits")
        return wait if wait.reason == "limits" else None


def _given_up(wait: Wait) -> ProviderUnavailable | RateLimited:
    if wait.reason == "trouble":
        return ProviderUnavailable(PROVIDER, "is in trouble; it is tried again now and then")
    return RateLimited(PROVIDER, retry_after=wait.seconds if wait.seconds != inf else 1.0)


def _outcome(failure: BaseException | None) -> Outcome:
    if failure is None:
        return "done"
    if isinstance(failure, MayPass):
        return "limited" if isinstance(failure.error, RateLimited) else "failed"
    if isinstance(failure, ProviderError):
        return "refused" if isinstance(failure, ProviderRefused) else "failed"
    return "left"
