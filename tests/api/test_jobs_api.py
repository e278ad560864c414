"""Jobs over HTTP: followed, cancelled, tried again, deleted."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

Followed = list[tuple[str, str, dict[str, Any]]]


def follow(http: httpx.Client, job: str, last: str | None = None) -> Followed:
    """Id, name and data of each event, until the stream ends."""
    headers = {"last-event-id": last} if last else {}
    events: Followed = []
    with http.stream("GET", f"/v1/jobs/{job}/events", headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in response.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif fields:
                events.append((fields["id"], fields["event"], json.loads(fields["data"])))
                fields = {}
    return events


def hand_in(http: httpx.Client, collection: str, **files: bytes) -> str:
    parts = [("file", (name.replace("_", "."), content)) for name, content in files.items()]
    response = http.post(f"/v1/collections/{collection}/documents", files=parts)
    assert response.status_code == 202
    job: str = response.json()["job_id"]
    return job


def test_a_job_is_followed_from_its_first_item_to_its_end(http, collection) -> None:
    job = hand_in(http, collection, a_txt=b"Whales eat krill.", b_txt=b"Bread needs flour.")
    events = follow(http, job)

    items = {data["key"]: data["state"] for _, name, data in events if name == "item"}
    assert items == {"a.txt": "indexed", "b.txt": "indexed"}
    *_, (_, name, last) = events
    assert (name, last["state"], last["items"]["done"]) == ("job", "succeeded", 2)
    assert last["spent_usd"] == "0"


def test_whoever_comes_back_hears_only_what_he_missed(http, collection, finished) -> None:
    job = hand_in(http, collection, a_txt=b"Whales eat krill.")
    finished(job)
    [(first, _, _), *_] = follow(http, job)
    more = http.post(
        f"/v1/collections/{collection}/documents?job={job}", files={"file": ("b.txt", b"Bread.")}
    )
    assert more.status_code == 202
    finished(job)

    missed = follow(http, job, first)
    assert [data["key"] for _, name, data in missed if name == "item"] == ["b.txt"]
    again = http.get(f"/v1/jobs/{job}/events", headers={"last-event-id": missed[-1][0]})
    assert again.status_code == 204  # which tells a browser not to come back
    assert http.get("/v1/jobs/job_none/events").status_code == 404


def test_an_id_that_is_none_of_ours_begins_at_the_beginning(http, collection, finished) -> None:
    job = hand_in(http, collection, a_txt=b"Whales eat krill.")
    finished(job)

    assert len(follow(http, job, "1'); --")) == 2


def test_a_refused_item_is_tried_again_by_its_key_and_says_why_it_is_left(
    http: httpx.Client, collection: str, finished: Callable[[str], dict[str, Any]]
) -> None:
    job = hand_in(http, collection, empty_txt=b"   ", good_txt=b"Whales eat krill.")
    assert finished(job)["state"] == "failed"
    nothing = http.post(f"/v1/jobs/{job}/retry")
    assert (nothing.status_code, nothing.json()["queued"]) == (202, 0)

    retried = http.post(f"/v1/jobs/{job}/retry", json={"keys": ["empty.txt"]}).json()
    assert (retried["queued"], retried["job"]["finished_at"]) == (1, None)
    done = finished(job)

    assert (done["items"], done["last_error"]["stage"]) == (
        {"total": 2, "done": 1, "failed": 1},
        "read",
    )
    refused = http.get(f"/v1/jobs/{job}/items?state=refused").json()["data"]
    assert [item["key"] for item in refused] == ["empty.txt"]
    unknown = http.post(f"/v1/jobs/{job}/retry", json={"keys": ["nobody.txt"]})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "invalid_request")


def test_a_finished_job_is_deleted_and_what_it_published_stays(http, collection, finished) -> None:
    job = hand_in(http, collection, a_txt=b"Whales eat krill.")
    finished(job)
    assert http.delete(f"/v1/jobs/{job}").status_code == 204

    assert http.get(f"/v1/jobs/{job}").status_code == 404
    assert http.delete(f"/v1/jobs/{job}").status_code == 404
    stored = http.get(f"/v1/collections/{collection}/documents").json()["data"]
    assert [each["key"] for each in stored] == ["a.txt"]


@pytest.mark.parametrize("body", [None, {}, {"keys": ["a.txt"]}])
def test_a_cancel_takes_keys_or_nothing(http, collection, finished, body) -> None:
    job = hand_in(http, collection, a_txt=b"Whales eat krill.")
    finished(job)
    response = http.post(f"/v1/jobs/{job}/cancel", **({} if body is None else {"json": body}))

    assert (response.status_code, response.json()["state"]) == (200, "succeeded")


def test_where_nothing_can_be_signed_nobody_is_told(http, collection, finished) -> None:
    job = hand_in(http, collection, a_txt=b"Whales eat krill.")
    finished(job)
    asked = http.put(f"/v1/jobs/{job}/webhook", json={"url": "https://example.org/hook"})

    assert (asked.status_code, asked.json()["code"]) == (422, "invalid_request")
    assert "RAG_WEBHOOK_SECRET" in asked.json()["detail"]
