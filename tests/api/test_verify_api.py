"""The verifier on its own, over HTTP: anybody's claims against given and stored texts."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

Put = Callable[..., str]

RULES = """# House rules

## Floors

The upper floor carries 250 kg per square meter. Heavy machines stay on the ground floor.

## Keys

A lost key costs 40 euros, because the lock is changed the same day.
"""
GIVEN = [{"text": RULES, "title": "Rules"}]


def verdicts(
    http: httpx.Client, claims: list[dict[str, Any]], sources: list[dict[str, Any]] = GIVEN
) -> list[dict[str, Any]]:
    body = {"claims": claims, "sources": sources}
    said = http.post("/v1/verify", json=body).raise_for_status().json()
    assert said["supported"] == sum(claim["supported"] for claim in said["claims"])
    return list(said["claims"])


def carried(text: str, *quotes: str) -> dict[str, Any]:
    return {"text": text, "quotations": [{"quote": quote} for quote in quotes]}


def test_a_true_claim_is_supported_and_placed(http: httpx.Client) -> None:
    quote = "A lost key costs 40 euros"
    [verdict] = verdicts(http, [carried("A lost key is 40 euros.", quote)])
    [place] = verdict["places"]

    assert verdict["supported"]
    assert place["verified"] == "exact"
    assert RULES[place["start"] : place["end"]] == place["quote"] == quote
    assert place["heading_path"] == ["House rules", "Keys"]
    assert place["lines"] == [9, 9]


@pytest.mark.parametrize(
    ("claim", "objection"),
    [
        ("A lost key costs 400 euros.", "the number 400"),
        ("A lost key does not cost 40 euros.", "negation"),
        ("In 2021 a lost key costs 40 euros.", "2021"),
    ],
)
def test_what_goes_beyond_its_quotation_is_not_supported(
    http: httpx.Client, claim: str, objection: str
) -> None:
    [verdict] = verdicts(http, [carried(claim, "A lost key costs 40 euros")])

    assert not verdict["supported"]
    assert objection in " ".join(verdict["objections"])
    assert verdict["places"]


def test_an_altered_quotation_is_dropped_with_the_reason(http: httpx.Client) -> None:
    [verdict] = verdicts(http, [carried("It is 250 kg.", "The upper floor carries 2500 kg")])

    assert not verdict["supported"]
    assert verdict["places"] == []
    assert verdict["dropped"][0]["reason"]


def test_a_claim_without_quotations_is_its_own(http: httpx.Client) -> None:
    true, false = verdicts(
        http,
        [
            {"text": "Heavy machines stay on the ground floor."},
            {"text": "Heavy machines stay on the upper floor."},
        ],
    )

    assert true["supported"]
    assert not false["supported"]


def test_a_quotation_is_looked_for_in_the_source_it_names(http: httpx.Client) -> None:
    sources = [*GIVEN, {"text": "Something else is written here."}]
    quote = "A lost key costs 40 euros"
    claims = [
        {"text": quote, "quotations": [{"quote": quote, "source": source}]} for source in (0, 1)
    ]
    here, elsewhere = verdicts(http, claims, sources)

    assert here["supported"]
    assert here["places"][0]["source"] == 0
    assert not elsewhere["supported"]


def test_a_stored_document_is_a_source(http: httpx.Client, collection: str, put: Put) -> None:
    document = put("rules.md", RULES)
    [verdict] = verdicts(http, [{"text": "A lost key costs 40 euros"}], [{"document_id": document}])
    text = http.get(f"/v1/documents/{document}/text").json()["text"]
    [place] = verdict["places"]

    assert verdict["supported"]
    assert text[place["start"] : place["end"]] == place["quote"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"claims": [], "sources": GIVEN}, 422, "/claims"),
        ({"claims": [{"text": "a"}], "sources": []}, 422, "/sources"),
        ({"claims": [{"text": "a"}], "sources": [{}]}, 422, "either"),
        (
            {"claims": [{"text": "a"}], "sources": [{"text": "a", "document_id": "doc_1"}]},
            422,
            "either",
        ),
        ({"claims": [{"text": "a"}], "sources": [{"document_id": "doc_1"}]}, 404, "no such"),
        (
            {
                "claims": [{"text": "a", "quotations": [{"quote": "a", "source": 1}]}],
                "sources": GIVEN,
            },
            422,
            "counted from 0",
        ),
    ],
)
def test_what_cannot_be_checked_is_refused_with_the_reason(
    http: httpx.Client, body: dict[str, object], status: int, says: str
) -> None:
    response = http.post("/v1/verify", json=body)

    assert response.status_code == status
    assert says in response.text
