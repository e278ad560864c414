"""How often a call is repeated, and how long is waited between: one layer, and only here."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from msgspec import Struct

from rag.mistral.pacing.pace import Lane

PASSING = frozenset({429, 500, 502, 503, 504})
"""Statuses that may pass, by the provider's error glossary. Every other refusal stays one."""

_FIRST_BACKOFF = 0.5
"""Seconds; doubled with each attempt."""

_LONGEST_BACKOFF = 60.0
"""Seconds: the window of the provider's per-minute counters."""

_FIRST_RETRIES = 10.0
_RETRIES_PER_SUCCESS = 0.1

_LONGEST_REST = 3600.0
"""Seconds. All work waits as long; one request an hour costs nothing, and finds out a clock that
is wrong by hours."""

_BELIEVABLE = 24 * 3600.0
"""Seconds. A provider that asks for more has a broken clock, or means something else."""


class Patience(Struct, frozen=True):
    """How much a caller bears before a failure is final."""

    lane: Lane
    attempts: int
    longest_wait: float
    """Seconds. Asked to wait longer, we give up at once and pass the request to wait on."""

    def backoff(self, attempt: int, chance: float) -> float:
        """Seconds to wait after the failed `attempt`, counted from 1.

        Full jitter (Brooker, "Exponential backoff and jitter", AWS 2015): any time up to the
        backoff is as likely as another, so that callers refused together do not return together.

        Args:
            chance: uniform in [0, 1).
        """
        return chance * min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** (attempt - 1))


BULK = Patience("bulk", attempts=6, longest_wait=600.0)
"""For work nobody waits for."""

INTERACTIVE = Patience("interactive", attempts=2, longest_wait=5.0)
"""For a person who waits: one more try, and soon."""


class RetryBudget:
    """Retries are at most a tenth of the calls that went well, and the few of the beginning:
    when all fails, asking twice only doubles the load."""

    def __init__(self) -> None:
        self._left = _FIRST_RETRIES

    def earn(self) -> None:
        self._left += _RETRIES_PER_SUCCESS

    def spend(self) -> bool:
        """Whether there was one left."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the `Retry-After` header asks for, up to an hour; None where it is missing,
    negative, absurd or unreadable. A date is measured against the reply's own `Date`, so our clock
    plays no part.
    """
    asked = headers.get("retry-after", "").strip()
    try:
        seconds = float(asked)
    except ValueError:
        seconds = _seconds_until(asked, headers.get("date", ""))
    return min(seconds, _LONGEST_REST) if 0 <= seconds <= _BELIEVABLE else None


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """When the reply was written, by the clock of who wrote it."""
    try:
        return _moment(headers.get("date", ""))
    except ValueError:
        return None


def _seconds_until(then: str, now: str) -> float:
    try:
        return (_moment(then) - _moment(now)).total_seconds()
    except ValueError:
        return math.nan


def _moment(date: str) -> datetime:
    """HTTP dates are in GMT, also where they do not say so."""
    moment = parsedate_to_datetime(date)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
