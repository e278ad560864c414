"""Handing in documents, and reading them back."""

import hashlib
import select
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

SAMPLES = Path(__file__).parents[2] / "rag" / "samples"

PATIENCE = 20.0  # seconds
PLAIN = {"Content-Type": "text/plain"}

Finished = Callable[[str], dict[str, Any]]
Put = Callable[..., str]


def test_a_text_is_accepted_then_unchanged_then_replaced(
    http: httpx.Client, collection: str, finished: Finished
) -> None:
    path = f"/v1/collections/{collection}/documents/notes/monday.md"
    first = http.put(path, json={"text": "# Monday\n\nThe kettle is broken."})
    job = finished(first.json()["job_id"])
    again = http.put(path, json={"text": "# Monday\n\nThe kettle is broken."})
    other = http.put(path, json={"text": "# Monday\n\nThe kettle is mended."})
    finished(other.json()["job_id"])
    document = first.json()["document_id"]
    text = http.get(f"/v1/documents/{document}/text").json()["text"]

    assert first.status_code == 202
    assert first.headers["location"] == f"/v1/jobs/{first.json()['job_id']}"
    assert job["state"] == "succeeded"
    assert job["items"] == {"total": 1, "done": 1, "failed": 0}
    assert (again.status_code, other.status_code) == (200, 202)
    assert again.json()["document_id"] == other.json()["document_id"] == document
    assert text == "# Monday\n\nThe kettle is mended."


def test_uploads_of_one_work_are_one_job_and_each_has_its_own_items(
    http: httpx.Client, collection: str, finished: Finished
) -> None:
    path = f"/v1/collections/{collection}/documents"
    first = http.post(path, files=[("file", ("a.txt", b"apples", "text/plain"))]).json()
    finished(first["job_id"])
    second = http.post(
        path,
        files=[("file", (f"{n}.txt", f"pears {n}".encode(), "text/plain")) for n in range(3)],
        params={"job": first["job_id"]},
    ).json()
    job = finished(second["job_id"])
    items = http.get(second["items"]).json()["data"]

    assert second["job_id"] == first["job_id"]
    assert (job["state"], job["items"]["done"]) == ("succeeded", 4)
    assert [item["key"] for item in items] == ["0.txt", "1.txt", "2.txt"]
    assert len(http.get(first["items"]).json()["data"]) == 4


def test_a_job_of_another_collection_is_not_joined(
    http: httpx.Client, collection: str, finished: Finished
) -> None:
    other = http.post("/v1/collections", json={"name": f"{collection}-other"}).json()["name"]
    files = [("file", ("a.txt", b"apples", "text/plain"))]
    job = http.post(f"/v1/collections/{other}/documents", files=files).json()["job_id"]
    refused = http.post(f"/v1/collections/{collection}/documents", files=files, params={"job": job})
    finished(job)

    assert refused.status_code == 409
    assert other in refused.json()["detail"]


def test_the_bytes_of_a_file_are_put_with_their_media_type(
    http: httpx.Client, collection: str, finished: Finished
) -> None:
    handbook = (SAMPLES / "handbook.pdf").read_bytes()
    response = http.put(
        f"/v1/collections/{collection}/documents/handbook.pdf",
        content=handbook,
        headers={"Content-Type": "application/pdf"},
    )
    job = finished(response.json()["job_id"])
    summary = http.get(f"/v1/documents/{response.json()['document_id']}").json()

    assert job["state"] == "succeeded"
    assert summary["media_type"] == "application/pdf"
    assert summary["version"] == "sha256:" + hashlib.sha256(handbook).hexdigest()
    assert summary["pages"] > 1
    assert summary["bytes"] == len(handbook)


def test_a_form_brings_many_files_whose_names_are_their_keys(
    http: httpx.Client, collection: str, finished: Finished
) -> None:
    files = [
        ("file", ("minutes/march.md", b"# March\n\nThe roof leaks.", "text/markdown")),
        ("file", ("Übersicht 日本.txt", b"Das Dach ist dicht.", "text/plain")),
        ("anything", ("b.bin", b"\x00\x01\x02\xff" * 50, "application/octet-stream")),
    ]
    response = http.post(
        f"/v1/collections/{collection}/documents",
        files=files,
        data={"attributes": '{"year": 2026, "tags": ["roof"]}'},
    )
    job = finished(response.json()["job_id"])
    items = http.get(f"/v1/jobs/{job['id']}/items").json()["data"]
    listed = http.get(f"/v1/collections/{collection}/documents").json()["data"]

    assert response.status_code == 202
    assert response.headers["location"] == f"/v1/jobs/{job['id']}"
    assert {each["key"] for each in response.json()["documents"]} == {
        "minutes/march.md",
        "Übersicht 日本.txt",
        "b.bin",
    }
    assert {each["key"]: each["state"] for each in items} == {
        "minutes/march.md": "indexed",
        "Übersicht 日本.txt": "indexed",
        "b.bin": "refused",
    }
    assert job["state"] == "failed"
    assert job["last_error"]["message"]
    assert {each["key"]: each["id"] for each in listed}.items() <= {
        each["key"]: each["document_id"] for each in response.json()["documents"]
    }.items()
    assert all(each["attributes"] == {"year": 2026, "tags": ["roof"]} for each in listed)


