"""What holds for every address."""

import json
import logging
import re
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from rag.wiring import Services

JSON = {"Content-Type": "application/json"}
POSTS = ["/v1/collections", "/v1/collections/default/search", "/v1/answers", "/v1/verify"]

DEEP = b'{"a":' * 20_000
NESTED_FILTER = b'{"type":"not","filter":' * 4_000


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"5",
        b"NaN",
        b'{"query": NaN, "question": NaN, "name": NaN}',
        b'{"query": Infinity}',
        b'{"query": "\\ud800", "question": "\\ud800", "name": "\\ud800"}',  # half a character
        b'{"query": "a\xff"}',
        b"\xff\xfe{}",
        DEEP,
        b"[" * 50_000,
        b'{"query": "a", "question": "a", "filter": ' + NESTED_FILTER,
        b'{"query": "a", "question": "a", "name": "a", "k": ' + b"9" * 5_000 + b"}",
        b'{"query": "a", "question": "a", "name": "a", "k": 1e999}',
        b'{"query": {"$ne": null}, "question": {"$ne": null}, "name": {}}',
        b'{"__proto__": 1, "query": "a", "question": "a", "name": "a"}',
    ],
    ids=range(18),
)
def test_no_body_makes_an_error_of_ours(http: httpx.Client, path: str, body: bytes) -> None:
    response = http.post(path, content=body, headers=JSON)

    assert response.status_code in {400, 422}, response.text
    assert response.headers["content-type"] == "application/problem+json"


def test_a_filter_beyond_the_limits_of_depth_is_refused(http: httpx.Client) -> None:
    filter: dict[str, object] = {"type": "eq", "key": "a", "value": 1}
    for _ in range(20):
        filter = {"type": "not", "filter": filter}
    body = {"query": "a", "filter": filter}

    assert http.post("/v1/collections/default/search", json=body).status_code == 422


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_foreign_form_could_send_is_not_read(
    http: httpx.Client, path: str, content_type: str
) -> None:
    response = http.post(path, content=b'{"name": "a"}', headers={"Content-Type": content_type})

    assert response.status_code == 415


@pytest.mark.parametrize("chunked", [False, True])
def test_a_question_of_a_megabyte_is_refused(http: httpx.Client, chunked: bool) -> None:
    body = b'{"question": "' + b"x" * 200_000 + b'"}'
    response = http.post("/v1/answers", content=iter([body]) if chunked else body, headers=JSON)

    assert response.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/collections/default/nowhere", 404),
        ("GET", "/assets/../app.py", 404),
        ("GET", "/assets/app.py", 404),
        ("GET", "/assets/%2e%2e%2fapp.py", 404),
        ("GET", "/schema/nowhere", 404),
        ("GET", "/v1/documents/doc_nowhere", 404),
        ("GET", "/v1/documents/doc_nowhere/text", 404),
        ("GET", "/v1/documents/doc_nowhere/content", 404),
        ("GET", "/v1/documents/doc_nowhere/pages/1", 404),
        ("GET", "/v1/documents/doc_nowhere/pages/1/image", 404),
        ("DELETE", "/v1/documents/doc_nowhere", 404),
        ("GET", "/v1/jobs/job_nowhere", 404),
        ("GET", "/v1/jobs/job_nowhere/items", 404),
        ("POST", "/v1/jobs/job_nowhere/cancel", 404),
        ("GET", "/v1/answers/ans_nowhere", 404),
        ("GET", "/v1/citations/cit_nowhere", 404),
        ("DELETE", "/v1/collections/nowhere", 404),
        ("GET", "/v1/collections/nowhere/documents", 404),
        ("POST", "/health/live", 405),
        ("DELETE", "/v1/collections", 405),
        ("PATCH", "/", 405),
    ],
)
def test_every_failure_is_a_problem_document(
    http: httpx.Client, method: str, path: str, status: int
) -> None:
    response = http.request(method, path)
    problem = response.json()

    assert response.status_code == problem["status"] == status
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["instance"] == response.request.url.path
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["detail"]
    assert re.fullmatch(r"[a-z_]+", problem["code"])


@pytest.mark.parametrize("id", ["%00", "%ff%fe", "%ed%a0%80", "'%20OR%201=1--", "x" * 5_000, "💥"])
@pytest.mark.parametrize("path", ["documents", "jobs", "answers", "citations", "collections"])
def test_no_id_makes_an_error_of_ours(http: httpx.Client, path: str, id: str) -> None:
    response = http.get(f"/v1/{path}/{id}")

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_every_answer_carries_an_id_of_its_own(http: httpx.Client) -> None:
    ids = {http.get("/health/live").headers["x-request-id"] for _ in range(3)}

    assert len(ids) == 3
    assert all(id.startswith("req_") for id in ids)


@pytest.mark.parametrize("path", ["/", "/schema", "/health/live", "/nowhere", "/v1/collections"])
def test_browsers_are_told_to_be_careful(http: httpx.Client, path: str) -> None:
    headers = http.get(path).headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "server" not in headers


def test_foreign_names_and_pages_are_refused_before_anything_is_read(http: httpx.Client) -> None:
    foreign_host = http.get("/health/live", headers={"Host": "attacker.example"})
    foreign_page = http.post(
        "/v1/collections", json={"name": "stolen"}, headers={"Origin": "http://attacker.example"}
    )
    unknown_path = http.get("/nowhere", headers={"Host": "attacker.example"})

    assert foreign_host.status_code == unknown_path.status_code == 421
    assert foreign_page.status_code == 403
    assert foreign_page.headers["content-type"] == "application/problem+json"
    assert http.get("/v1/collections/stolen").status_code == 404
    assert "access-control-allow-origin" not in foreign_page.headers


