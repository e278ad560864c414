"""Documents that are fetched from where they are."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.sites import Site

SAMPLES = Path(__file__).parents[2] / "rag" / "samples"
HTML = {"Content-Type": "text/html; charset=utf-8"}

Finished = Callable[[str], dict[str, Any]]
HandIn = Callable[..., dict[str, Any]]


@pytest.fixture
def hand_in(http: httpx.Client, collection: str, finished: Finished) -> HandIn:
    """Hands in an address, and gives what was said of it once its job has ended."""

    def hand_in(url: str, **more: object) -> dict[str, Any]:
        path = f"/v1/collections/{collection}/documents"
        response = http.post(path, json={"url": url, **more})
        assert response.status_code == 202, response.text
        accepted = dict(response.json())
        finished(accepted["job_id"])
        [accepted["item"]] = http.get(accepted["items"]).json()["data"]
        return accepted

    return hand_in


def document(http: httpx.Client, collection: str, key: str) -> dict[str, Any]:
    listed = http.get(f"/v1/collections/{collection}/documents", params={"key": key})
    [found] = listed.json()["data"]
    return dict(found)


def test_a_page_is_found_under_its_address(
    http: httpx.Client, collection: str, site: Site, hand_in: HandIn
) -> None:
    body = "<html><title>Opening hours</title><p>The museum opens at nine.</p></html>"
    url = site.add(body.encode(), headers=HTML)
    accepted = hand_in(url + "#hours", attributes={"year": 2026})
    found = document(http, collection, url)
    hits = http.post(
        f"/v1/collections/{collection}/search", json={"query": "When does the museum open?"}
    ).json()["data"]

    assert accepted["documents"][0]["key"] == url
    assert accepted["item"]["state"] == "indexed"
    assert (found["title"], found["media_type"]) == ("Opening hours", "text/html")
    assert found["attributes"] == {"year": 2026, "web_url": url}
    assert (hits[0]["key"], hits[0]["text"]) == (url, "The museum opens at nine.")


def test_a_file_is_what_its_bytes_are(
    http: httpx.Client, collection: str, site: Site, hand_in: HandIn
) -> None:
    pdf = (SAMPLES / "handbook.pdf").read_bytes()
    url = site.add(pdf, ".php?id=7", headers={"Content-Type": "application/octet-stream"})
    hand_in(url, key="handbook", title="The handbook")
    found = document(http, collection, "handbook")

    assert (found["media_type"], found["title"]) == ("application/pdf", "The handbook")
    assert found["pages"] > 1


def test_a_page_of_a_script_is_a_page(
    http: httpx.Client, collection: str, site: Site, hand_in: HandIn
) -> None:
    url = site.add(b"<html><body><p>Made by a program.</p></body></html>", ".php", headers=HTML)
    hand_in(url)

    assert document(http, collection, url)["media_type"] == "text/html"


def test_an_unchanged_page_is_not_sent_again(
    http: httpx.Client, collection: str, site: Site, hand_in: HandIn
) -> None:
    url = site.add(b"<p>Tides of the month.</p>", headers={"ETag": '"one"', **HTML})
    hand_in(url)
    again = hand_in(url)
    page = site.page(url)
    page.content, page.headers = b"<p>Tides of the year.</p>", {"ETag": '"two"', **HTML}
    changed = hand_in(url)
    found = document(http, collection, url)
    text = http.get(f"/v1/documents/{found['id']}/text").json()["text"]

    assert again["item"]["state"] == "unchanged"
    assert changed["item"]["state"] == "indexed"
    assert text.strip() == "Tides of the year."
    assert found["attributes"]["web_etag"] == '"two"'
    assert [visit.get("if-none-match") for visit in site.visits(url)] == [None, '"one"', '"one"']


def test_a_tag_that_changes_alone_is_no_news(site: Site, hand_in: HandIn) -> None:
    url = site.add(b"<p>The same as ever.</p>", headers={"ETag": '"one"', **HTML})
    hand_in(url)
    site.page(url).headers = {"ETag": '"two"', **HTML}

    assert hand_in(url)["item"]["state"] == "unchanged"


def test_what_is_said_of_an_unchanged_page_may_change(
    http: httpx.Client, collection: str, site: Site, hand_in: HandIn
) -> None:
    url = site.add(b"<p>Rates of exchange.</p>", headers={"ETag": '"one"', **HTML})
    hand_in(url, attributes={"year": 2025})
    hand_in(url, attributes={"year": 2026})

    assert document(http, collection, url)["attributes"] == {
        "year": 2026,
        "web_url": url,
        "web_etag": '"one"',
    }


def test_a_page_is_known_by_the_address_asked_for_and_says_where_it_was_found(
    http: httpx.Client, collection: str, site: Site, hand_in: HandIn
) -> None:
    there = site.add(b"<p>It has moved here.</p>", headers=HTML)
    asked = site.add(b"", status=301, headers={"Location": there})
    hand_in(asked)

    assert document(http, collection, asked)["attributes"]["web_url"] == there


def test_a_page_that_cannot_be_read_is_refused_by_its_job(site: Site, hand_in: HandIn) -> None:
    item = hand_in(site.add(b"\x00\x01\x02\xff" * 50))["item"]

    assert (item["state"], item["error"]["code"]) == ("refused", "unsupported_media_type")


def test_a_dry_run_fetches_and_keeps_nothing(
    http: httpx.Client, collection: str, site: Site
) -> None:
    url = site.add(b"<p>To be weighed.</p>", headers=HTML)
    path = f"/v1/collections/{collection}/documents"
    estimate = http.post(path, json={"url": url}, params={"dry_run": "true"})

    assert estimate.status_code == 200
    assert http.get(path).json()["data"] == []


@pytest.mark.parametrize(
    ("page", "status", "code", "says"),
    [
        ({"content": b"", "status": 404}, 502, "fetch_failed", "answers 404"),
        ({"content": b"x" * 300_000}, 413, "document_too_large", "RAG_FETCH_BYTES"),
        (
            {"content": b"", "status": 302, "headers": {"Location": "http://10.0.0.1:8080/"}},
            *(422, "address_refused", "RAG_FETCH_ALLOW=10.0.0.1"),
        ),
        (
            {"content": b"<html>Sign in", "headers": {"Content-Type": "application/pdf"}},
            *(502, "fetch_failed", "declares application/pdf"),
        ),
    ],
)
def test_what_cannot_be_fetched_is_a_problem_in_words(
    http: httpx.Client,
    collection: str,
    site: Site,
    page: dict[str, Any],
    status: int,
    code: str,
    says: str,
) -> None:
    response = http.post(f"/v1/collections/{collection}/documents", json={"url": site.add(**page)})

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert says in response.json()["detail"]


def test_a_busy_site_says_when_to_come_back(
    http: httpx.Client, collection: str, site: Site
) -> None:
    url = site.add(b"", status=429, headers={"Retry-After": "77"})
    response = http.post(f"/v1/collections/{collection}/documents", json={"url": url})

    assert response.status_code == 502
    assert response.headers["retry-after"] == "77"


def test_slow_sites_are_given_up_and_leave_room_for_files(
    http: httpx.Client, collection: str, site: Site
) -> None:
    never = threading.Event()
    url = site.add(b"too late", waits=never)
    path = f"/v1/collections/{collection}/documents"
    with ThreadPoolExecutor(2) as callers:
        slow = [callers.submit(http.post, path, json={"url": url}) for _ in range(2)]
        while len(site.visits(url)) < 2:
            assert not any(each.done() for each in slow)
        third = http.post(path, json={"url": url})
        file = http.post(path, json={"text": "Files go on."})
        answers = [each.result() for each in slow]
    never.set()

    assert (third.status_code, third.json()["code"]) == (503, "too_many_fetches")
    assert file.status_code == 202
    assert [answer.status_code for answer in answers] == [502, 502]
    assert all("within 3 s" in answer.json()["detail"] for answer in answers)
