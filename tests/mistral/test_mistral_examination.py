"""What is wrong with an account is said in words, by one call that costs nothing."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import msgspec
import pytest

from rag.errors import KeyRefused, ProviderUnavailable
from rag.mistral.client import MistralClient
from rag.mistral.examination import Finding, examine

pytestmark = pytest.mark.anyio

WANTED = {"ocr": "mistral-ocr-4-0", "embedding": "mistral-embed"}
OFFERED = [
    {"id": "mistral-ocr-4-0"},
    {"id": "mistral-embed-2312", "aliases": ["mistral-embed"]},
]


async def found(
    *cards: dict[str, object], status: int = 200, off: timedelta = timedelta(), **headers: str
) -> dict[str, Finding]:
    date = format_datetime(datetime.now(UTC) + off, usegmt=True)
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        body = msgspec.json.encode({"object": "list", "data": cards or OFFERED})
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.Response(status, content=body, headers={"date": date, **named})

    client = MistralClient("k", transport=httpx.MockTransport(answer))
    findings = await examine(client, WANTED)
    assert [request.method for request in asked] == ["GET"]
    return {each.name: each for each in findings}


async def test_all_is_well() -> None:
    findings = await found()

    assert all(each.ok for each in findings.values())
    assert "offers 2 models" in findings["key"].said


async def test_a_model_the_key_may_not_use_is_named_with_those_it_may() -> None:
    findings = await found({"id": "mistral-embed"}, {"id": "other-model"})

    assert not findings["ocr model"].ok
    assert "mistral-ocr-4-0" in findings["ocr model"].said
    assert "other-model" in findings["ocr model"].said
    assert findings["embedding model"].ok


async def test_a_model_that_goes_is_told_with_its_last_day_and_successor() -> None:
    going = {
        "id": "mistral-ocr-4-0",
        "deprecation": "2027-03-01T00:00:00Z",
        "deprecation_replacement_model": "mistral-ocr-5",
    }
    findings = await found(going, OFFERED[1])

    assert findings["ocr model"].said == (
        "mistral-ocr-4-0 is being retired: its last day is 2027-03-01; configure mistral-ocr-5"
    )


@pytest.mark.parametrize("off", [timedelta(hours=-3), timedelta(hours=3)])
async def test_a_clock_that_is_off_is_told(off: timedelta) -> None:
    findings = await found(off=off)

    assert not findings["clock"].ok
    assert "NTP" in findings["clock"].said


async def test_limits_are_told_where_the_provider_tells_them() -> None:
    findings = await found(
        x_ratelimit_limit_req_minute="720", x_ratelimit_limit_tokens_minute="5000000"
    )

    assert findings["limits"].said == "720 requests a minute and 5,000,000 tokens a minute"


async def test_a_refused_key_and_an_outage_are_errors_of_their_own() -> None:
    with pytest.raises(KeyRefused):
        await found(status=401)
    with pytest.raises(ProviderUnavailable):
        await found(status=503)
