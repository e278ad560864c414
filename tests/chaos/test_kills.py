"""A process killed at any moment and at any call loses nothing that it acknowledged.

`CHAOS=10` tries ten times as many; `python -m scripts.chaos --calls all` tries all.
"""

import random

from scripts.chaos import kills
from scripts.chaos.ground import Ground
from scripts.chaos.plants import EARLY
from scripts.chaos.shim import Fault
from tests.chaos.sizes import call_after, times

SEED = 7


def test_killed_at_random_moments_it_keeps_its_promises(chaos_ground: Ground) -> None:
    tally = kills.at_random(chaos_ground, SEED, times(4))

    assert (tally.broken, tally.rebuilt, tally.lost) == ([], [], 0)
    assert tally.acknowledged > 0


def test_killed_at_any_call_it_keeps_its_promises(shimmed_ground: Ground) -> None:
    calls = kills.calls_of(shimmed_ground, SEED)
    faults = kills.deaths(calls, times(8), random.Random(SEED))
    tally = kills.at_calls(shimmed_ground, SEED, faults)

    assert (tally.broken, tally.rebuilt, tally.lost, tally.unreached) == ([], [], 0, 0)


def test_an_acknowledgment_before_the_commit_is_found(shimmed_ground: Ground) -> None:
    calls = kills.calls_of(shimmed_ground, SEED)
    commit = call_after(calls, "/blobs/", "library.db-wal")
    tally = kills.at_calls(shimmed_ground, SEED, [Fault(commit, "kill before")], plant=EARLY)

    assert tally.lost == 1


def test_a_segment_that_is_published_before_it_has_its_name_is_found(
    shimmed_ground: Ground,
) -> None:
    plant = "publish before rename"
    calls = kills.calls_of(shimmed_ground, SEED, plant=plant)
    renaming = call_after(calls, "/dense-", " rename ")
    faults = [Fault(renaming, "kill before")]
    tally = kills.at_calls(shimmed_ground, SEED, faults, plant=plant)

    assert tally.rebuilt
