"""Over HTTP: another index is built, compared, switched to, gone back from, and dropped."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

TEXT = "# The {animal}\n\nThe {animal} lives in the {place}."
ANIMALS = {"whale": "sea", "camel": "desert", "mole": "meadow"}
OTHER = {"embedding_model": "all-MiniLM-L6-v2/float32", "chunk_tokens": 64}

Finished = Callable[[str], dict[str, Any]]


@pytest.fixture
def path(collection: str, put: Callable[..., str]) -> str:
    for animal, place in ANIMALS.items():
        put(f"{animal}.md", TEXT.format(animal=animal, place=place))
    return f"/v1/collections/{collection}"


def first(http: httpx.Client, path: str, query: str) -> str:
    found = http.post(f"{path}/search", json={"query": query}).raise_for_status().json()
    assert found["degraded"] is None
    return str(found["data"][0]["key"])


def test_the_way_there_and_back(http: httpx.Client, path: str, finished: Finished) -> None:
    forecast = http.post(f"{path}/reindex", json=OTHER, params={"dry_run": True})
    begun = http.post(f"{path}/reindex", json=OTHER)

    assert forecast.status_code == 200
    assert (forecast.json()["documents"], forecast.json()["usd"]["most"]) == (3, "0")
    assert begun.status_code == 202
    job = finished(begun.json()["job_id"])
    assert (job["kind"], job["index"], job["state"]) == (
        "reindex",
        begun.json()["index"],
        "succeeded",
    )
    former, other = http.get(f"{path}/indexes").json()["data"]
    assert (former["serves"], other["serves"], other["state"]) == (True, False, "ready")
    assert other["chunks"] == forecast.json()["chunks"]
    assert other["embedding_model"] == OTHER["embedding_model"]

    queries = [{"text": "desert", "relevant": {"camel.md": 1}}, "sea"]
    said = http.post(f"{path}/indexes/compare", json={"index": other["id"], "queries": queries})
    assert said.status_code == 200
    assert said.json()["other_judged"]["recall"] == 1.0
    assert 0 <= said.json()["overlap"] <= 1

    current = f"{path}/indexes/current"
    now = http.put(current, json={"index": other["id"]}).raise_for_status().json()
    assert (now["index"], now["chunk_tokens"]) == (other["id"], 64)
    assert first(http, path, "Who lives in the desert?") == "camel.md"
    assert http.delete(f"{path}/indexes/{other['id']}").status_code == 409
    assert http.put(current, json={"index": former["id"]}).status_code == 200
    assert first(http, path, "Who lives in the desert?") == "camel.md"
    assert http.delete(f"{path}/indexes/{other['id']}").status_code == 204
    assert [one["id"] for one in http.get(f"{path}/indexes").json()["data"]] == [former["id"]]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"embedding_model": "no-such"}, 422, "all-MiniLM-L6-v2/float32"),  # what there is
        ({"chunk_tokens": 300}, 422, "256"),  # more than the model reads
        ({"chunk_tokens": 5}, 422, "32"),
        ({}, 409, "serves"),  # it is just that
    ],
)
def test_what_cannot_be_built_is_refused_and_said_why(
    http: httpx.Client, path: str, body: dict[str, Any], status: int, said: str
) -> None:
    response = http.post(f"{path}/reindex", json=body)

    assert response.status_code == status
    assert said in response.text


def test_an_index_that_is_not_there_is_404(http: httpx.Client, path: str) -> None:
    gone = {"index": "idx_999999"}

    assert http.put(f"{path}/indexes/current", json=gone).status_code == 404
    assert http.delete(f"{path}/indexes/idx_999999").status_code == 404
    asked = http.post(f"{path}/indexes/compare", json={**gone, "queries": ["sea"]})
    assert asked.status_code == 404
    assert asked.json()["code"] == "index_gone"
