"""How much of the chaos is tried."""

import os

CHAOS = int(os.environ.get("CHAOS", "1"))


def times(n: int) -> int:
    return n * CHAOS
