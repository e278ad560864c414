"""Damaged derived files, counted: `python -m scripts.chaos.damage --files 1000 --libraries 100`.

`tried` damages changed bytes that an index uses. Of generations as such, `lost` is how many of them
were believed; of whole libraries, how many led to a wrong answer, a wrong word about their health,
or an index that was not built again.
"""

import argparse
import logging
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from scripts.chaos.damage_files import damage_files
from scripts.chaos.damage_library import damage_library


class Row(Struct, frozen=True):
    """Of one class of damage."""

    name: str
    tried: int
    lost: int


def count_damage(files: int, libraries: int, seed: int) -> Iterator[Row]:
    """
    Args:
        files: damages to each kind of generation, one after another.
        libraries: damages to a library, in and out of use.
    """
    counts = damage_files(files, seed)
    for name in dict.fromkeys(name for name, _ in counts):
        mine = [count for (each, _), count in counts.items() if each == name]
        tried, believed = sum(c.tried for c in mine), sum(c.believed for c in mine)
        yield Row(f"damage: {name}", tried, believed)
    with tempfile.TemporaryDirectory(prefix="rag-damage-") as work:
        outcomes = list(damage_library(Path(work), libraries, seed))
    for in_use, name in ((False, "at rest"), (True, "in use")):
        some = [each for each in outcomes if each.in_use == in_use]
        wrong = [each for each in some if each.wrong]
        yield Row(f"damage: a library {name}", len(some), len(wrong))
        for each in wrong:
            print(each)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--files", type=int, default=1_000)
    asked.add_argument("--libraries", type=int, default=100)
    asked.add_argument("--seed", type=int, default=1)
    options = asked.parse_args()
    logging.disable(logging.ERROR)  # of what is damaged, hundreds of times
    lost = 0
    for row in count_damage(options.files, options.libraries, options.seed):
        print(f"{row.name:32} tried {row.tried:6,}  lost {row.lost:6,}", flush=True)
        lost += row.lost
    sys.exit(lost > 0)


if __name__ == "__main__":
    main()
