import httpx
import pytest


def test_a_collection_is_made_shown_and_deleted(http: httpx.Client) -> None:
    made = http.post("/v1/collections", json={"name": "recipes"})
    shown = http.get("/v1/collections/recipes")
    deleted = http.delete("/v1/collections/recipes")
    gone = http.get("/v1/collections/recipes")

    assert made.status_code == 201
    assert made.headers["location"] == f"/v1/collections/{made.json()['id']}"
    assert made.json()["documents"] == 0
    assert made.json()["dimension"] == 384
    assert shown.json() == made.json()
    assert http.get("/v1/collections/" + made.json()["id"]).status_code == 404
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert gone.status_code == 404


def test_default_is_there_from_the_start(http: httpx.Client) -> None:
    assert http.get("/v1/collections/default").json()["name"] == "default"


def test_a_name_or_an_id_names_a_collection(http: httpx.Client, collection: str) -> None:
    by_name = http.get(f"/v1/collections/{collection}").json()

    assert http.get(f"/v1/collections/{by_name['id']}").json() == by_name


def test_an_unknown_collection_is_answered_with_those_there_are(http: httpx.Client) -> None:
    problem = http.get("/v1/collections/defualt")

    assert problem.status_code == 404
    assert problem.json()["code"] == "not_found"
    assert "default" in problem.json()["detail"].replace("defualt", "")


def test_a_name_that_is_taken_is_a_conflict(http: httpx.Client, collection: str) -> None:
    assert http.post("/v1/collections", json={"name": collection}).status_code == 409


@pytest.mark.parametrize("name", ["Upper", "has space", "-dash", "ü", "a/b", "x" * 65, ""])
def test_a_name_that_is_no_good_is_said_to_be_so(http: httpx.Client, name: str) -> None:
    assert http.post("/v1/collections", json={"name": name}).status_code == 422


def test_the_weight_of_meaning_can_be_set(http: httpx.Client, collection: str) -> None:
    changed = http.patch(f"/v1/collections/{collection}", json={"dense_weight": 0.25})
    refused = http.patch(f"/v1/collections/{collection}", json={"dense_weight": 1.5})

    assert changed.json()["dense_weight"] == 0.25
    assert refused.json()["errors"][0]["pointer"] == "/dense_weight"


def test_lists_are_pages_that_meet_without_gap_or_overlap(http: httpx.Client) -> None:
    for n in range(5):
        http.post("/v1/collections", json={"name": f"page-{n}"})
    whole = [each["name"] for each in http.get("/v1/collections?limit=100").json()["data"]]

    names: list[str] = []
    page = http.get("/v1/collections?limit=2").json()
    while True:
        names += [each["name"] for each in page["data"]]
        if not page["has_more"]:
            break
        assert len(page["data"]) == 2
        page = http.get("/v1/collections", params={"limit": 2, "after": page["next"]}).json()

    assert names == whole
    assert page["next"] is None


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5", "99999999999999999999", ""])
def test_a_limit_out_of_range_is_pointed_at(http: httpx.Client, limit: str) -> None:
    problem = http.get("/v1/collections", params={"limit": limit})

    assert problem.status_code == 422
    assert problem.json()["errors"][0]["pointer"] == "?limit"


@pytest.mark.parametrize("after", ["x", "!!!", "W10", "\x00", "ü", "A" * 600])
def test_a_cursor_that_is_not_ours_is_refused(http: httpx.Client, after: str) -> None:
    problem = http.get("/v1/collections", params={"after": after})

    assert problem.status_code == 422
    assert problem.headers["content-type"] == "application/problem+json"
