"""Settings as they are written on a command line -> the ways in which questions are asked."""

from collections.abc import Sequence

from rag.cli.evaluate.asking import Way
from rag.errors import InvalidRequest

LEGS = ("hybrid", "dense", "words")

TUNED_WEIGHTS = (0.3, 0.5, 0.7, 0.85)
TUNED_CHUNKS = (96, 160)
"""Tokens; besides what new collections have."""


def ways_of(
    legs: Sequence[str],
    weights: Sequence[float],
    sizes: Sequence[int],
    against: Sequence[str],
    *,
    tune: bool,
) -> tuple[Way, ...]:
    """Those with the same size of chunks together, as new collections are cut first.

    Raises:
        InvalidRequest: a setting is not written like one.
    """
    modes = legs or LEGS
    if tune:
        weights = sorted({*weights, *TUNED_WEIGHTS})
        sizes = sorted({*sizes, *TUNED_CHUNKS})
    ways = [
        *map(Way, modes),
        *(Way("hybrid", weight) for weight in weights),
        *(Way(modes[0], None, size) for size in sizes),
        *map(parse_way, against),
    ]
    return tuple(sorted(dict.fromkeys(ways), key=lambda way: way.chunk_tokens or 0))


def parse_way(written: str) -> Way:
    """As `words` or `mode=hybrid,weight=0.4,chunk_tokens=128`.

    Raises:
        InvalidRequest: it is not like that.
    """
    known = {"mode": "hybrid"}
    for part in written.split(","):
        name, sign, value = part.strip().partition("=")
        known |= {name.strip(): value.strip()} if sign else {"mode": name}
    try:
        if known["mode"] not in LEGS or known.keys() - {"mode", "weight", "chunk_tokens"}:
            raise ValueError
        weight = float(known["weight"]) if "weight" in known else None
        size = int(known["chunk_tokens"]) if "chunk_tokens" in known else None
    except ValueError:
        raise InvalidRequest(
            f"a setting is written as words or as mode=hybrid,weight=0.4,chunk_tokens=128, not"
            f" {written!r}; modes are {', '.join(LEGS)}"
        ) from None
    if weight is not None and (known["mode"] != "hybrid" or not 0 <= weight <= 1):
        raise InvalidRequest("a weight is of the mode hybrid, and from 0 to 1")
    return Way(known["mode"], weight, size)