def test_a_text_without_key_has_one_made_from_it(
    http: httpx.Client, collection: str, finished: Finished
) -> None:
    path = f"/v1/collections/{collection}/documents"
    first = http.post(path, json={"text": "The moon is far.", "title": "Moon"})
    finished(first.json()["job_id"])
    second = http.post(path, json={"text": "The moon is far.", "title": "Moon"})
    finished(second.json()["job_id"])
    [listed] = http.get(path).json()["data"]

    assert first.json()["documents"] == second.json()["documents"]
    assert listed["title"] == "Moon"


def test_a_document_is_found_by_its_key(http: httpx.Client, collection: str, put: Put) -> None:
    document = put("a/b c.md", "Bread and butter.")
    path = f"/v1/collections/{collection}/documents"

    [found] = http.get(path, params={"key": "a/b c.md"}).json()["data"]
    nothing = http.get(path, params={"key": "a/b"}).json()

    assert found["id"] == document
    assert nothing == {"data": [], "has_more": False, "next": None}


def test_a_deleted_document_is_gone_when_the_call_returns(
    http: httpx.Client, collection: str, put: Put
) -> None:
    document = put("secret.md", "The passphrase is heliotrope.")
    search = {"query": "heliotrope passphrase"}
    before = http.post(f"/v1/collections/{collection}/search", json=search).json()["data"]
    deleted = http.delete(f"/v1/documents/{document}")
    after = http.post(f"/v1/collections/{collection}/search", json=search).json()["data"]

    assert [hit["document_id"] for hit in before] == [document]
    assert deleted.status_code == 204
    assert after == []
    for path in ("", "/text", "/content", "/pages/1"):
        assert http.get(f"/v1/documents/{document}{path}").status_code == 404


def test_pages_are_spans_of_the_text(
    http: httpx.Client, collection: str, finished: Finished
) -> None:
    document = _put_handbook(http, collection, finished)
    whole = http.get(f"/v1/documents/{document}/text").json()
    page = http.get(f"/v1/documents/{document}/pages/2").json()
    missing = http.get(f"/v1/documents/{document}/pages/999")

    assert page["number"] == 2
    assert page["text"] == whole["text"][page["start"] : page["end"]]
    assert page["reader"] == "text-layer"
    assert page["reason"]
    assert missing.status_code == 404
    assert "pages 1 to" in missing.json()["detail"]


def test_a_page_is_shown_as_a_picture(
    http: httpx.Client, collection: str, finished: Finished
) -> None:
    document = _put_handbook(http, collection, finished)
    small = http.get(f"/v1/documents/{document}/pages/1/image?dpi=36")
    large = http.get(f"/v1/documents/{document}/pages/1/image?dpi=72")
    refused = http.get(f"/v1/documents/{document}/pages/1/image?dpi=5000")

    assert small.headers["content-type"] == "image/png"
    assert small.content.startswith(b"\x89PNG")
    assert _width(large.content) == pytest.approx(2 * _width(small.content), abs=1)
    assert refused.status_code == 422
    assert http.get(f"/v1/documents/{document}/pages/0/image").status_code == 404


def test_the_original_is_for_saving_not_for_showing(
    http: httpx.Client, collection: str, finished: Finished
) -> None:
    page = b"<html><title>x</title><body><p>A page of some length.</p><script>alert(1)</script>"
    response = http.put(
        f'/v1/collections/{collection}/documents/site/a "b" ü.html',
        content=page,
        headers={"Content-Type": "text/html"},
    )
    finished(response.json()["job_id"])
    content = http.get(f"/v1/documents/{response.json()['document_id']}/content")

    assert content.content == page
    assert content.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''a%20%22b%22%20%C3%BC.html"
    )
    assert content.headers["x-content-type-options"] == "nosniff"
    assert content.headers["content-security-policy"] == "default-src 'none'; sandbox"


