"""`rag crawl`: a site on this machine, into a served library."""

import json
from collections.abc import Iterator

import pytest

from rag.wiring import Services
from tests.api.sites import Page, Site
from tests.cli.serving import Commands, library_served

HTML = {"Content-Type": "text/html", "ETag": '"1"'}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as site:
        site.pages |= {
            "/docs/": Page(b"<title>Start</title><p>Welcome.<a href=tides>.<a href=gone>", HTML),
            "/docs/tides": Page(b"<title>Tides</title><p>High water at noon.<a href=/x>", HTML),
            "/docs/map.xml": Page(b"<urlset><loc>SITE/docs/tides</loc></urlset>"),
        }
        map = site.pages["/docs/map.xml"]
        map.content = map.content.replace(b"SITE", site.at("").encode())
        yield site


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("served") / "library"
    allowed = {"fetch_allow": ("127.0.0.1",), "fetch_ports": (site.port,)}
    with library_served(folder, **allowed) as services:
        yield services


def test_a_site_is_read_then_unchanged_and_what_is_missing_is_said(
    rag: Commands, collection: str, site: Site
) -> None:
    words = ("crawl", site.at("/docs/"), "-C", collection, "--delay", 0, "--report", rag.report)
    first = rag(*words, "-q", "--json")
    lines = rag.lines()
    again = rag(*words, "-q", "--json")
    hits = json.loads(rag("search", "high water", "-C", collection, "--json").out)

    assert first.code == again.code == 1
    assert {key.removeprefix(site.at("")): line["state"] for key, line in lines.items()} == {
        "/docs/": "indexed",
        "/docs/tides": "indexed",
        "/docs/gone": "failed",
    }
    assert "answers 404: there is no such page" in first.said
    assert (json.loads(first.out)["indexed"], json.loads(first.out)["files"]) == (2, 3)
    assert (json.loads(again.out)["unchanged"], json.loads(again.out)["sent"]) == (2, 0)
    assert "High water at noon" in json.dumps(hits)


def test_a_sitemap_is_read_and_what_was_not_visited_is_told(
    rag: Commands, collection: str, site: Site
) -> None:
    done = rag("crawl", site.at("/docs/map.xml"), "-C", collection, "--delay", 0, "--depth", 0)
    short = rag("crawl", site.at("/docs/"), "-C", collection, "--delay", 0, "--pages", 1)

    assert done.code == 0
    assert site.visits(site.at("/docs/tides"))
    assert "2 more addresses were found and not visited" in short.said


def test_a_site_that_may_not_be_visited_is_told_at_once(
    rag: Commands, collection: str, site: Site
) -> None:
    done = rag("crawl", f"http://10.0.0.1:{site.port}/docs/", "-C", collection)

    assert done.code == 2
    assert "RAG_FETCH_ALLOW=10.0.0.1" in done.said


def test_the_address_of_a_page_is_fetched_by_the_service_and_by_its_own_rules(
    rag: Commands, collection: str, site: Site
) -> None:
    """Whatever the environment of the command allows."""
    [line] = rag.ingest(f"http://10.0.0.1:{site.port}/docs/", "-C", collection).values()

    assert line["state"] == "refused"
    assert "RAG_FETCH_ALLOW" in line["reason"]
