"""How much of the chaos is tried, and where."""

import os
from collections.abc import Sequence

CHAOS = int(os.environ.get("CHAOS", "1"))


def times(n: int) -> int:
    return n * CHAOS


def call_after(calls: Sequence[str], first: str, then: str) -> int:
    """Number of the first call with `then` in it that comes after one with `first`."""
    numbered = list(enumerate(calls, 1))
    after = next(n for n, call in numbered if first in call)
    return next(n for n, call in numbered if n > after and then in call)
