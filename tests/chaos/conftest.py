"""Libraries to try faults on, and a process from which their writers fork."""

from collections.abc import Iterator

import pytest

from scripts.chaos import power_cuts, shim
from scripts.chaos.ground import Ground, ground


@pytest.fixture(scope="session")
def chaos_ground() -> Iterator[Ground]:
    with ground() as made:
        yield made


@pytest.fixture
def shimmed_ground(chaos_ground: Ground) -> Ground:
    """Where calls can be counted and failed."""
    if shim.compiler() is None:
        pytest.skip("there is no C compiler for the shim between the library and its disk")
    return chaos_ground


@pytest.fixture(scope="session")
def power_refusal() -> str | None:
    return power_cuts.refusal()


@pytest.fixture
def ground_with_power(chaos_ground: Ground, power_refusal: str | None) -> Ground:
    """Where the power can be cut."""
    if power_refusal is not None:
        pytest.skip(power_refusal)
    return chaos_ground
