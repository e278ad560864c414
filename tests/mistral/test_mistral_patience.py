"""How long is waited, and when it is given up."""

import pytest

from rag.mistral.patience import BULK, INTERACTIVE, Patience, retry_after

NOON = "Sun, 22 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),  # fractions are sent, though HTTP knows none
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT", "date": NOON}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 13:00:30 +0100", "date": NOON}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 11:59:00 GMT", "date": NOON}, None),  # past
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, None),  # by whose clock?
        ({"retry-after": "-1"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon", "date": NOON}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_far_as_it_can_be_believed(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds


def test_backoff_doubles_up_to_a_minute() -> None:
    patience = Patience(attempts=10, longest_wait=600, places=1)

    waits = [patience.wait(attempt, None, 1.0) for attempt in range(1, 11)]

    assert waits == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, None]


def test_jitter_takes_any_part_of_the_backoff() -> None:
    assert BULK.wait(3, None, 0.0) == 0.0
    assert BULK.wait(3, None, 0.25) == 0.25 * 2.0


def test_what_the_provider_asks_for_is_a_floor() -> None:
    assert BULK.wait(1, 20.0, 0.5) == 20.0 + 0.5 * 0.5


def test_asked_to_wait_too_long_we_give_up_at_once() -> None:
    assert INTERACTIVE.wait(1, 4.0, 0.0) == 4.0
    assert INTERACTIVE.wait(1, 5.1, 0.0) is None
    assert BULK.wait(1, 601.0, 0.0) is None


def test_a_person_gets_two_attempts_and_a_job_six() -> None:
    assert INTERACTIVE.wait(2, None, 0.0) is None
    assert BULK.wait(5, None, 0.0) is not None
    assert BULK.wait(6, None, 0.0) is None
