"""What chat models cost, as data."""

import logging
from decimal import Decimal

from msgspec import Struct

from rag.mistral.wire.usage import TokenUsage

log = logging.getLogger(__name__)

PRICES_OF = "2026-08-21"
"""When the table was true."""


class ChatPrice(Struct, frozen=True):
    """USD for a million tokens."""

    input: Decimal
    output: Decimal


def _price(input_: str, output: str) -> ChatPrice:
    return ChatPrice(Decimal(input_), Decimal(output))


CHAT_PRICES: dict[str, ChatPrice] = {
    "mistral-large-2512": _price("0.50", "1.50"),
    "mistral-medium-3-5": _price("1.50", "7.50"),
    "mistral-small-2603": _price("0.15", "0.60"),
    "ministral-14b-2512": _price("0.20", "0.20"),
    "ministral-8b-2512": _price("0.15", "0.15"),
    "ministral-3b-2512": _price("0.10", "0.10"),
    "codestral-2508": _price("0.30", "0.90"),
}
"""Models that are neither deprecated nor previews. Aliases (`-latest`) are left out: what they
cost changes with what they stand for."""

_CACHED = Decimal("0.1")
"""Of the input's price, for what the provider still had of an earlier prompt."""

_MILLION = 1_000_000


def chat_cost(model: str, usage: TokenUsage) -> Decimal:
    """USD; 0 for a model without a price here, which is logged."""
    price = CHAT_PRICES.get(model)
    if price is None:
        log.warning(
            "no price is known for this model; its cost is not counted",
            extra={"action": "price_unknown", "model": model},
        )
        return Decimal(0)
    details = usage.prompt_tokens_details
    cached = min(details.cached_tokens if details else 0, usage.prompt_tokens)
    paid_input = usage.prompt_tokens - cached + _CACHED * cached
    return (paid_input * price.input + usage.completion_tokens * price.output) / _MILLION