def test_the_log_holds_no_questions(http: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="rag"):
        asked = http.post("/v1/answers", json={"question": "Who stole the heliotrope?"})
        listed = http.get("/v1/collections?after=heliotrope")
        lines = [_line_of(response, caplog) for response in (asked, listed)]

    assert [line["status"] for line in lines] == [200, 422]
    assert [line["path"] for line in lines] == ["/v1/answers", "/v1/collections"]
    assert not any("heliotrope" in str(record.__dict__) for record in _ours(caplog))


def _line_of(response: httpx.Response, caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """What the log says of this exchange; it may say so just after the response has come."""
    id = response.headers["x-request-id"]
    for _ in range(200):
        for record in _ours(caplog):
            if record.__dict__.get("request_id") == id:
                return record.__dict__
        time.sleep(0.05)
    raise AssertionError("the exchange was not logged")


def _ours(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name.startswith("rag.")]


def test_ready_means_that_questions_can_be_answered(
    http: httpx.Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = http.get("/health/ready")
    monkeypatch.setattr(services, "preparing", True)
    preparing = http.get("/health/ready")
    live = http.get("/health/live")

    assert ready.status_code == 200
    assert ready.json()["database_ok"] is True
    assert preparing.status_code == 503
    assert preparing.json()["code"] == "not_ready"
    assert preparing.headers["retry-after"] == "2"
    assert live.status_code == 200


def test_the_models_here_are_named(http: httpx.Client) -> None:
    models = http.get("/v1/models").json()
    default = http.get("/v1/collections/default").json()

    [model] = [each for each in models["embedding"] if each["is_default"]]
    assert (model["name"], model["dimension"]) == (default["embedding_model"], default["dimension"])
    assert models["answering"] == "extractive"
    assert models["reading"]["*"]
    assert models["notices"] == []


def test_jobs_are_listed_newest_first_and_a_done_one_can_be_cancelled_without_effect(
    http: httpx.Client, collection: str, finished: Callable[[str], dict[str, Any]]
) -> None:
    path = f"/v1/collections/{collection}/documents"
    job = http.post(path, json={"text": "a b c"}).json()["job_id"]
    [newest] = http.get("/v1/jobs?limit=1").json()["data"]
    done = finished(job)
    cancelled = http.post(f"/v1/jobs/{job}/cancel")

    assert newest["id"] == job
    assert cancelled.status_code == 200
    assert cancelled.json() == done


def test_a_cancelled_job_ends_and_the_next_one_is_done(
    http: httpx.Client, collection: str, finished: Callable[[str], dict[str, Any]]
) -> None:
    """Whatever step the work was at: none of them may take the worker down."""
    path = f"/v1/collections/{collection}/documents"
    for n in range(8):
        files = [("file", (f"{n}-{m}.md", f"Text {m} of job {n}.".encode())) for m in range(3)]
        job = http.post(path, files=files).json()["job_id"]
        time.sleep(n * 0.02)
        assert http.post(f"/v1/jobs/{job}/cancel").status_code == 200
        assert finished(job)["state"] in {"cancelled", "succeeded"}
    last = http.post(path, json={"text": "After all of that."}).json()["job_id"]

    assert finished(last)["state"] == "succeeded"


# --- the pages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/schema", "/assets/home.js", "/assets/schema.js", "/assets/pages.css"]
)
def test_pages_load_nothing_from_elsewhere(http: httpx.Client, path: str) -> None:
    content = http.get(path).raise_for_status().text

    assert not re.search(
        r"""(src|href|url|import|fetch)\b[^\n]{0,3}["'(]?\s*(https?:)?//""", content
    )
    assert "http://" not in content
    assert "https://" not in content


@pytest.mark.parametrize("page", ["/", "/schema"])
def test_what_pages_load_is_there(http: httpx.Client, page: str) -> None:
    html = http.get(page)
    loaded = re.findall(r'(?:src|href)="(/[^"]*)"', html.text)

    assert html.headers["content-type"] == "text/html; charset=utf-8"
    assert {path: http.get(path).status_code for path in loaded} == dict.fromkeys(loaded, 200)
    assert len(loaded) >= 3


@pytest.mark.parametrize("script", ["home.js", "schema.js"])
def test_scripts_never_make_markup_of_text(http: httpx.Client, script: str) -> None:
    source = http.get(f"/assets/{script}").text

    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", source)


# --- the description ----------------------------------------------------------------------------


def test_the_openapi_document_describes_every_operation(http: httpx.Client) -> None:
    described = http.get("/schema/openapi.json").json()
    operations = [each for path in described["paths"].values() for each in path.values()]

    assert described["openapi"].startswith("3.")
    assert len(operations) == 65
    assert all(operation["summary"] for operation in operations)
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all("Problem" in json.dumps(each["responses"]["default"]) for each in operations)


def test_every_reference_of_the_openapi_document_leads_somewhere(http: httpx.Client) -> None:
    text = http.get("/schema/openapi.json").text
    schemas = json.loads(text)["components"]["schemas"]

    assert set(re.findall(r'"#/components/schemas/([^"]+)"', text)) <= set(schemas)


def test_shapes_are_described_with_their_bounds_and_meaning(http: httpx.Client) -> None:
    schemas = http.get("/schema/openapi.json").json()["components"]["schemas"]
    k = schemas["Search"]["properties"]["k"]

    assert (k["minimum"], k["maximum"], k["default"]) == (1, 100, 10)
    assert k["description"] == "How many hits to return at most."
    assert schemas["Search"]["additionalProperties"] is False
    assert schemas["Hit"]["properties"]["pages"]["items"] == {"type": "integer"}
    assert "dense" in schemas["Hit"]["properties"]["found_by"]["description"]
