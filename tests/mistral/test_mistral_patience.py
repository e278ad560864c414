"""How long is waited, and when it is given up."""

import pytest

from rag.mistral.patience import BULK, RetryBudget, retry_after

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
        ({"retry-after": "20000"}, 3600.0),  # looked at again after an hour
        ({"retry-after": "Sun, 22 Nov 2026 23:59:00 GMT", "date": NOON}, 3600.0),
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
    backoffs = [BULK.backoff(attempt, 1.0) for attempt in range(1, 10)]

    assert backoffs == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]


def test_jitter_takes_any_part_of_the_backoff() -> None:
    assert BULK.backoff(3, 0.0) == 0.0
    assert BULK.backoff(3, 0.25) == 0.25 * 2.0


def test_a_retry_is_earned_by_ten_calls_that_went_well() -> None:
    budget = RetryBudget()
    while budget.spend():
        pass

    for _ in range(11):
        budget.earn()

    assert budget.spend()
    assert not budget.spend()


def test_the_beginning_has_a_few_retries_to_spend() -> None:
    budget = RetryBudget()

    assert [budget.spend() for _ in range(11)] == [True] * 10 + [False]
