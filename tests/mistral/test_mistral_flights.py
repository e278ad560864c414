"""What several want at a time is fetched once, for as long as one of them waits."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import pytest

from rag.errors import BudgetExhausted, ProviderUnavailable
from rag.mistral.embedding.flights import Flights

pytestmark = pytest.mark.anyio


class Airport:
    """Flights that land when they are let; each brings the length of its key."""

    def __init__(self) -> None:
        self.flights: Flights[str, int] = Flights()
        self.departed: list[list[str]] = []
        self.ended: list[list[str]] = []
        self.may_land = asyncio.Event()
        self.failures: list[Exception] = []

    async def fetch(self, *keys: str, size: int = 10) -> dict[str, int | BaseException]:
        def divide(wanted: Sequence[str]) -> list[Sequence[str]]:
            return [wanted[i : i + size] for i in range(0, len(wanted), size)]

        return await self.flights.fetch(keys, divide, self._fly)

    async def _fly(self, keys: Sequence[str]) -> dict[str, int]:
        self.departed.append(list(keys))
        try:
            await self.may_land.wait()
            if self.failures:
                raise self.failures.pop(0)
            return {key: len(key) for key in keys}
        finally:
            self.ended.append(list(keys))


@pytest.fixture
async def airport() -> Airport:
    return Airport()


async def begun(work: "asyncio.Task[dict[str, int | BaseException]]") -> None:
    for _ in range(5):
        await asyncio.sleep(0)
    assert not work.done()


async def cancelled(work: "asyncio.Task[dict[str, int | BaseException]]") -> None:
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work
    assert work.cancelled()


async def test_two_who_want_the_same_share_a_flight(airport: Airport) -> None:
    first = asyncio.create_task(airport.fetch("a", "bb"))
    await begun(first)
    second = asyncio.create_task(airport.fetch("bb", "ccc"))
    await begun(second)
    airport.may_land.set()

    assert await first == {"a": 1, "bb": 2}
    assert await second == {"bb": 2, "ccc": 3}
    assert airport.departed == [["a", "bb"], ["ccc"]]


async def test_a_key_wanted_twice_by_one_is_fetched_once(airport: Airport) -> None:
    airport.may_land.set()

    assert await airport.fetch("a", "a", "bb", "a") == {"a": 1, "bb": 2}
    assert airport.departed == [["a", "bb"]]


async def test_what_has_landed_is_fetched_anew(airport: Airport) -> None:
    airport.may_land.set()
    await airport.fetch("a")
    await airport.fetch("a")

    assert airport.departed == [["a"], ["a"]]


async def test_nothing_is_wanted_and_nothing_departs(airport: Airport) -> None:
    assert await airport.fetch() == {}
    assert airport.departed == []


async def test_the_second_gets_its_value_though_the_first_gives_up(airport: Airport) -> None:
    first = asyncio.create_task(airport.fetch("a"))
    await begun(first)
    second = asyncio.create_task(airport.fetch("a"))
    await begun(second)

    await cancelled(first)
    airport.may_land.set()

    assert await second == {"a": 1}
    assert airport.departed == [["a"]]


async def test_a_flight_that_nobody_waits_for_ends_before_the_last_has_left(
    airport: Airport,
) -> None:
    first = asyncio.create_task(airport.fetch("a", "bb", size=1))
    await begun(first)
    second = asyncio.create_task(airport.fetch("bb"))
    await begun(second)

    await cancelled(first)
    assert airport.ended == [["a"]]

    await cancelled(second)
    assert airport.ended == [["a"], ["bb"]]


async def test_nobody_boards_a_flight_that_is_being_ended(airport: Airport) -> None:
    first = asyncio.create_task(airport.fetch("a"))
    await begun(first)
    first.cancel()
    second = asyncio.create_task(airport.fetch("a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    airport.may_land.set()

    assert await second == {"a": 1}
    assert airport.departed == [["a"], ["a"]]


async def test_a_failure_is_told_for_each_key_and_spares_other_flights(airport: Airport) -> None:
    airport.failures = [ProviderUnavailable("mistral", "is down")]
    airport.may_land.set()

    landed = await airport.fetch("a", "bb", "ccc", size=2)

    assert isinstance(landed["a"], ProviderUnavailable)
    assert landed["bb"] is landed["a"]
    assert landed["ccc"] == 3


async def test_who_joined_pays_himself_where_the_first_could_not(airport: Airport) -> None:
    airport.failures = [BudgetExhausted("nothing is left")]
    first = asyncio.create_task(airport.fetch("a"))
    await begun(first)
    second = asyncio.create_task(airport.fetch("a"))
    await begun(second)
    airport.may_land.set()

    assert isinstance((await first)["a"], BudgetExhausted)
    assert await second == {"a": 1}


async def test_who_cannot_pay_himself_is_told(airport: Airport) -> None:
    airport.failures = [BudgetExhausted("nothing is left")] * 2
    first = asyncio.create_task(airport.fetch("a"))
    await begun(first)
    second = asyncio.create_task(airport.fetch("a"))
    await begun(second)
    airport.may_land.set()

    assert isinstance((await second)["a"], BudgetExhausted)
    assert airport.departed == [["a"], ["a"]]