def test_an_old_version_is_not_passed_off_as_the_current_one(http: httpx.Client, put: Put) -> None:
    document = put("a.md", "One version.")
    unknown = http.get(f"/v1/documents/{document}/text", params={"version": "sha256:" + "0" * 64})

    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"url": "http://169.254.169.254/"}, "not on the public internet"),
        ({"url": "http://wiki/"}, "RAG_FETCH_ALLOW=wiki"),
        ({"url": "file:///etc/passwd"}, "http"),
        ({"url": ""}, "/url"),
        ({"url": "http://127.0.0.1:22/"}, "port 22"),
        ({"url": "http://127.0.0.1:8080/" + "a" * 2_000}, "give a 'key'"),
        ({"url": "http://127.0.0.1:8080/", "text": "a"}, "not both"),
        ({"url": "http://127.0.0.1:8080/", "key": "../a"}, "climb"),
        ({}, "no 'text'"),
        ({"text": ""}, "/text"),
        ({"text": "a", "key": "../a"}, "climb"),
        ({"text": "a", "key": ""}, "needs a key"),
        ({"text": "a", "titel": "b"}, "titel"),
        ({"text": "a", "attributes": {"a": {"b": 1}}}, "/attributes/*"),
        ({"text": "a", "attributes": {"a": 2**60}}, "/attributes/*"),
        ({"text": "a", "attributes": {"": 1}}, "/attributes"),
        ({"text": "a", "attributes": {str(n): n for n in range(101)}}, "/attributes"),
        ({"text": 5}, "/text"),
        ({"text": "a", "media_type": "application/pdf"}, "/media_type"),
    ],
)
def test_a_text_that_cannot_be_taken_is_refused_with_the_reason(
    http: httpx.Client, collection: str, body: dict[str, object], says: str
) -> None:
    response = http.post(f"/v1/collections/{collection}/documents", json=body)

    assert response.status_code == 422
    assert says in response.json()["detail"]


@pytest.mark.parametrize(
    ("files", "data", "says"),
    [
        ([("file", ("../a.md", b"x"))], {}, "climb"),
        ([("file", ("x" * 1025, b"x"))], {}, "1024"),
        ([("file", ("a.md", b"x")), ("file", ("./a.md", b"y"))], {}, "'a.md'"),
        ([("file", ("a.md", b"x"))], {"attributes": '{"a": [1]}'}, "/*/0"),
        ([("file", ("a.md", b"x"))], {"tags": "b"}, "'tags'"),
        ([("file", ("a.md", b"x")), ("file", ("b.md", b"y"))], {"title": "T"}, "several files"),
    ],
)
def test_a_form_that_cannot_be_taken_is_refused_with_the_reason(
    http: httpx.Client,
    collection: str,
    files: list[tuple[str, tuple[str, bytes]]],
    data: dict[str, str],
    says: str,
) -> None:
    path = f"/v1/collections/{collection}/documents"
    response = http.post(path, files=files, data=data)

    assert response.status_code == 422
    assert says in response.json()["detail"]
    assert http.get(path).json()["data"] == []


MULTIPART = "multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("multipart/form-data", b"--b--\r\n", 400),  # no boundary
        (MULTIPART, b"this is no form", 400),
        (MULTIPART, b"--b\r\nContent-Disposition: form-data; name=f; filename=a.md\r\n\r\nx", 400),
        (
            MULTIPART,
            b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\n\xff\r\n--b--',
            400,
        ),
        (
            MULTIPART,
            b'--b\r\nContent-Disposition: form-data; name="title"\r\n'
            b"Content-Type: text/plain; charset=no-such\r\n\r\nx\r\n--b--",
            400,
        ),
        (MULTIPART, b"--b\r\nA: " + b"x" * 10_000 + b"\r\n\r\nx\r\n--b--", 400),
        (  # a key with NUL
            MULTIPART,
            b'--b\r\nContent-Disposition: form-data; name="f"; filename="a\0b"\r\n\r\nx\r\n--b--',
            422,
        ),
        (MULTIPART, b"--b--\r\n", 422),  # a form without a file
        (MULTIPART, b"", 400),
        ("text/plain", b"just text", 415),
        ("application/x-www-form-urlencoded", b"text=a", 415),
        ("", b"x", 415),
        ("application/json", b"", 400),
        ("application/json", b"{", 400),
    ],
)
def test_bodies_that_are_neither_form_nor_json_are_told_so(
    http: httpx.Client, collection: str, content_type: str, body: bytes, status: int
) -> None:
    response = http.post(
        f"/v1/collections/{collection}/documents",
        content=body,
        headers={"Content-Type": content_type},
    )

    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_beyond_the_limit_is_refused(
    http: httpx.Client, collection: str, chunked: bool
) -> None:
    content = b"x" * 2_100_000
    response = http.put(
        f"/v1/collections/{collection}/documents/a.txt",
        content=iter([content]) if chunked else content,
        headers=PLAIN,
    )

    assert response.status_code == 413
    assert response.json()["code"] == "request_too_large"


