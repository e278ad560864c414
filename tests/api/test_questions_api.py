"""Searching and asking, over HTTP."""

from collections.abc import Callable

import httpx
import pytest

from rag import errors
from rag.wiring import Services

Put = Callable[..., str]

RULES = """# House rules

## Floors

The upper floor carries 250 kg per square meter. Heavy machines stay on the ground floor.

## Keys

A lost key costs 40 euros, because the lock is changed the same day.
"""


def test_a_search_gives_hits_that_are_spans_of_their_document(
    http: httpx.Client, collection: str, put: Put
) -> None:
    document = put("rules.md", RULES)
    result = http.post(
        f"/v1/collections/{collection}/search", json={"query": "price of a lost key", "k": 1}
    ).json()
    text = http.get(f"/v1/documents/{document}/text").json()["text"]
    [hit] = result["data"]

    assert hit["document_id"] == document
    assert hit["key"] == "rules.md"
    assert hit["text"] == text[hit["start"] : hit["end"]]
    assert "lost key" in hit["text"]
    assert hit["pages"] == []
    assert hit["lines"][0] >= 1
    assert set(hit["found_by"]) == {"dense", "words"}
    assert result["mode"] == "hybrid"
    assert result["degraded"] is None


@pytest.mark.parametrize("mode", ["dense", "words"])
def test_one_leg_may_be_asked_alone(
    http: httpx.Client, collection: str, put: Put, mode: str
) -> None:
    put("rules.md", RULES)
    result = http.post(
        f"/v1/collections/{collection}/search", json={"query": "upper floor", "mode": mode}
    ).json()

    assert {leg for hit in result["data"] for leg in hit["found_by"]} == {mode}


def test_a_filter_narrows_a_search(http: httpx.Client, collection: str, put: Put) -> None:
    old = put("old.md", "The fee is 10 euros.", attributes={"year": 2019})
    new = put("new.md", "The fee is 12 euros.", attributes={"year": 2026})

    def found(filter: dict[str, object] | None) -> set[str]:
        body = {"query": "fee in euros", "filter": filter}
        response = http.post(f"/v1/collections/{collection}/search", json=body)
        return {hit["document_id"] for hit in response.json()["data"]}

    assert found(None) == {old, new}
    assert found({"type": "gte", "key": "year", "value": 2020}) == {new}
    assert found({"type": "not", "filter": {"type": "eq", "key": "year", "value": 2026}}) == {old}
    assert found({"type": "eq", "key": "year", "value": 1}) == set()


def test_explain_says_what_each_leg_found(http: httpx.Client, collection: str, put: Put) -> None:
    put("rules.md", RULES)
    body = {"query": "lost key", "explain": True}
    result = http.post(f"/v1/collections/{collection}/search", json=body).json()

    assert result["explain"]["hits"][0]["chunk_id"] == result["data"][0]["chunk_id"]


def test_explain_says_how_a_filter_was_applied(
    http: httpx.Client, collection: str, put: Put
) -> None:
    put("rules.md", RULES, attributes={"year": 2020})
    put("other.md", RULES.replace("key", "coat"), attributes={"year": 2021})
    asked = {"type": "eq", "key": "year", "value": 2021}
    body = {"query": "lost key", "explain": True, "filter": asked}
    result = http.post(f"/v1/collections/{collection}/search", json=body).json()

    plan = result["explain"]["plan"]
    assert plan["chunks_allowed"] == len(result["data"]) > 0
    assert [step["way"] for step in plan["dense"] if step["allowed"]] == ["scan"]
    assert {"filter", "words", "dense", "hits"} <= plan["milliseconds"].keys()


def test_an_empty_collection_has_no_hits_and_answers_nothing(
    http: httpx.Client, collection: str
) -> None:
    searched = http.post(f"/v1/collections/{collection}/search", json={"query": "anything"})
    asked = http.post(
        "/v1/answers", json={"question": "What is this?", "collections": [collection]}
    )

    assert searched.json()["data"] == []
    assert asked.status_code == 200
    assert asked.json()["outcome"] == "no_evidence"


