"""Others read on by themselves: a document from a place, its headings, where words stand."""

from collections.abc import Callable

import httpx
import pytest

TEXT = """\
# Handbook

Who works here reads this.

## Leave

Thirty days a year are free.

## Pay

It comes on the 25th.
"""


@pytest.fixture
def path(collection: str) -> str:
    return f"/v1/collections/{collection}"


def test_a_hit_leads_into_its_document(
    http: httpx.Client, path: str, put: Callable[..., str]
) -> None:
    id = put("handbook.md", TEXT)
    [hit, *_] = http.post(f"{path}/search", json={"query": "days of leave"}).json()["data"]
    opened = http.post(
        f"{path}/open", json={"document": hit["document_id"], "at": hit["start"]}
    ).json()

    assert opened["document_id"] == id
    assert opened["text"] == TEXT[opened["start"] : opened["end"]].strip()
    assert opened["start"] <= hit["start"] < opened["end"]
    assert opened["version"].startswith("sha256:")
    assert opened["blocks"][0]["kind"] == "title"


def test_headings_lead_on(http: httpx.Client, path: str, put: Callable[..., str]) -> None:
    put("handbook.md", TEXT)
    all_ = http.post(f"{path}/navigate", json={"document": "handbook.md"}).json()
    at = {"document": "handbook.md", "at": TEXT.index("Thirty")}
    here = http.post(f"{path}/navigate", json=at).json()

    assert [s["heading"] for s in all_["sections"]] == ["Handbook", "Leave", "Pay"]
    assert here["here"]["heading"] == "Leave"
    assert here["next"]["heading"] == "Pay"


def test_words_and_patterns_are_found_with_their_lines_and_one_can_go_on(
    http: httpx.Client, path: str, put: Callable[..., str]
) -> None:
    put("a.md", TEXT)
    put("b.md", "Pay day is the 3rd.\n\nNever pay late.")
    asked = {"pattern": r"\bpay\b", "regex": True, "limit": 2}
    first = http.post(f"{path}/grep", json=asked).json()
    rest = http.post(f"{path}/grep", json={**asked, "after": first["next"]}).json()
    told = [(m["key"], m["text"], m["lines"]) for m in first["data"] + rest["data"]]

    assert told == [("a.md", "Pay", [9, 9]), ("b.md", "Pay", [1, 1]), ("b.md", "pay", [3, 3])]
    assert (first["has_more"], rest["has_more"], rest["next"]) == (True, False, None)
    assert first["data"][0]["heading_path"] == ["Handbook"]
    assert first["data"][1]["shown"] == "Pay day is the 3rd."
    assert (
        http.post(f"{path}/grep", json={"pattern": "the 25th", "document": "b.md"}).json()["data"]
        == []
    )


def test_nothing_is_seen_beyond_the_collection_and_the_filter(
    http: httpx.Client, collection: str, path: str, put: Callable[..., str]
) -> None:
    open_id = put("open.md", "The secret is out.", attributes={"level": 1})
    closed_id = put("closed.md", "The secret is kept.", attributes={"level": 2})
    filter = {"type": "eq", "key": "level", "value": 1}
    other = http.post("/v1/collections", json={"name": f"{collection}-other"}).json()["name"]
    found = http.post(f"{path}/grep", json={"pattern": "secret", "filter": filter}).json()
    statuses = [
        http.post(f"/v1/collections/{within}/{verb}", json={"document": id, **more}).status_code
        for verb in ("open", "navigate")
        for within, id, more in [
            (collection, open_id, {"filter": filter}),
            (collection, closed_id, {"filter": filter}),
            (other, open_id, {}),
        ]
    ]

    assert [match["key"] for match in found["data"]] == ["open.md"]
    assert statuses == [200, 404, 404] * 2
    assert (
        http.post(f"/v1/collections/{other}/grep", json={"pattern": "secret"}).json()["data"] == []
    )
    within_closed = {"pattern": "secret", "filter": filter, "document": closed_id}
    assert http.post(f"{path}/grep", json=within_closed).status_code == 404


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("open", {"document": "a.md", "at": 1, "page": 1}),
        ("open", {"document": "a.md", "max_tokens": 1}),
        ("navigate", {"document": "a.md", "depth": 9}),
        ("grep", {"pattern": "(", "regex": True}),
        ("grep", {"pattern": "a", "after": "x"}),
        ("grep", {"pattern": " "}),
    ],
)
def test_what_cannot_be_looked_for_is_told(
    http: httpx.Client, path: str, verb: str, body: dict[str, object]
) -> None:
    response = http.post(f"{path}/{verb}", json=body)

    assert response.status_code == 422
    assert response.json()["detail"]
