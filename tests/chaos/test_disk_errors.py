"""A disk that is full or failing is told of, and loses nothing that was acknowledged."""

import random

from scripts.chaos import disk_errors, kills
from scripts.chaos.ground import Ground, Tally
from scripts.chaos.shim import Fault
from tests.chaos.sizes import times

SEED = 7


def test_whatever_call_fails_the_promises_are_kept(shimmed_ground: Ground) -> None:
    calls = kills.calls_of(shimmed_ground, SEED)
    chosen = kills.some_of(calls, times(8), random.Random(SEED))
    tally = disk_errors.at_calls(shimmed_ground, SEED, chosen)

    assert tally.broken == []
    assert tally.lost == 0


def test_a_swallowed_error_is_found(shimmed_ground: Ground) -> None:
    calls = kills.calls_of(shimmed_ground, SEED)
    first_bytes = next(n for n, call in enumerate(calls, 1) if "/blobs/" in call)
    at = next(n for n, call in enumerate(calls, 1) if n > first_bytes and "db-wal" in call)
    tally = Tally("disk error at a call", SEED)
    fault = Fault(at, "fail from", "ENOSPC")
    disk_errors.try_one(shimmed_ground, SEED, fault, tally, plant="swallow full disk")

    assert tally.lost > 0
