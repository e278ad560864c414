"""Documents that are fetched from where they are."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.sites import Page, Site

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
    ("page", "state", "code", "says"),
    [
        ({"content": b"", "status": 404}, "failed", "fetch_failed", "answers 404"),
        ({"content": b"x" * 300_000}, "refused", "document_too_large", "RAG_FETCH_BYTES"),
        (
            {"content": b"", "status": 302, "headers": {"Location": "http://10.0.0.1:8080/"}},
            *("refused", "address_refused", "RAG_FETCH_ALLOW=10.0.0.1"),
        ),
        (
            {"content": b"<html>Sign in", "headers": {"Content-Type": "application/pdf"}},
            *("failed", "fetch_failed", "declares application/pdf"),
        ),
    ],
)
def test_what_cannot_be_fetched_ends_in_words(
    site: Site, hand_in: HandIn, page: dict[str, Any], state: str, code: str, says: str
) -> None:
    item = hand_in(site.add(**page))["item"]

    assert (item["state"], item["error"]["code"]) == (state, code)
    assert item["error"]["stage"] == "fetch"
    assert says in item["error"]["message"]


def test_what_is_no_address_is_refused_at_once(http: httpx.Client, collection: str) -> None:
    path = f"/v1/collections/{collection}/documents"
    answer = http.post(path, json={"url": "ftp://example.org/"})

    assert (answer.status_code, answer.json()["code"]) == (422, "address_refused")


def test_a_busy_site_is_asked_again_and_a_failed_page_can_be_retried(
    http: httpx.Client, collection: str, site: Site, finished: Finished
) -> None:
    url = site.add(b"<p>Open again.</p>", status=503, headers=HTML)
    path = f"/v1/collections/{collection}/documents"
    accepted = http.post(path, json={"url": url}).json()
    while not site.visits(url):
        time.sleep(0.02)
    [waiting] = http.get(accepted["items"]).json()["data"]
    site.page(url).status = 404
    job = finished(accepted["job_id"])
    site.page(url).status = 200
    retried = http.post(f"/v1/jobs/{accepted['job_id']}/retry").json()
    again = finished(accepted["job_id"])

    assert waiting["state"] in ("queued", "fetching")
    assert len(site.visits(url)) == 3
    assert (job["state"], retried["queued"], again["state"]) == ("failed", 1, "succeeded")


def test_a_site_is_crawled_by_its_job(
    http: httpx.Client, collection: str, site: Site, finished: Finished
) -> None:
    site.pages |= {
        "/site/": Page(b"<p>Welcome.<a href=tides>.<a href=gone>", dict(HTML)),
        "/site/tides": Page(b"<p>High water at noon.<a href=more>", dict(HTML)),
        "/site/more": Page(b"<p>Low water at six.", dict(HTML)),
    }
    path = f"/v1/collections/{collection}/documents"
    wish = {"url": site.at("/site/"), "crawl": {"pages": 2, "delay": 0}, "attributes": {"of": 1}}
    accepted = http.post(path, json=wish).json()
    job = finished(accepted["job_id"])
    listed = http.get(f"/v1/jobs/{job['id']}/items").json()["data"]
    items = {item["key"].removeprefix(site.at("")): item for item in listed}
    site_item = listed[0]

    assert site_item["key"] == "crawl:" + site.at("/site/")
    assert site_item["state"] == "visited"
    assert "not visited" in site_item["error"]["message"]
    assert items["/site/"]["state"] == items["/site/tides"]["state"] == "indexed"
    assert "/site/more" not in items
    assert document(http, collection, site.at("/site/tides"))["attributes"]["of"] == 1


@pytest.mark.parametrize(
    "wish",
    [
        {"url": "http://127.0.0.1/", "crawl": {"pages": 0}},
        {"url": "http://127.0.0.1/", "crawl": {}, "key": "mine"},
        {"text": "a", "crawl": {}},
    ],
)
def test_a_crawl_that_makes_no_sense_is_refused(
    http: httpx.Client, collection: str, wish: dict[str, Any]
) -> None:
    answer = http.post(f"/v1/collections/{collection}/documents", json=wish)

    assert answer.status_code in (400, 422)
