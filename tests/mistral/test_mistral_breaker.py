"""When calls are held back because none goes through, and how it is found out that they do."""

from math import inf

import pytest

from rag.mistral.pacing.breaker import Breaker


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(20):
        breaker.arrive(False, False, at)
    return breaker


def test_half_of_twenty_calls_failing_within_thirty_seconds_opens_it() -> None:
    breaker = Breaker()
    for second in range(19):
        breaker.arrive(second % 2 == 0, False, float(second))
    assert breaker.wait(18.0) == 0.0

    breaker.arrive(False, False, 19.0)

    assert breaker.is_open
    assert breaker.wait(19.0) == 30.0


def test_fewer_than_half_failing_is_borne() -> None:
    breaker = Breaker()
    for number in range(200):
        breaker.arrive(number % 5 > 1, False, number / 10)

    assert not breaker.is_open


def test_failures_longer_ago_than_thirty_seconds_are_forgotten() -> None:
    breaker = Breaker()
    for second in range(0, 600, 2):  # never more than fifteen of them in thirty seconds
        breaker.arrive(False, False, float(second))

    assert not breaker.is_open


def test_one_call_probes_and_the_others_wait_for_what_it_finds() -> None:
    breaker = opened()

    assert breaker.wait(29.0) == 1.0
    assert breaker.wait(30.0) == 0.0
    assert breaker.leave()
    assert breaker.wait(30.0) == inf


@pytest.mark.parametrize(
    ("is_well", "wait"),
    [
        (True, 0.0),
        (False, 30.0),
        (None, 0.0),  # its caller left: the next one probes
    ],
)
def test_what_the_probe_finds_decides(is_well: bool | None, wait: float) -> None:
    breaker = opened()
    probe = breaker.leave()

    breaker.arrive(is_well, probe, 31.0)

    assert breaker.wait(31.0) == wait
    assert breaker.is_open == (is_well is not True)


def test_an_outage_of_half_an_hour_costs_two_probes_a_minute() -> None:
    breaker, now, probes = opened(), 0.0, 0
    while now < 1800.0:
        now += breaker.wait(now)
        breaker.arrive(False, breaker.leave(), now)
        probes += 1

    assert probes == 60
