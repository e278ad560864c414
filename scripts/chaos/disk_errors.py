"""ENOSPC and EIO at every call by which a library changes its files, once or from then on.

What a disk refuses may fail, in words of ours; nothing that was acknowledged may be lost, and the
process goes on. When a full disk has room again, it takes documents without being started anew.
"""

import random
from collections.abc import Iterable, Sequence
from typing import get_args

from scripts.chaos.ground import Ground, Tally
from scripts.chaos.kills import some_of
from scripts.chaos.shim import Action, DiskError, Fault

FAILURES: tuple[Action, ...] = ("fail", "fail from", "shorten")


def at_calls(
    ground: Ground, seed: int, faults: Iterable[Fault], *, plant: str | None = None
) -> Tally:
    """The same story again and again, in a new library each time, failed at another call."""
    tally = Tally("disk error at a call", seed)
    for fault in faults:
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
    return tally


def failures(calls: Sequence[str], n: int | None, chance: random.Random) -> list[Fault]:
    """At so many of the calls, or at each."""
    errors = get_args(DiskError)
    return [
        Fault(at, chance.choice(FAILURES), chance.choice(errors))
        for at in some_of(calls, n, chance)
    ]