def test_a_form_beyond_the_limit_is_refused(http: httpx.Client, collection: str) -> None:
    path = f"/v1/collections/{collection}/documents"
    large = http.post(path, files=[("file", ("a.txt", b"x" * 2_100_000))])
    many = http.post(path, files=[("file", (f"{n}.txt", b"x")) for n in range(1_001)])

    assert (large.status_code, large.json()["code"]) == (413, "request_too_large")
    assert (many.status_code, many.json()["code"]) == (400, "malformed_form")
    assert "1000 parts" in many.json()["detail"]


def test_an_empty_put_is_refused(http: httpx.Client, collection: str) -> None:
    response = http.put(f"/v1/collections/{collection}/documents/a.txt", headers=PLAIN)

    assert response.status_code == 422


def test_a_dry_run_tells_what_there_is_to_do_and_does_nothing(
    http: httpx.Client, collection: str
) -> None:
    path = f"/v1/collections/{collection}/documents"
    before = http.get("/v1/jobs?limit=1").json()["data"]
    response = http.post(path, params={"dry_run": "true"}, json={"text": "The kettle is broken."})
    planned = http.post(
        "/v1/collections/not-yet/documents", params={"dry_run": "true"}, json={"text": "a kettle"}
    )

    assert (response.status_code, planned.status_code) == (200, 200)
    assert (response.json()["files"], response.json()["usd"]["most"]) == (1, "0")
    assert float(response.json()["tokens"]["most"]) > 5
    assert http.get(path).json()["data"] == []
    assert http.get("/v1/jobs?limit=1").json()["data"] == before


def test_what_is_read_without_a_provider_is_worth_nothing_to_one(
    http: httpx.Client, collection: str, finished: Finished
) -> None:
    path = f"/v1/collections/{collection}/documents"
    put = http.put(f"{path}/kettle.md", json={"text": "The kettle is broken."})
    job = finished(put.json()["job_id"])
    worth = http.post(f"{path}/worth", json={"keys": ["kettle.md", "nowhere.md"]})
    too_many = http.post(f"{path}/worth", json={"keys": ["kettle.md"] * 1_001})

    assert job["saved"] == {"pages": 0, "tokens": 0, "usd": "0"}
    assert (worth.status_code, worth.json()) == (200, job["saved"])
    assert too_many.status_code == 422


def test_too_many_uploads_at_a_time_are_told_to_come_back(
    http: httpx.Client, collection: str
) -> None:
    """Four uploads begin, there are three places, and none ends until one was refused."""
    host, port = http.base_url.host, http.base_url.port or 80
    uploads = [socket.create_connection((host, port), timeout=PATIENCE) for _ in range(4)]
    for n, upload in enumerate(uploads):
        head = f"PUT /v1/collections/{collection}/documents/{n} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        upload.sendall(f"{head}Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nbe".encode())
    [refused], _, _ = select.select(uploads, [], [], PATIENCE)
    others = [upload for upload in uploads if upload is not refused]
    for upload in others:
        upload.sendall(b"gins")
    answers = [upload.recv(4096) for upload in others]
    refusal = refused.recv(4096)
    for upload in uploads:
        upload.close()
    after = http.put(f"/v1/collections/{collection}/documents/5", content=b"x", headers=PLAIN)

    assert b" 503 " in refusal.splitlines()[0]
    assert b"too_many_uploads" in refusal
    assert b"retry-after: 1\r\n" in refusal.lower()
    assert all(b" 202 " in answer.splitlines()[0] for answer in answers)
    assert after.status_code == 202


def _put_handbook(http: httpx.Client, collection: str, finished: Finished) -> str:
    response = http.put(
        f"/v1/collections/{collection}/documents/handbook.pdf",
        content=(SAMPLES / "handbook.pdf").read_bytes(),
        headers={"Content-Type": "application/pdf"},
    )
    finished(response.json()["job_id"])
    return str(response.json()["document_id"])


def _width(png: bytes) -> int:
    return int.from_bytes(png[16:20])
