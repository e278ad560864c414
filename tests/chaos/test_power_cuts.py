"""What was acknowledged outlives the power: it is on the disk, not only on its way there."""

import pytest

from scripts.chaos import power_cuts
from scripts.chaos.ground import Ground
from tests.chaos.sizes import times

SEED = 7
TRIES = 8
"""Of two cuts each, until a planted bug shows: when the kernel writes is its own affair."""


def test_after_a_power_cut_the_promises_are_kept(ground_with_power: Ground) -> None:
    tally = power_cuts.cuts(ground_with_power, SEED, times(4))

    assert tally.broken == []
    assert (tally.lost, tally.rebuilt) == (0, [])
    assert tally.acknowledged > 0


@pytest.mark.parametrize("plant", ["commit unsynced", "name bytes unsynced"])
def test_what_was_not_synced_is_found_to_be_lost(ground_with_power: Ground, plant: str) -> None:
    tries = (power_cuts.cuts(ground_with_power, SEED + n, 2, plant=plant) for n in range(TRIES))

    assert any(tally.lost for tally in tries)


def test_a_segment_that_was_not_synced_is_found(ground_with_power: Ground) -> None:
    plant = "name segment unsynced"
    tries = (power_cuts.cuts(ground_with_power, SEED + n, 2, plant=plant) for n in range(TRIES))

    assert any(tally.rebuilt for tally in tries)
