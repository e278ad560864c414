"""What the headers of a reply say of the provider's limits. All may be missing: only two of them
are documented, by name alone; the others were seen in traffic, and their names vary."""

import math
import re
from collections.abc import Mapping

from msgspec import Struct

_NAME = re.compile(
    r"x-ratelimit-(?P<what>limit|remaining)-(?P<of>req|requests|tokens|pages)"
    r"(-(?P<span>second|minute))?"
)
"""Without a span they are OpenAI's, and count by the minute."""

_COST = re.compile(r"x-ratelimit-(tokens|pages)-query-cost")

_SECONDS = {"second": 1.0, "minute": 60.0, None: 60.0}


class Limit(Struct, frozen=True):
    """Of one counter."""

    rate: float | None = None
    """Per second."""
    remaining: float | None = None
    """What may still be used in the counter's span."""


class Limits(Struct, frozen=True):
    requests: Limit = Limit()
    units: Limit = Limit()
    """Pages for OCR, tokens for all else."""
    cost: float | None = None
    """Units that this call was counted for."""


def limits(headers: Mapping[str, str]) -> Limits:
    """As far as they are there, and can be believed.

    >>> limits({"x-ratelimit-limit-req-minute": "720"}).requests.rate
    12.0
    """
    rates: dict[str, float] = {}
    remaining: dict[str, float] = {}
    cost: float | None = None
    for name, value in headers.items():
        number = _number(value) if name.startswith("x-ratelimit-") else None
        if number is None:
            continue
        if _COST.fullmatch(name):
            cost = number
        if found := _NAME.fullmatch(name):
            counter = "requests" if found["of"].startswith("req") else "units"
            if found["what"] == "remaining":
                remaining[counter] = min(number, remaining.get(counter, math.inf))
            elif number > 0:
                rate = number / _SECONDS[found["span"]]
                rates[counter] = min(rate, rates.get(counter, math.inf))
    return Limits(
        Limit(rates.get("requests"), remaining.get("requests")),
        Limit(rates.get("units"), remaining.get("units")),
        cost,
    )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
