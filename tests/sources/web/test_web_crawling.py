"""A crawl visits a site: all of it, nothing else, and no more than it was told."""

import gzip
import time
from collections.abc import Mapping

import httpx
import pytest

from rag.errors import AddressRefused, FetchFailed
from rag.sources.web.addresses import parse_address
from rag.sources.web.crawling import MOST_FAILURES, Bounds, Crawl, Visit
from rag.sources.web.links import links, listed
from tests.sources.web.visits import Visits

pytestmark = pytest.mark.anyio

AT_ONCE = Bounds(delay=0)

Pages = Mapping[str, str | bytes | httpx.Response]


def answer(pages: Pages, request: httpx.Request) -> httpx.Response:
    """Of example.org, and of others by `//host/path`; a text is HTML."""
    host = request.headers["host"]
    target = request.extensions["target"].decode()
    page = pages.get(target if host == "example.org" else f"//{host}{target}")
    if page is None:
        return httpx.Response(404)
    if isinstance(page, httpx.Response):
        return page
    content = page.encode() if isinstance(page, str) else page
    return httpx.Response(200, headers={"Content-Type": "text/html"}, content=content)


async def crawled(
    pages: Pages, start: str = "http://example.org/", bounds: Bounds = AT_ONCE
) -> tuple[list[Visit], list[str], int]:
    """Its visits, the targets that were asked for besides robots.txt, and how many were left."""
    visits = Visits()
    crawl = Crawl(start, bounds, visits.fetcher(lambda request: answer(pages, request)))
    found = [visit async for visit in crawl.visits()]
    targets = [request.extensions["target"].decode() for request in visits.requests]
    return found, [target for target in targets if target != "/robots.txt"], crawl.left


def found_in(visits: list[Visit]) -> list[str]:
    return [visit.address.target for visit in visits if visit.page is not None]


def linking(*to: str) -> str:
    return "<html>" + "".join(f'<a href="{each}">x</a>' for each in to)


async def test_a_site_is_visited_page_by_page_each_once() -> None:
    pages = {
        "/": linking("a", "/b#part", "http://example.org/a", "?q=1"),
        "/a": linking("/", "b", "c"),
        "/b": "<p>no links",
        "/c": linking("/a", "d/"),
        "/d/": linking("../a"),
        "/?q=1": "",
    }
    visits, asked, left = await crawled(pages)

    assert found_in(visits) == ["/", "/a", "/b", "/?q=1", "/c", "/d/"]
    assert sorted(asked) == sorted(pages)
    assert left == 0


async def test_other_hosts_ports_and_schemes_are_left_alone() -> None:
    foreign = ("http://other.org/", "http://example.org:8080/", "https://example.org/")
    more = ("http://www.example.org/", "mailto:a@example.org", "javascript:x", "//other.org/a")
    _, asked, left = await crawled({"/": linking(*foreign, *more, "http://10.0.0.1/", "/logo.PNG")})

    assert (asked, left) == (["/"], 0)


async def test_a_crawl_stays_below_the_folder_it_began_in() -> None:
    pages = {
        "/docs/": linking("a", "/", "/docsets/", "../about", "/docs/b"),
        "/docs/a": "",
        "/docs/b": "",
    }
    visits, _, _ = await crawled(pages, "http://example.org/docs/")

    assert found_in(visits) == ["/docs/", "/docs/a", "/docs/b"]


@pytest.mark.parametrize(
    ("bounds", "pages", "left"),
    [
        (Bounds(pages=3, delay=0), 3, 1),
        (Bounds(depth=2, delay=0), 3, 0),
        (Bounds(depth=0, delay=0), 1, 0),
    ],
)
async def test_a_crawl_ends_at_its_bounds_and_says_what_is_left(
    bounds: Bounds, pages: int, left: int
) -> None:
    endless = {f"/{n or ''}": linking(f"/{n + 1}") for n in range(50)}
    visits, _, still = await crawled(endless, bounds=bounds)

    assert (len(visits), still) == (pages, left)


async def test_a_crawl_ends_in_time() -> None:
    endless = {f"/{n or ''}": linking(f"/{n + 1}") for n in range(1_000)}
    visits, _, left = await crawled(endless, bounds=Bounds(seconds=0.1, delay=0.03))

    assert 1 <= len(visits) < 10
    assert left == 1


async def test_pages_come_with_a_pause_between() -> None:
    pages = {
        "/": linking("/a", "/b"),
        "/a": "",
        "/b": "",
        "/robots.txt": "User-agent: *\nCrawl-delay: 0.1",
    }
    began = time.monotonic()
    visits, _, _ = await crawled(pages)

    assert len(visits) == 3
    assert time.monotonic() - began >= 0.2


async def test_what_robots_shall_not_visit_is_not_visited() -> None:
    pages = {"/robots.txt": "User-agent: *\nDisallow: /private", "/": linking("/private/a", "/b")}
    visits, asked, left = await crawled({**pages, "/private/a": "", "/b": ""})

    assert found_in(visits) == ["/", "/b"]
    assert (asked, left) == (["/", "/b"], 0)
    with pytest.raises(FetchFailed, match="asks robots not to visit"):
        await crawled(pages, "http://example.org/private/")


