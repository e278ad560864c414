"""A date is the same day however it is written."""

import pytest

from rag.grounding.dates import Day, agree, dates


@pytest.mark.parametrize(
    "text",
    [
        "2021-03-03",
        "2021/03/03",
        "March 3, 2021",
        "Mar. 3rd, 2021",
        "3 March 2021",
        "3rd of March, 2021",
        "3. März 2021",
        "3 mars 2021",
        "3 de marzo de 2021",
        "03.03.2021",
        "2021年3月3日",
    ],
)
def test_one_day_has_many_spellings(text: str) -> None:
    [date] = dates(f"On {text}, it rained.")

    assert (2021, 3, 3) in date.readings
    assert date.text.rstrip(",") == text


def test_a_month_may_stand_alone_with_its_year_or_its_day() -> None:
    [month, day] = dates("in March 2021 or on 4 May")

    assert month.readings == ((2021, 3, None),)
    assert day.readings == ((None, 5, 4),)


def test_days_and_months_in_figures_have_two_readings() -> None:
    [date] = dates("03/04/2021")

    assert set(date.readings) == {(2021, 4, 3), (2021, 3, 4)}


@pytest.mark.parametrize("text", ["2010-15", "we may 5 times", "version 1.2.2021.4", "-14 January"])
def test_what_is_no_date_is_left_alone(text: str) -> None:
    assert dates(text) == ()


@pytest.mark.parametrize(
    ("said", "shown", "is_shown"),
    [
        ((2021, 3, None), (2021, 3, 3), True),  # a month stands in each of its days
        ((2021, 3, 3), (2021, 3, None), False),  # and no day in its month
        ((2021, 3, 3), (2021, 3, 4), False),
    ],
)
def test_a_date_needs_all_that_it_says(said: Day, shown: Day, is_shown: bool) -> None:
    assert agree(said, shown) is is_shown
