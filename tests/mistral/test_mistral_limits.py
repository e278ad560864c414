"""What is read from the headers that tell of limits."""

import pytest

from rag.mistral.pacing.limits import Limit, Limits, limits


def test_all_headers_that_were_seen_in_traffic_are_read() -> None:
    said = limits(
        {
            "x-ratelimit-limit-tokens-minute": "5000000",
            "x-ratelimit-remaining-tokens-minute": "4999000",
            "x-ratelimit-tokens-query-cost": "1000",
            "x-ratelimit-limit-req-minute": "720",
            "x-ratelimit-remaining-req-minute": "719",
            "content-type": "application/json",
        }
    )

    assert said == Limits(Limit(12.0, 719), Limit(5_000_000 / 60, 4_999_000), 1000)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, Limits()),
        ({"x-ratelimit-limit-requests": "60"}, Limits(requests=Limit(1.0))),  # OpenAI's
        ({"x-ratelimit-limit-pages-minute": "120"}, Limits(units=Limit(2.0))),
        ({"x-ratelimit-limit-req-second": "6"}, Limits(requests=Limit(6.0))),
        # of several, the tightest
        (
            {"x-ratelimit-limit-req-second": "6", "x-ratelimit-limit-req-minute": "60"},
            Limits(requests=Limit(1.0)),
        ),
        ({"x-ratelimit-remaining-req-minute": "0"}, Limits(requests=Limit(None, 0))),
        # not to be believed
        ({"x-ratelimit-limit-req-minute": "0"}, Limits()),
        ({"x-ratelimit-limit-req-minute": "-5"}, Limits()),
        ({"x-ratelimit-limit-req-minute": "nan"}, Limits()),
        ({"x-ratelimit-limit-req-minute": "inf"}, Limits()),
        ({"x-ratelimit-limit-req-minute": "many"}, Limits()),
        ({"x-ratelimit-limit-tokens-month": "7"}, Limits()),
        ({"x-ratelimit-reset": "7"}, Limits()),
    ],
)
def test_headers_are_read_as_far_as_they_can_be_believed(
    headers: dict[str, str], said: Limits
) -> None:
    assert limits(headers) == said
