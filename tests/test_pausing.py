"""What concerns one document ends it; what concerns all of them lets all of them wait."""

import pytest

from rag.errors import (
    BudgetExhausted,
    InvalidDocument,
    KeyRefused,
    MalformedReply,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from rag.pausing import FIRST_WAIT, LONGEST_WAIT, Pause

DOWN = ProviderUnavailable("mistral", "cannot be reached")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pause(clock: Clock) -> Pause:
    return Pause(clock=clock, sleep=clock.sleep)


@pytest.mark.parametrize(
    "error",
    [
        InvalidDocument("not a PDF"),
        ProviderRefused("mistral", "refuses the request"),
        MalformedReply("mistral", "sent no vectors"),
        BudgetExhausted("the day's budget is used up"),
        ValueError("a defect"),
    ],
)
def test_a_failure_of_one_document_pauses_nothing(pause: Pause, error: Exception) -> None:
    assert not pause.begin(error)
    assert pause.reason is None


@pytest.mark.anyio
async def test_an_outage_is_waited_for_twice_as_long_each_time(pause: Pause, clock: Clock) -> None:
    waits = []
    for _ in range(8):
        began = clock.now
        assert pause.begin(DOWN)
        await pause.passed()
        waits.append(clock.now - began)

    assert waits[:4] == [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT, 8 * FIRST_WAIT]
    assert waits[-1] == LONGEST_WAIT


@pytest.mark.anyio
async def test_a_document_that_went_through_makes_the_next_wait_short(
    pause: Pause, clock: Clock
) -> None:
    for _ in range(3):
        pause.begin(DOWN)
        await pause.passed()
    pause.end()
    began = clock.now
    pause.begin(DOWN)
    await pause.passed()

    assert clock.now - began == FIRST_WAIT


@pytest.mark.anyio
async def test_documents_that_fail_together_are_one_failure(pause: Pause, clock: Clock) -> None:
    began = clock.now
    for _ in range(8):
        pause.begin(DOWN)
    await pause.passed()

    assert clock.now - began < 3 * FIRST_WAIT


@pytest.mark.anyio
async def test_a_stated_wait_is_kept(pause: Pause, clock: Clock) -> None:
    began = clock.now
    pause.begin(RateLimited("mistral", retry_after=700.0))
    await pause.passed()

    assert clock.now - began == 700.0
    assert pause.reason is None


def test_a_refused_key_pauses_until_the_next_start(pause: Pause, clock: Clock) -> None:
    pause.begin(KeyRefused("mistral", "refuses the key"))
    clock.now += 1e9

    assert pause.reason is not None
    assert pause.reason.code == "provider_key_refused"
