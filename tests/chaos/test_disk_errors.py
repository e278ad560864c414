"""A disk that is full or failing is told of, and loses nothing that was acknowledged."""

import random

from scripts.chaos import disk_errors, kills
from scripts.chaos.ground import Ground
from scripts.chaos.shim import Fault
from tests.chaos.sizes import call_after, times

SEED = 7


def test_whatever_call_fails_the_promises_are_kept(shimmed_ground: Ground) -> None:
    calls = kills.calls_of(shimmed_ground, SEED)
    faults = disk_errors.failures(calls, times(8), random.Random(SEED))
    tally = disk_errors.at_calls(shimmed_ground, SEED, faults)

    assert (tally.broken, tally.lost) == ([], 0)


def test_an_error_that_is_swallowed_is_found(shimmed_ground: Ground) -> None:
    calls = kills.calls_of(shimmed_ground, SEED)
    commits = [n for n in range(len(calls)) if "/blobs/" in calls[n] and "rename" in calls[n]]
    third = commits[3] + 1  # fish/k2, which nothing else is done to
    commit = third + call_after(calls[third:], "fsync", "pwrite")
    faults = [Fault(commit, "fail", "ENOSPC")]
    tally = disk_errors.at_calls(shimmed_ground, SEED, faults, plant="swallow full disk")

    assert tally.lost > 0
