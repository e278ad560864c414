"""ENOSPC and EIO at every call by which a library changes its files, once or from then on.

What a disk refuses may fail, in words of ours; nothing that was acknowledged may be lost, and the
process goes on. When a full disk has room again, it takes documents without being started anew.
"""

import random
from typing import get_args

from scripts.chaos.ground import Ground, Tally
from scripts.chaos.kills import counted
from scripts.chaos.shim import Action, DiskError, Fault

FAILURES: tuple[Action, ...] = ("fail", "fail from", "shorten")


def at_calls(
    ground: Ground, seed: int, *, sample: int | None = None, plant: str | None = None
) -> Tally:
    """
    Args:
        sample: so many calls, chosen by chance; every one where None.
    """
    tally, chance = Tally("disk error at a call", seed), random.Random(seed)
    calls = counted(ground, seed)
    chosen = (
        range(1, calls + 1) if sample is None else sorted(chance.sample(range(1, calls), sample))
    )
    for at in chosen:
        fault = Fault(at, chance.choice(FAILURES), chance.choice(get_args(DiskError)))
        try_one(ground, seed, fault, tally, plant=plant)
    return tally


def try_one(
    ground: Ground, seed: int, fault: Fault, tally: Tally, *, plant: str | None = None
) -> None:
    site = ground.site()
    code = ground.nursery.run(site.task(seed, plant=plant, fault=fault))
    told = site.calls()
    tally.unreached += not told
    what = f"{fault.action} {fault.error} {told[0] if told else fault.at}"
    truth = site.truth()
    tally.count(what, truth, site.checked())
    if code:
        tally.broken.append(f"{what}: the writer ended with {code}")
    if fault.action == "shorten" and truth.failures:
        tally.broken.append(f"{what}: half a write is no failure, but {truth.failures}")
    site.remove()
