"""All faults on one machine: crashes, failing disks, power cuts.

    python -m scripts.chaos [--seed 1] [--kills 60] [--calls 200] [--errors 200] [--cuts 40]

A number is how many faults of a kind are tried; `--calls all` and `--errors all` try every call
by which the story changes a file, some 1,400. Prints a line for each kind. Exit code 0: every
promise was kept; 1: one was not, and the lines before say which and after what.
"""

import argparse
import json
import random
import signal
import sys
from collections.abc import Iterator

from scripts.chaos import disk_errors, kills, power_cuts, shim
from scripts.chaos.ground import Ground, Tally, ground

SHOWN = 20  # broken promises of a kind; there are many where there is one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=60, help="at random moments")
    parser.add_argument("--calls", type=_number, default=200, help="at which it is killed, or all")
    parser.add_argument("--errors", type=_number, default=200, help="calls that fail, or all")
    parser.add_argument("--cuts", type=int, default=40, help="of the power")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before its end"))  # and unmounts
    is_broken = False
    with ground() as here:
        for tally in _tallies(here, asked):
            broken = tally.broken
            print(json.dumps(tally.summary()), flush=True)
            print("".join(f"    {each}\n" for each in broken[:SHOWN]), end="", flush=True)
            is_broken |= bool(broken)
    sys.exit(is_broken)


def _tallies(here: Ground, asked: argparse.Namespace) -> Iterator[Tally]:
    chance, seed = random.Random(asked.seed), asked.seed
    if asked.kills:
        yield kills.at_random(here, seed, asked.kills)
    if shim.compiler() is None:
        print("no C compiler: nothing is killed or failed at its calls")
    else:
        calls = kills.calls_of(here, seed)
        yield kills.at_calls(here, seed, kills.deaths(calls, asked.calls, chance))
        yield disk_errors.at_calls(here, seed, disk_errors.failures(calls, asked.errors, chance))
    if refused := power_cuts.refusal():
        print(f"no power cuts: {refused}")
    elif asked.cuts:
        yield power_cuts.cuts(here, seed, asked.cuts)


def _number(said: str) -> int | None:
    return None if said == "all" else int(said)


if __name__ == "__main__":
    main()
