"""What was spent, as the API tells it."""

from decimal import Decimal

import httpx
import pytest

from rag.domain import JobId
from rag.spending import Bill, Intent, Purpose, Units, spending_for
from rag.wiring import Services

JOB = JobId("job_of_usage_tests")


@pytest.fixture(scope="module", autouse=True)
def calls(services: Services) -> None:
    """Two settled calls of a job, and one whose reply was lost."""
    ledger = services.library.ledger
    ocr = Intent("mistral", "mistral-ocr-2512", "ocr", Units(30), Decimal("0.06"))
    embed = Intent("mistral", "mistral-embed", "embed", Units(9_000), Decimal("0.0009"))
    with spending_for(Purpose(job=JOB, key="scan.pdf")):
        ledger.settle(ledger.intend(ocr), Bill(Units(25), Decimal("0.05")))
        ledger.settle(ledger.intend(embed), Bill(Units(8_000), Decimal("0.0008")))
        ledger.lose(ledger.intend(embed))


def test_the_sum_is_exact_and_lost_calls_stand_apart(http: httpx.Client) -> None:
    report = http.get("/v1/usage", params={"job": JOB}).json()

    assert report["total"]["usd"] == "0.0508"
    assert report["total"]["calls"] == 2
    assert (report["total"]["lost_calls"], report["total"]["lost_usd"]) == (1, "0.0009")
    assert report["budgets"] == {}


def test_groups_come_dearest_first(http: httpx.Client) -> None:
    report = http.get("/v1/usage", params={"job": JOB, "by": ["operation", "key"]}).json()

    assert [row["group"] for row in report["data"]] == [
        {"operation": "ocr", "key": "scan.pdf"},
        {"operation": "embed", "key": "scan.pdf"},
    ]
    counted = [(row["pages"], row["units"]["input"]) for row in report["data"]]
    assert counted == [(25, 0), (0, 8_000)]


def test_pages_and_tokens_are_not_added_up(http: httpx.Client) -> None:
    report = http.get("/v1/usage", params={"job": JOB, "by": "day"}).json()

    for row in (*report["data"], report["total"]):
        assert (row["pages"], row["units"]["input"]) == (25, 8_000)


def test_days_bound_the_sum(http: httpx.Client) -> None:
    past = http.get("/v1/usage", params={"job": JOB, "until": "2001-01-01"}).json()

    assert past["data"] == []
    assert past["total"]["usd"] == "0"


@pytest.mark.parametrize("params", [{"since": "yesterday"}, {"by": "colour"}])
def test_an_impossible_question_is_a_problem_that_names_the_parameter(
    http: httpx.Client, params: dict[str, str]
) -> None:
    response = http.get("/v1/usage", params=params)

    assert response.status_code == 422
    assert next(iter(params)) in response.text
