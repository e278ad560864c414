"""What was acknowledged outlives the power: it is on the disk, not only on its way there."""

import pytest

from scripts.chaos import power_cuts
from scripts.chaos.ground import Ground
from tests.chaos.sizes import times

SEED = 7


def test_after_a_power_cut_the_promises_are_kept(ground_with_power: Ground) -> None:
    tally = power_cuts.cuts(ground_with_power, SEED, times(4))

    assert tally.broken == []
    assert (tally.lost, tally.rebuilt) == (0, [])
    assert tally.acknowledged > 0


@pytest.mark.parametrize("plant", ["commit unsynced", "name bytes unsynced"])
def test_what_was_not_synced_is_found_to_be_lost(ground_with_power: Ground, plant: str) -> None:
    tally = power_cuts.cuts(ground_with_power, SEED, 2, plant=plant)

    assert tally.lost > 0


def test_a_segment_that_was_not_synced_is_found(ground_with_power: Ground) -> None:
    tally = power_cuts.cuts(ground_with_power, SEED, 3, plant="name segment unsynced")

    assert tally.rebuilt