def test_an_answer_quotes_its_source_and_can_be_read_again(
    http: httpx.Client, collection: str, put: Put
) -> None:
    document = put("rules.md", RULES)
    answer = http.post(
        "/v1/answers",
        json={"question": "How much does a lost key cost?", "collections": [collection]},
    ).json()
    text = http.get(f"/v1/documents/{document}/text").json()["text"]
    source = answer["citations"][0]["source"]

    assert answer["outcome"] == "answered"
    assert answer["answerer"] == "extractive"
    assert "40 euros" in answer["text"]
    assert answer["citations"][0]["quote"] == text[source["start"] : source["end"]]
    assert http.get(f"/v1/answers/{answer['id']}").json() == answer
    [citation, *_] = answer["citations"]
    assert http.get(f"/v1/citations/{citation['id']}").json() == citation


def test_a_collection_named_twice_is_asked_once(
    http: httpx.Client, collection: str, put: Put
) -> None:
    put("rules.md", RULES)
    id = http.get(f"/v1/collections/{collection}").json()["id"]
    body = {"question": "What does a lost key cost?", "collections": [collection, id, collection]}
    answer = http.post("/v1/answers", json=body).json()

    quotes = [citation["quote"] for citation in answer["citations"]]
    assert len(quotes) == len(set(quotes))


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"question": "a", "history": [{"role": "user"}]}, 422, "/history/0"),
        ({"question": "a", "history": [{"role": "user", "content": "b"}]}, 422, "a chat model"),
        ({"question": "a", "rerank": True}, 422, "a chat model"),
        ({"question": "a", "mode": "agentic"}, 422, "MISTRAL_API_KEY"),
        ({"question": "a", "mode": "agentic", "stream": True}, 422, "MISTRAL_API_KEY"),
        ({"question": "a", "limits": {"steps": 0}}, 422, "limits"),
        ({"question": ""}, 422, "/question"),
        ({"question": "a", "collections": []}, 422, "/collections"),
        ({"question": "a", "collections": "default"}, 422, "/collections"),
        ({"question": "a", "collections": ["nowhere"]}, 404, "there are:"),
        ({"question": "a", "verification": "lenient"}, 422, "/verification"),
        ({"question": "a", "k": 0}, 422, "/k"),
        ({"question": "a", "k": "5"}, 422, "/k"),
        ({"qestion": "a"}, 422, "qestion"),
        ({}, 422, "question"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_with_the_reason(
    http: httpx.Client, body: dict[str, object], status: int, says: str
) -> None:
    response = http.post("/v1/answers", json=body)

    assert response.status_code == status
    assert says in response.json()["detail"]


@pytest.mark.parametrize(
    ("filter", "says"),
    [
        ({"type": "regex", "key": "a", "value": "b"}, "/filter/type"),  # an unknown operator
        ({"type": "eq", "key": "a"}, "/filter"),
        ({"type": "eq", "key": "a", "value": 1, "values": 2}, "/filter/values"),
        ({"year": {"$gte": 2020}}, "/filter"),
        ([], "/filter"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(
    http: httpx.Client, filter: object, says: str
) -> None:
    body = {"query": "a", "filter": filter}
    response = http.post("/v1/collections/default/search", json=body)

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"].startswith(says)


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (errors.ProviderRefused("mistral", "it refused the key"), 502, None),
        (errors.ProviderUnavailable("mistral", "no answer in 60 s"), 503, None),
        (errors.RateLimited("mistral", retry_after=7), 503, "7"),
    ],
)
def test_trouble_at_a_provider_is_not_ours_and_named(
    http: httpx.Client,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    error: errors.ProviderError,
    status: int,
    retry_after: str | None,
) -> None:
    async def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(services, "answer", failing)
    response = http.post("/v1/answers", json={"question": "a"})

    assert response.status_code == status
    assert "mistral" in response.json()["detail"]
    assert response.headers.get("retry-after") == retry_after


def test_a_mistake_of_ours_is_logged_and_not_told(
    http: httpx.Client,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(*_: object) -> None:
        raise KeyError("/home/someone/secret.pdf")

    monkeypatch.setattr(services, "answer", broken)
    response = http.post("/v1/answers", json={"question": "a"})

    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "secret" not in response.text
    [record] = [each for each in caplog.records if each.levelname == "ERROR"]
    assert record.exc_info is not None
