"""What the provider's work costs, as data.

A model without a price here has none: that is `None`, never 0, and told once. An id that may move
(`-latest`) costs what it stood for when the table was true.
"""

import functools
import logging
from decimal import Decimal

from msgspec import Struct

from rag.domain import Lane
from rag.mistral.models import SEEN_ON, pinned, warn_of_retirement
from rag.spending import Units

log = logging.getLogger(__name__)

PRICES_OF = SEEN_ON
"""When the table was true. List prices in USD, without tax, of the global endpoint: the regional
ones cost a tenth more."""


_CACHED = Decimal("0.1")
"""Of the input's price, for what the provider still had of an earlier prompt."""

_OF_LANE: dict[Lane, Decimal] = {"direct": Decimal(1), "batch": Decimal("0.5")}

_THOUSAND = 1_000
_MILLION = 1_000_000


class PagePrice(Struct, frozen=True):
    """USD for a thousand pages."""

    read: Decimal
    annotated: Decimal
    """Instead of `read`, where annotations of images or of the document are asked for."""


class TokenPrice(Struct, frozen=True):
    """USD for a million tokens."""

    input: Decimal
    output: Decimal
    cached: Decimal
    """For those of the input that the provider still had of an earlier prompt."""

    def usd(self, units: Units, lane: Lane = "direct") -> Decimal:
        cached = min(units.cached, units.input)
        input_ = (units.input - cached) * self.input + cached * self.cached
        return _OF_LANE[lane] * (input_ + units.output * self.output) / _MILLION


def _pages(read: str, annotated: str) -> PagePrice:
    return PagePrice(Decimal(read), Decimal(annotated))


def _tokens(input_: str, output: str) -> TokenPrice:
    return TokenPrice(Decimal(input_), Decimal(output), _CACHED * Decimal(input_))


OCR_PRICES: dict[str, PagePrice] = {
    "mistral-ocr-4-1": _pages("4", "5"),
    "mistral-ocr-4-0": _pages("4", "5"),
    "mistral-ocr-2512": _pages("2", "3"),
    "mistral-ocr-2505": _pages("1", "3"),
}

EMBEDDING_PRICES: dict[str, Decimal] = {
    "mistral-embed-2312": Decimal("0.10"),
    "codestral-embed-2505": Decimal("0.15"),
}
"""USD for a million tokens."""

CHAT_PRICES: dict[str, TokenPrice] = {
    "mistral-large-2512": _tokens("0.50", "1.50"),
    "mistral-medium-3-5": _tokens("1.50", "7.50"),
    "mistral-small-2603": _tokens("0.15", "0.60"),
    "ministral-14b-2512": _tokens("0.20", "0.20"),
    "ministral-8b-2512": _tokens("0.15", "0.15"),
    "ministral-3b-2512": _tokens("0.10", "0.10"),
    "codestral-2508": _tokens("0.30", "0.90"),
    "zai-glm-5-2": _tokens("1.40", "4.40"),
    "devstral-2512": _tokens("0.40", "2.00"),
    "labs-devstral-small-2512": _tokens("0.10", "0.30"),
    "magistral-medium-2509": _tokens("2.00", "5.00"),
    "magistral-small-2509": _tokens("0.50", "1.50"),
    "mistral-medium-2508": _tokens("0.40", "2.00"),
    "mistral-medium-2505": _tokens("0.40", "2.00"),
    "mistral-small-2506": _tokens("0.10", "0.30"),
    "mistral-large-2411": _tokens("2.00", "6.00"),
    "open-mistral-nemo-2407": _tokens("0.15", "0.15"),
}


def ocr_cost(
    model: str, pages: int, annotated: bool = False, lane: Lane = "direct"
) -> Decimal | None:
    """USD; None where no price is known.

    >>> ocr_cost("mistral-ocr-latest", 1_000, lane="batch")
    Decimal('2.0')
    """
    price = OCR_PRICES.get(_priced(model))
    if price is None:
        warn_of_no_price(model)
        return None
    each = price.annotated if annotated else price.read
    return _OF_LANE[lane] * each * pages / _THOUSAND


def embedding_cost(model: str, tokens: int, lane: Lane = "direct") -> Decimal | None:
    """USD; None where no price is known."""
    price = EMBEDDING_PRICES.get(_priced(model))
    if price is None:
        warn_of_no_price(model)
        return None
    return _OF_LANE[lane] * price * tokens / _MILLION


def chat_cost(model: str, units: Units, lane: Lane = "direct") -> Decimal | None:
    """USD, of a chat or a fill-in-the-middle completion; None where no price is known."""
    price = chat_price(model)
    return None if price is None else price.usd(units, lane)


def chat_price(model: str) -> TokenPrice | None:
    """Of one of Mistral's own; None where none is known."""
    price = CHAT_PRICES.get(_priced(model))
    if price is None:
        warn_of_no_price(model)
    return price


def stated_cost(price: Decimal | None, tokens: int, model: str) -> Decimal:
    """USD at another host, by what its operator says that a million tokens cost; 0 where he does
    not, and told so.

    Args:
        model: its name, for the operator to read.
    """
    if price is None:
        warn_of_no_price(model)
        return Decimal(0)
    return price * tokens / _MILLION


def _priced(model: str) -> str:
    warn_of_retirement(model)
    return pinned(model)


@functools.cache
def warn_of_no_price(model: str) -> None:
    """Once in the life of this process."""
    log.warning(
        "no price is known for %s: what it costs is not counted, and no budget holds it",
        model,
        extra={"action": "price_unknown", "model": model},
    )
