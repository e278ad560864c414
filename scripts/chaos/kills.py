"""SIGKILL: at random moments, and at every call by which a library changes its files."""

import random
import signal
import time
from collections.abc import Iterable, Sequence

from scripts.chaos.ground import Ground, Tally
from scripts.chaos.shim import Action, Fault

CHANGES = 5
"""After at most so many, acknowledged, a writer is killed; before the first it may be anywhere."""

INSTANT = 0.1  # seconds, at most, into the operation that follows

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
        site.await_changes(before.acknowledged + chance.randint(0, CHANGES))
        time.sleep(chance.uniform(0, INSTANT))
        writer.kill()
        code = writer.ended()
        truth = site.truth()
        tally.count(f"writer {number}", truth, site.checked(), before=before)
        if code != -signal.SIGKILL:
            tally.broken.append(f"writer {number} ended by itself, with {code}")
        before = site.truth()
    site.remove()
    return tally


def at_calls(
    ground: Ground, seed: int, faults: Iterable[Fault], *, plant: str | None = None
) -> Tally:
    """The same story again and again, in a new library each time, killed at another call."""
    tally = Tally("kill at a call", seed)
    for fault in faults:
        site = ground.site()
        code = ground.nursery.run(site.task(seed, plant=plant, fault=fault))
        tally.unreached += not site.calls()
        what = f"{fault.action} {' '.join(site.calls()) or fault.at}"
        tally.count(what, site.truth(), site.checked())
        if code not in (0, -signal.SIGKILL):
            tally.broken.append(f"{what}: the writer ended with {code}")
        site.remove()
    return tally


def calls_of(ground: Ground, seed: int, *, plant: str | None = None) -> tuple[str, ...]:
    """Of the story when nothing is done to it: number, name and path of each."""
    site = ground.site()
    ground.nursery.run(site.task(seed, plant=plant, fault=Fault()))
    calls = site.calls()
    site.remove()
    return tuple(calls)


def deaths(calls: Sequence[str], n: int | None, chance: random.Random) -> list[Fault]:
    """At so many of the calls, or at each."""
    return [Fault(at, chance.choice(DEATHS)) for at in some_of(calls, n, chance)]


def some_of(calls: Sequence[str], n: int | None, chance: random.Random) -> list[int]:
    """Numbers of so many, or of all."""
    numbers = range(1, len(calls) + 1)
    return list(numbers) if n is None else sorted(chance.sample(numbers, min(n, len(calls))))
