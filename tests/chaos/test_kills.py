"""A process killed at any moment and at any call loses nothing that it acknowledged.

`CHAOS=10` tries ten times as many; `python -m scripts.chaos` tries all.
"""

import random

from scripts.chaos import kills
from scripts.chaos.ground import Ground
from scripts.chaos.plants import EARLY
from tests.chaos.sizes import times

SEED = 7


def test_killed_at_random_moments_it_keeps_its_promises(chaos_ground: Ground) -> None:
    tally = kills.at_random(chaos_ground, SEED, times(4))

    assert tally.broken == []
    assert (tally.lost, tally.rebuilt) == (0, 0)
    assert tally.acknowledged > 0


def test_killed_at_any_call_it_keeps_its_promises(shimmed_ground: Ground) -> None:
    calls = kills.calls_of(shimmed_ground, SEED)
    chosen = kills.some_of(calls, times(8), random.Random(SEED))
    tally = kills.at_calls(shimmed_ground, SEED, chosen)

    assert tally.broken == []
    assert (tally.lost, tally.rebuilt, tally.unreached) == (0, 0, 0)


def test_an_acknowledgment_before_the_commit_is_found(chaos_ground: Ground) -> None:
    tally = kills.at_random(chaos_ground, SEED, 3, plant=EARLY)

    assert tally.lost > 0


def test_bytes_written_in_their_place_are_found(shimmed_ground: Ground) -> None:
    plant = "write bytes in place"
    calls = kills.calls_of(shimmed_ground, SEED, plant=plant)
    chosen = [n for n, call in enumerate(calls, 1) if " write " in call and "/blobs/" in call]
    tally = kills.at_calls(shimmed_ground, SEED, chosen[1:2], plant=plant)

    assert any("belong" in each or "bytes" in each for each in tally.broken)


def test_a_segment_published_before_it_has_its_name_is_found(shimmed_ground: Ground) -> None:
    plant = "publish before rename"
    calls = kills.calls_of(shimmed_ground, SEED, plant=plant)
    chosen = [n for n, call in enumerate(calls, 1) if " rename " in call and "/dense-" in call]
    tally = kills.at_calls(shimmed_ground, SEED, chosen[:1], plant=plant)

    assert tally.rebuilt > 0
