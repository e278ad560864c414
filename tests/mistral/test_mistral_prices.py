"""What the provider's work costs, and which of its models are about to go."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from rag.mistral import models, prices
from rag.mistral.models import ALIASES, CONTEXT, RETIREMENTS, is_same_model, pinned
from rag.mistral.prices import (
    CHAT_PRICES,
    EMBEDDING_PRICES,
    OCR_PRICES,
    PRICES_OF,
    chat_cost,
    embedding_cost,
    ocr_cost,
)
from rag.spending import Lane, Units

PRICED = {*OCR_PRICES, *EMBEDDING_PRICES, *CHAT_PRICES}


@pytest.fixture(autouse=True)
def nothing_was_told() -> Iterator[None]:
    told = (models.warn_of_retirement, prices.warn_of_no_price)
    for each in told:
        each.cache_clear()
    yield
    for each in told:
        each.cache_clear()


@pytest.mark.parametrize(
    ("model", "annotated", "lane", "usd"),
    [
        ("mistral-ocr-4-1", False, "direct", "4"),
        ("mistral-ocr-latest", False, "direct", "4"),  # what it stood for
        ("mistral-ocr-4-0", True, "direct", "5"),
        ("mistral-ocr-2512", False, "direct", "2"),
        ("mistral-ocr-2512", True, "batch", "1.5"),
        ("mistral-ocr-4", False, "batch", "2"),
    ],
)
def test_a_thousand_pages(model: str, annotated: bool, lane: Lane, usd: str) -> None:
    assert ocr_cost(model, 1_000, annotated, lane) == Decimal(usd)


def test_one_page_is_a_thousandth() -> None:
    assert ocr_cost("mistral-ocr-4-1", 1) == Decimal("0.004")


@pytest.mark.parametrize(
    ("model", "lane", "usd"),
    [
        ("mistral-embed", "direct", "0.10"),
        ("mistral-embed-2312", "batch", "0.05"),
        ("codestral-embed", "direct", "0.15"),
    ],
)
def test_a_million_embedded_tokens(model: str, lane: Lane, usd: str) -> None:
    assert embedding_cost(model, 1_000_000, lane) == Decimal(usd)


@pytest.mark.parametrize(
    ("units", "lane", "usd"),
    [
        (Units(1_000_000), "direct", "0.50"),
        (Units(0, 1_000_000), "direct", "1.50"),
        (Units(1_000_000, 1_000_000), "batch", "1.00"),
        (Units(1_000_000, cached=1_000_000), "direct", "0.05"),  # a tenth
        (Units(1_000_000, cached=400_000), "direct", "0.32"),
        (Units(1_000_000, cached=2_000_000), "direct", "0.05"),  # more than there was: all of it
        (Units(1_000_000, cached=1_000_000), "batch", "0.025"),
    ],
)
def test_a_million_chat_tokens(units: Units, lane: Lane, usd: str) -> None:
    assert chat_cost("mistral-large-latest", units, lane) == Decimal(usd)


def test_no_fraction_of_a_cent_is_rounded_away() -> None:
    assert chat_cost("mistral-small-2603", Units(1, 1)) == Decimal("0.00000075")


def test_a_model_without_a_price_has_none_and_that_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(3):
        assert ocr_cost("other", 1) is None
        assert embedding_cost("other", 1) is None
        assert chat_cost("other", Units(1)) is None

    assert caplog.text.count("no price is known") == 1


def test_a_deprecated_model_is_told_once_with_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        chat_cost("magistral-small-latest", Units(1))
        chat_cost("mistral-large-2512", Units(1))

    [record] = caplog.records
    assert vars(record)["model"] == "magistral-small-latest"
    assert vars(record)["last_day"] == "2026-07-31"
    assert vars(record)["successor"] == "mistral-small-2603"


def test_every_alias_stands_for_a_model_with_a_price() -> None:
    assert set(ALIASES.values()) <= PRICED
    assert not set(ALIASES) & PRICED


def test_every_model_that_goes_has_a_successor_that_stays() -> None:
    assert {each.successor for each in RETIREMENTS.values()} <= PRICED - set(RETIREMENTS)
    assert all(date.fromisoformat(each.on) for each in RETIREMENTS.values())
    assert date.fromisoformat(PRICES_OF)


def test_every_chat_model_that_stays_has_a_context_and_a_price() -> None:
    assert set(CONTEXT) <= set(CHAT_PRICES)
    assert set(CHAT_PRICES) - set(RETIREMENTS) <= set(CONTEXT)


@pytest.mark.parametrize(
    ("told", "asked", "same"),
    [
        ("mistral-embed", "mistral-embed", True),
        ("mistral-embed-2312", "mistral-embed", True),
        ("mistral-embed", "mistral-embed-2312", True),
        ("mistral-embed-2701", "mistral-embed", False),  # moved on: its vectors are others
        ("mistral-embed-dim256-2510", "mistral-embed", False),
        ("mistral-small-2603", "mistral-small-latest", True),
        ("mistral-large-2512", "mistral-small-latest", False),
        ("codestral-embed", "mistral-embed", False),
        ("codestral-2508", "codestral-embed", False),
        ("mistral-ocr-4-1", "mistral-ocr-latest", True),
    ],
)
def test_a_model_is_known_by_what_it_stands_for(told: str, asked: str, same: bool) -> None:
    assert is_same_model(told, asked) is same


def test_an_id_that_stands_for_nothing_else_is_itself() -> None:
    assert pinned("mistral-large-2512") == "mistral-large-2512"
    assert pinned("of my own") == "of my own"
