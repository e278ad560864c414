"""Numbers are the same however they are written, and nothing else is."""

from decimal import Decimal

import pytest

from rag.grounding.quantities import Quantity, quantities


def only(text: str) -> Quantity:
    [quantity] = quantities(text)
    return quantity


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1234.5", {"1234.5"}),
        ("1,234.5", {"1234.5"}),
        ("1.234,5", {"1234.5"}),
        ("1'234.5", {"1234.5"}),
        ("1 234 567", {"1234567"}),
        ("12,34,567", {"1234567"}),  # lakhs
        ("1,234", {"1234", "1.234"}),  # which of them depends on the country
        ("0,123", {"0.123"}),
        ("0·79", {"0.79"}),
        ("three", {"3"}),
        ("twenty-five", {"25"}),
        ("two hundred", {"200"}),
        ("zwölf", {"12"}),
        ("3rd", {"3"}),
        ("10²", {"100"}),
        ("10^-3", {"0.001"}),
        ("2 × 10^6", {"2000000"}),
        ("3½", {"3.5"}),
        ("5.2 million", {"5200000"}),
        ("5 Mrd.", {"5000000000"}),
        ("3万", {"30000"}),
        ("-5", {"-5"}),
        ("(1500)", {"1500", "-1500"}),  # in accounts, a loss
    ],
)
def test_a_number_is_worth_what_it_says(text: str, values: set[str]) -> None:
    assert only(text).values == {Decimal(value) for value in values}


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("5%", "%"),
        ("5 percent", "%"),
        ("$5", "$"),
        ("US$ 5", "$"),
        ("5 dollars", "$"),
        ("5 million euros", "€"),
        ("€5m", "€"),
        ("5 mW", "mW"),
        ("5 MW", "MW"),
        ("5-year", "year"),
        ("5 µg/ml", "µg/ml"),
        ("5 apples", ""),
    ],
)
def test_a_unit_has_one_name(text: str, unit: str) -> None:
    assert only(text).unit == unit


def test_a_number_is_its_sign_and_unit_too() -> None:
    text = "from <5 mg to -$3m (7%)"

    assert [text[q.start : q.end] for q in quantities(text)] == ["<5 mg", "-$3m", "(7%)"]


def test_a_unit_said_once_holds_for_both_ends_of_a_range() -> None:
    assert {(q.text, q.unit) for q in quantities("5 to 10 percent")} >= {("5", "%"), ("10", "%")}


@pytest.mark.parametrize("text", ["H2O", "COVID-19", "x^2", "Q3", "snake_2", "one of us"])
def test_digits_of_a_name_are_no_number(text: str) -> None:
    assert quantities(text) == ()


@pytest.mark.parametrize("text", ["10:30", "1/2", "007", "3.2.1", "9" * 5000, "9^999999"])
def test_a_label_is_compared_as_it_is_written(text: str) -> None:
    assert only(text).values == frozenset()
