"""Feedback is kept with its answer, goes with it, and becomes judged questions."""

from collections.abc import Callable

import httpx


def test_what_is_said_of_an_answer_is_kept_until_its_document_goes(
    http: httpx.Client, collection: str, put: Callable[..., str]
) -> None:
    id = put("rules.md", "# Rules\n\nA lost key costs 40 euros, for the lock is changed at once.")
    asked = {"question": "How much does a lost key cost?", "collections": [collection]}
    answer = http.post("/v1/answers", json=asked).json()
    [citation, *_] = answer["citations"]
    path = f"/v1/answers/{answer['id']}/feedback"
    wrong = http.post(path, json={"helpful": False, "expected": "50 euros"})
    right = http.post(path, json={"helpful": True, "right": [citation["id"]], "note": "Thanks."})
    kept = [j for j in http.get("/v1/feedback").json()["data"] if j["answer"]["id"] == answer["id"]]

    assert (wrong.status_code, right.status_code) == (200, 200)
    assert [each["feedback"]["helpful"] for each in kept] == [True]  # the last word
    assert kept[0]["answer"]["citations"][0]["links"]
    assert http.delete(f"/v1/documents/{id}").status_code == 204
    assert http.post(path, json={"helpful": True}).status_code == 404
    after = http.get("/v1/feedback").json()["data"]
    assert answer["id"] not in {each["answer"]["id"] for each in after}


def test_feedback_that_cannot_be_is_refused(
    http: httpx.Client, collection: str, put: Callable[..., str]
) -> None:
    put("a.md", "Nothing of interest stands here at all.")
    asked = {"question": "Who stole the heliotrope?", "collections": [collection]}
    path = f"/v1/answers/{http.post('/v1/answers', json=asked).json()['id']}/feedback"

    assert http.post(path, json={"helpful": True, "right": ["cit_no"]}).status_code == 422
    assert http.post(path, json={"helpful": "yes"}).status_code == 422
    assert http.post(path, json={}).status_code == 422
    assert http.post("/v1/answers/ans_no/feedback", json={"helpful": True}).status_code == 404
    assert http.get("/v1/feedback?after=x").status_code == 422


def test_feedback_is_listed_page_by_page(
    http: httpx.Client, collection: str, put: Callable[..., str]
) -> None:
    put("b.md", "# Gate\n\nThe gate opens at nine every morning.")
    asked = {"question": "When does the gate open?", "collections": [collection]}
    ids = [http.post("/v1/answers", json=asked).json()["id"] for _ in range(3)]
    for id in ids:
        http.post(f"/v1/answers/{id}/feedback", json={"helpful": True}).raise_for_status()
    seen, after = [], None
    while True:
        params = {"limit": 2} | ({"after": after} if after else {})
        page = http.get("/v1/feedback", params=params).json()
        seen += [each["answer"]["id"] for each in page["data"]]
        after = page["next"]
        if not page["has_more"]:
            break

    assert len(seen) == len(set(seen))
    assert [id for id in seen if id in ids] == ids