@pytest.mark.parametrize(("status", "may"), [(404, True), (403, True), (500, False), (503, False)])
async def test_a_site_that_cannot_tell_what_it_asks_is_not_visited(status: int, may: bool) -> None:
    pages = {"/": "", "/robots.txt": httpx.Response(status)}

    if may:
        assert len((await crawled(pages))[0]) == 1
    else:
        with pytest.raises(FetchFailed, match="cannot tell now"):
            await crawled(pages)


async def test_a_site_that_moved_is_visited_where_it_is_by_the_rules_of_there() -> None:
    moved = httpx.Response(301, headers={"Location": "http://www.example.org/"})
    pages = {
        "/": moved,
        "//www.example.org/": linking("/a", "/no"),
        "//www.example.org/a": "",
        "//www.example.org/robots.txt": "User-agent: *\nDisallow: /no",
    }
    visits, _, _ = await crawled(pages)

    assert [str(visit.address) for visit in visits] == [
        "http://www.example.org/",
        "http://www.example.org/a",
    ]


async def test_a_redirect_out_of_the_site_or_to_a_known_page_is_no_page() -> None:
    pages = {
        "/": linking("/out", "/again", "/new", "/inside"),
        "/out": httpx.Response(302, headers={"Location": "http://other.org/"}),
        "/again": httpx.Response(302, headers={"Location": "/"}),
        "/new": httpx.Response(302, headers={"Location": "/found"}),
        "/inside": httpx.Response(302, headers={"Location": "http://10.0.0.1/"}),
        "/found": linking("/new"),
        "//other.org/": "",
    }
    visits, _, _ = await crawled(pages)

    assert found_in(visits) == ["/", "/found"]
    [failed] = [visit for visit in visits if visit.failure]
    assert isinstance(failed.failure, AddressRefused)


async def test_a_page_that_fails_is_told_and_the_crawl_goes_on() -> None:
    visits, _, _ = await crawled({"/": linking("/gone", "/a"), "/a": ""})

    assert [visit.address.target for visit in visits] == ["/", "/gone", "/a"]
    assert str(visits[1].failure) == "example.org answers 404: there is no such page"


async def test_a_site_that_has_had_enough_is_left_alone() -> None:
    visits, _, left = await crawled({"/": linking(*(f"/{n}" for n in range(100)))})

    assert len(visits) == 1 + MOST_FAILURES
    assert left == 100 - MOST_FAILURES


async def test_a_sitemap_lists_pages_wherever_they_are_on_its_host() -> None:
    sitemap = (
        '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        "<url><loc>http://example.org/a?b=1&amp;c=2</loc></url>"
        "<url><loc><![CDATA[http://example.org/x/b]]></loc></url>"
        "<url><loc> http://other.org/ </loc></url><url><loc>nonsense</loc></url></urlset>"
    )
    index = "<sitemapindex><sitemap><loc>http://example.org/deep/map.xml.gz</loc></sitemap>"
    pages = {
        "/deep/map.xml": sitemap,
        "/index.xml": index.replace(".xml.gz", ".xml"),
        "/a?b=1&c=2": linking("/more"),
        "/x/b": "",
        "/more": "",
    }
    flat = Bounds(depth=0, delay=0)

    for start in ("/deep/map.xml", "/index.xml"):
        visits, _, _ = await crawled(pages, f"http://example.org{start}", flat)
        assert found_in(visits) == ["/a?b=1&c=2", "/x/b"]
    assert [str(each) for each in listed(gzip.compress(sitemap.encode()))][:2] == [
        "http://example.org/a?b=1&c=2",
        "http://example.org/x/b",
    ]


@pytest.mark.parametrize(
    ("markup", "leads_to"),
    [
        ('<a href="b">', ["/docs/b"]),
        ("<A class=x HREF='b'>", ["/docs/b"]),
        ("<a\nhref=b>", ["/docs/b"]),
        ('<a href="?a=1&amp;b=2">', ["/docs/a?a=1&b=2"]),
        ('<base href="/else/"><a href="b">', ["/else/b"]),
        ('<area href="b"><area href="b">', ["/docs/b"]),
        ('<a rel="external nofollow" href="b">', []),
        ('<meta name="robots" content="noindex, NOFOLLOW"><a href="b">', []),
        ('<meta name="viewport" content="none"><a href="b">', ["/docs/b"]),
        ('<a name="b"><a href="#x"><a href="http://[">', []),
        ('<link href="b"><img src="b"><abbr href="b">', []),
    ],
)
def test_a_page_leads_where_its_links_do(markup: str, leads_to: list[str]) -> None:
    page = parse_address("http://example.org/docs/a")

    assert [each.target for each in links(markup.encode(), page)] == leads_to


@pytest.mark.parametrize(
    "start", [b"<a ", b"<a href='", b"<a href=", b"<a x=y ", b"<loc>", b"<!--"]
)
def test_no_markup_takes_long(start: bytes) -> None:
    page = parse_address("http://example.org/")
    began = time.process_time()
    links(start * (1_000_000 // len(start)), page)
    listed(start * (1_000_000 // len(start)))

    assert time.process_time() - began < 3


def test_a_bomb_is_no_sitemap() -> None:
    bomb = gzip.compress(bytes(80 * 1024 * 1024), 1)

    assert listed(bomb) == []
    assert listed(bomb[:5_000]) == []
