"""What is under way: a thing wanted by several at a time is fetched once.

A flight belongs to nobody: it goes on while anyone waits for it, also when the one who wanted it
first has given up, and ends early when nobody does.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from rag.errors import BudgetExhausted

Key = TypeVar("Key")
Value = TypeVar("Value")


class _Flight(Generic[Key, Value]):
    def __init__(self, keys: Sequence[Key], task: asyncio.Task[Mapping[Key, Value]]) -> None:
        self.keys = keys
        self.task = task
        self.waiting = 0
        """How many for it."""

    def landed(self, key: Key) -> Value | BaseException:
        if self.task.cancelled():
            return asyncio.CancelledError()
        return self.task.exception() or self.task.result()[key]


class Flights(Generic[Key, Value]):
    def __init__(self) -> None:
        self._of: dict[Key, _Flight[Key, Value]] = {}

    async def fetch(
        self,
        keys: Iterable[Key],
        divide: Callable[[Sequence[Key]], Iterable[Sequence[Key]]],
        start: Callable[[Sequence[Key]], Coroutine[Any, Any, Mapping[Key, Value]]],
    ) -> dict[Key, Value | BaseException]:
        """The value of each key, or the error that ended its flight. All flights are waited for:
        what one of them pays for is not lost because another failed.

        Args:
            divide: keys that nobody fetches yet -> those of each flight.
            start: keys of a flight -> its work, which gives a value for each of them.
        """
        wanted = list(dict.fromkeys(keys))
        joined = {key for key in wanted if key in self._of and not self._of[key].task.done()}
        for run in divide([key for key in wanted if key not in joined]):
            self._depart(run, start(run))
        flights = {key: self._of[key] for key in wanted}
        await self._wait_for(set(flights.values()))
        landed = {key: flight.landed(key) for key, flight in flights.items()}
        penniless = [key for key in joined if isinstance(landed[key], BudgetExhausted)]
        if penniless:  # whoever started the flight had too little; we may have more
            return landed | await self.fetch(penniless, divide, start)
        return landed

    def _depart(self, keys: Sequence[Key], work: Coroutine[Any, Any, Mapping[Key, Value]]) -> None:
        flight = _Flight(keys, asyncio.create_task(work))
        self._of.update(dict.fromkeys(keys, flight))
        flight.task.add_done_callback(lambda _: self._forget(flight))

    async def _wait_for(self, flights: set[_Flight[Key, Value]]) -> None:
        for flight in flights:
            flight.waiting += 1
        try:
            if flights:
                await asyncio.wait({flight.task for flight in flights})
        finally:
            for flight in flights:
                flight.waiting -= 1
            await self._end({f for f in flights if not f.waiting and not f.task.done()})

    async def _end(self, deserted: set[_Flight[Key, Value]]) -> None:
        for flight in deserted:
            self._forget(flight)  # nobody may board what is about to end
            flight.task.cancel()
        if deserted:
            await asyncio.wait({flight.task for flight in deserted})

    def _forget(self, flight: _Flight[Key, Value]) -> None:
        for key in flight.keys:
            if self._of.get(key) is flight:
                del self._of[key]
