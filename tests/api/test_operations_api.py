"""Check and rebuild over HTTP, while the service goes on."""

import io
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag.errors import OutOfSpace
from rag.storage.archives.restore import restore
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
    version = services.library.originals.put(b"nobody has this")

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


@pytest.mark.parametrize("body", [{"index": "other"}, {"collection": ""}, {"what": 1}])
def test_what_cannot_be_rebuilt_is_refused(http: httpx.Client, body: dict[str, Any]) -> None:
    assert http.post("/v1/rebuild", json=body).status_code == 422


def test_an_unknown_collection_is_not_rebuilt(http: httpx.Client) -> None:
    assert http.post("/v1/rebuild", json={"collection": "nowhere"}).status_code == 404


def test_a_low_disk_is_told_with_507_and_questions_are_answered(
    http: httpx.Client, collection: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.library._space, "_mark", 100 << 20)
    monkeypatch.setattr(services.library._space, "_free", lambda _: 7 << 20)

    put = http.put(f"/v1/collections/{collection}/documents/a", json={"text": "A red fox."})
    asked = http.post(f"/v1/collections/{collection}/search", json={"query": "fox"})

    assert put.status_code == 507
    assert put.headers["content-type"] == "application/problem+json"
    assert put.json()["code"] == OutOfSpace.code
    assert "7 MB are free" in put.json()["detail"]
    assert asked.status_code == 200


def test_the_service_sends_a_backup_that_is_whole(
    http: httpx.Client, collection: str, finished: Any, tmp_path: Path
) -> None:
    put = http.put(f"/v1/collections/{collection}/documents/a", json={"text": "A red fox."})
    finished(put.json()["job_id"])

    with http.stream("GET", "/v1/backup") as response:
        archive = b"".join(response.iter_bytes())

    assert response.headers["content-type"].startswith("application/x-tar"), archive[:500]
    restored = restore(io.BytesIO(archive), tmp_path / "second")
    assert restored.manifest.documents == http.get("/health/ready").json()["documents"]


def test_a_client_that_leaves_within_a_backup_leaves_nothing_behind(
    http: httpx.Client, services: Services
) -> None:
    for _ in range(2):
        with http.stream("GET", "/v1/backup") as response:
            assert response.status_code == 200
            next(response.iter_bytes())
        deadline = time.monotonic() + PATIENCE
        while (services.library.data_dir / "backup").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_readiness_tells_of_the_disk_and_of_what_is_degraded(
    http: httpx.Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    well = http.get("/health/ready").json()
    monkeypatch.setattr(services.library._space, "_mark", 100 << 20)
    monkeypatch.setattr(services.library._space, "_free", lambda _: 7 << 20)
    low = http.get("/health/ready")

    assert (well["disk"]["is_low"], well["degraded"]) == (False, [])
    assert (low.status_code, low.json()["disk"]["is_low"]) == (200, True)
    assert "7 MB are free" in low.json()["degraded"][0]
