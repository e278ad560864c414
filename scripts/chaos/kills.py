"""SIGKILL: at random moments, and at every call by which a library changes its files."""

import random
import signal
import time

from scripts.chaos.ground import Ground, Tally
from scripts.chaos.shim import Action, Fault

LIFE = (0.05, 1.2)
"""Seconds after which a writer is killed: it may not have opened the library by then."""

DEATHS: tuple[Action, ...] = ("kill before", "kill after", "tear")


def at_random(ground: Ground, seed: int, rounds: int, *, plant: str | None = None) -> Tally:
    """One library, of which writer after writer dies, while its upkeep is at work."""
    tally, chance = Tally("kill at a random moment", seed), random.Random(seed)
    site = ground.site()
    before = site.truth()
    for number in range(rounds):
        writer = ground.nursery.start(
            site.task(chance.getrandbits(32), is_endless=True, upkeep=True, plant=plant)
        )
        life = chance.uniform(*LIFE)
        time.sleep(life)
        writer.kill()
        code = writer.ended()
        truth = site.truth()
        tally.count(f"writer {number}, after {life:.3f} s", truth, site.checked(), before=before)
        if code != -signal.SIGKILL:
            tally.broken.append(f"writer {number} ended by itself, with {code}")
        before = site.truth()
    site.remove()
    return tally


def at_calls(
    ground: Ground, seed: int, *, sample: int | None = None, plant: str | None = None
) -> Tally:
    """The same story again and again, in a new library each time, killed at another call.

    Args:
        sample: so many calls, chosen by chance; every one where None.
    """
    tally, chance = Tally("kill at a call", seed), random.Random(seed)
    calls = counted(ground, seed, plant=plant)
    chosen = (
        range(1, calls + 1) if sample is None else sorted(chance.sample(range(1, calls), sample))
    )
    for at in chosen:
        fault = Fault(at, chance.choice(DEATHS))
        site = ground.site()
        code = ground.nursery.run(site.task(seed, plant=plant, fault=fault))
        tally.unreached += not site.calls()
        what = f"{fault.action} {' '.join(site.calls()) or at}"
        tally.count(what, site.truth(), site.checked())
        if code not in (0, -signal.SIGKILL):
            tally.broken.append(f"{what}: the writer ended with {code}")
        site.remove()
    return tally


def counted(ground: Ground, seed: int, *, plant: str | None = None) -> int:
    """Calls of the story when nothing is done to it."""
    site = ground.site()
    ground.nursery.run(site.task(seed, plant=plant, fault=Fault()))
    calls = len(site.calls())
    site.remove()
    return calls
