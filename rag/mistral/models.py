"""The provider's models, as data: what an id stands for, how much it reads, and when it goes.

An id that ends in `-latest` moves without notice, and some others (`mistral-medium-3`) name the
newest of their line. What each stood for is true of `SEEN_ON` only, so a pinned id is the better
setting.
"""

import functools
import logging

from msgspec import Struct

log = logging.getLogger(__name__)

SEEN_ON = "2026-08-21"
"""When the provider's model cards were read."""

_K = 1_000
"""The cards say `256k` without saying which thousand; the smaller is safe."""


class Retirement(Struct, frozen=True):
    """A model that goes; a month or six after that was told, it is answered with 404."""

    on: str
    """A date."""
    successor: str
    """Which id its card recommends."""


ALIASES: dict[str, str] = {
    "mistral-large-latest": "mistral-large-2512",
    "mistral-medium-3": "mistral-medium-3-5",
    "mistral-medium-latest": "mistral-medium-3-5",
    "mistral-small-latest": "mistral-small-2603",
    "ministral-14b-latest": "ministral-14b-2512",
    "ministral-8b-latest": "ministral-8b-2512",
    "ministral-3b-latest": "ministral-3b-2512",
    "codestral-latest": "codestral-2508",
    "devstral-latest": "devstral-2512",
    "devstral-medium-latest": "devstral-2512",
    "devstral-small-latest": "labs-devstral-small-2512",
    "magistral-medium-latest": "magistral-medium-2509",
    "magistral-small-latest": "magistral-small-2509",
    "open-mistral-nemo": "open-mistral-nemo-2407",
    "mistral-ocr-4": "mistral-ocr-4-1",
    "mistral-ocr-latest": "mistral-ocr-4-1",
    "mistral-embed": "mistral-embed-2312",
    "codestral-embed": "codestral-embed-2505",
}
"""Id -> the pinned id that it stood for."""

CONTEXT: dict[str, int] = {
    "mistral-large-2512": 256 * _K,
    "mistral-medium-3-5": 256 * _K,
    "mistral-small-2603": 256 * _K,
    "ministral-14b-2512": 256 * _K,
    "ministral-8b-2512": 256 * _K,
    "ministral-3b-2512": 256 * _K,
    "codestral-2508": 128 * _K,
    "zai-glm-5-2": 1_000 * _K,
    "devstral-2512": 256 * _K,
    "labs-devstral-small-2512": 256 * _K,
    "magistral-medium-2509": 128 * _K,
    "magistral-small-2509": 128 * _K,
    "mistral-medium-2508": 128 * _K,
    "mistral-medium-2505": 128 * _K,
    "mistral-small-2506": 128 * _K,
    "open-mistral-nemo-2407": 128 * _K,
}
"""Pinned id -> tokens of a prompt and its completion together."""

TAKES_EFFORT = frozenset({"mistral-small-2603", "mistral-medium-3-5"})
"""Models that take `reasoning_effort`; every other refuses the field. What they do without it is
not documented."""

RETIREMENTS: dict[str, Retirement] = {
    "mistral-ocr-2505": Retirement("2026-05-31", "mistral-ocr-4-1"),
    "labs-devstral-small-2512": Retirement("2026-03-31", "mistral-medium-3-5"),
    "devstral-2512": Retirement("2026-07-31", "mistral-medium-3-5"),
    "magistral-medium-2509": Retirement("2026-07-31", "mistral-medium-3-5"),
    "magistral-small-2509": Retirement("2026-07-31", "mistral-small-2603"),
    "mistral-medium-2508": Retirement("2026-08-31", "mistral-medium-3-5"),
    "mistral-medium-2505": Retirement("2026-08-31", "mistral-medium-3-5"),
    "mistral-large-2411": Retirement("2026-05-31", "mistral-medium-3-5"),
    "mistral-small-2506": Retirement("2026-07-31", "mistral-small-2603"),
    "open-mistral-nemo-2407": Retirement("2026-07-31", "ministral-8b-2512"),
}
"""Pinned id -> its end, for what was deprecated when the cards were read. Models that had left
before are not listed: the provider does not know them."""


def pinned(model: str) -> str:
    """What an id stands for; itself where it stands for nothing else.

    >>> pinned("mistral-small-latest")
    'mistral-small-2603'
    """
    return ALIASES.get(model, model)


def is_same_model(told: str, asked: str) -> bool:
    """Whether a reply's model is the one asked for, by whichever of its ids. A `-latest` that has
    moved on is another model."""
    return pinned(told) == pinned(asked)


@functools.cache
def warn_of_retirement(model: str) -> None:
    """Tells the operator, once in the life of this process."""
    if retirement := RETIREMENTS.get(pinned(model)):
        log.warning(
            "this model is deprecated, and gone after its last day; configure its successor",
            extra={
                "action": "model_deprecated",
                "model": model,
                "last_day": retirement.on,
                "successor": retirement.successor,
            },
        )
