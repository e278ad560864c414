"""Check and rebuild over HTTP, while the service goes on."""

import time
from typing import Any

import httpx
import pytest

from rag.errors import OutOfSpace
from rag.storage.space import Space
from rag.wiring import Services

PATIENCE = 30.0  # seconds


def checked(http: httpx.Client, **wanted: bool) -> dict[str, Any]:
    begun = http.post("/v1/check", json=wanted)
    assert begun.status_code == 202, begun.text
    assert begun.headers["location"] == "/v1/check"
    deadline = time.monotonic() + PATIENCE
    while (report := http.get("/v1/check").json())["state"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return report


def test_a_library_in_use_is_checked(http: httpx.Client, collection: str) -> None:
    report = checked(http)

    assert (report["state"], report["flaws"], report["sound"]) == ("done", [], True)
    assert report["done"] == report["total"]


def test_bytes_of_nobody_are_found_and_removed(http: httpx.Client, services: Services) -> None:
    version = services.library.put_blob(b"nobody has this")

    [flaw] = checked(http)["flaws"]
    assert (flaw["part"], flaw["repaired"]) == ("originals", False)
    repaired = checked(http, repair=True)
    assert (repaired["sound"], [each["repaired"] for each in repaired["flaws"]]) == (True, [True])
    assert version not in set(services.library._blobs.all())


def test_indexes_are_built_again_and_answer_as_before(
    http: httpx.Client, collection: str, finished: Any
) -> None:
    put = http.put(
        f"/v1/collections/{collection}/documents/a", json={"text": "# Fox\n\nA red fox."}
    )
    finished(put.json()["job_id"])
    search = f"/v1/collections/{collection}/search"
    before = http.post(search, json={"query": "red fox"}).json()["data"]

    begun = http.post("/v1/rebuild", json={"collection": collection})
    deadline = time.monotonic() + PATIENCE
    while any(i["state"] == "rebuilding" for i in http.get("/health/ready").json()["indexes"]):
        assert http.post(search, json={"query": "red fox"}).json()["data"] == before
        assert time.monotonic() < deadline

    assert (begun.status_code, begun.json()) == (202, {"indexes": 2})
    assert http.post(search, json={"query": "red fox"}).json()["data"] == before


@pytest.mark.parametrize(
    "body", [{"indexes": []}, {"indexes": ["other"]}, {"collection": ""}, {"what": 1}]
)
def test_what_cannot_be_rebuilt_is_refused(http: httpx.Client, body: dict[str, Any]) -> None:
    assert http.post("/v1/rebuild", json=body).status_code == 422


def test_an_unknown_collection_is_not_rebuilt(http: httpx.Client) -> None:
    assert http.post("/v1/rebuild", json={"collection": "nowhere"}).status_code == 404


def test_a_low_disk_is_told_with_507_and_questions_are_answered(
    http: httpx.Client, collection: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Space(services.library.data_dir, 100 << 20, free=lambda _: 7 << 20)
    monkeypatch.setattr(services.library, "_space", full)

    put = http.put(f"/v1/collections/{collection}/documents/a", json={"text": "A red fox."})
    asked = http.post(f"/v1/collections/{collection}/search", json={"query": "fox"})

    assert put.status_code == 507
    assert put.headers["content-type"] == "application/problem+json"
    assert put.json()["code"] == OutOfSpace.code
    assert "7 MB are free" in put.json()["detail"]
    assert asked.status_code == 200
