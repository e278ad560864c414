"""A site, page by page: politely, within bounds, and only as far as its robots.txt allows."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Annotated

from msgspec import Meta, Struct

from rag.errors import AddressRefused, DocumentTooLarge, FetchFailed, RagError
from rag.sources.web.addresses import WebAddress, parse_address
from rag.sources.web.fetching import Fetched, Fetcher
from rag.sources.web.links import is_index, is_sitemap, links, listed
from rag.sources.web.robots import EVERYTHING, NOTHING, Robots, parse_robots

MOST_PAGES = 10_000
MOST_WAITING = 50_000  # addresses that were found and not visited
MOST_FAILURES = 10  # in a row; then the site is down, or has had enough of us
MOST_SITEMAPS = 100  # of an index
LONGEST_WAIT = 60.0  # seconds, where the site asks us to wait

HTML = frozenset({"text/html", "application/xhtml+xml", None})

NOT_DOCUMENTS = (
    *(".css", ".js", ".mjs", ".map", ".json", ".ico", ".woff", ".woff2", ".ttf", ".wasm"),
    *(".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif", ".bmp", ".mp3", ".mp4", ".webm"),
    *(".avi", ".mov", ".zip", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".exe", ".dmg", ".iso"),
)
"""Ends of paths that a crawl leaves alone: parts of pages, and what is too large to be one."""


class Bounds(Struct, frozen=True, forbid_unknown_fields=True):
    """How far a crawl goes."""

    pages: Annotated[int, Meta(ge=1, le=MOST_PAGES)] = 100
    depth: Annotated[int, Meta(ge=0, le=100)] = 5
    """Links from the first page."""
    seconds: Annotated[float, Meta(gt=0, le=24 * 3600)] = 3600.0
    delay: Annotated[float, Meta(ge=0, le=60)] = 1.0
    """Seconds between two pages, unless robots.txt asks for more."""


class Visit(Struct, frozen=True):
    """One address of a crawl, and what came of it: a page, or why there is none."""

    address: WebAddress
    page: Fetched | None = None
    failure: RagError | None = None


class Crawl:
    """The page or sitemap at an address, and what it leads to on the same host: from a page, only
    what lies below its own folder."""

    def __init__(self, url: str, bounds: Bounds, fetcher: Fetcher) -> None:
        """
        Raises:
            AddressRefused: that is no address.
        """
        self._start = parse_address(url)
        self._bounds = bounds
        self._fetcher = fetcher
        self._frontier = _Frontier()

    @property
    def left(self) -> int:
        """Addresses that were found, and not visited when a bound was reached, or when the site
        sent nothing any more."""
        return len(self._frontier.waiting)

    async def visits(self) -> AsyncIterator[Visit]:
        """
        Raises:
            AddressRefused, DocumentTooLarge, FetchFailed: of the first page; of all others the
                visits tell.
        """
        ends = time.monotonic() + self._bounds.seconds
        first, robots = await self._first()
        self._frontier = frontier = _Frontier(first.address, self._bounds.depth, robots)
        frontier.seen |= {self._start, first.address}
        pages = 0
        if is_sitemap(first.content):
            await _add_sitemap(first, frontier, self._fetcher, robots)
        else:
            pages = 1
            frontier.add(_links_of(first), 1)
            yield Visit(first.address, first)
        failures = 0
        while frontier.waiting and pages < self._bounds.pages and failures < MOST_FAILURES:
            await asyncio.sleep(max(self._bounds.delay, robots.delay))
            if time.monotonic() > ends:
                return
            visit = await self._next(frontier)
            if visit is None:
                continue
            yield visit
            pages += visit.page is not None
            failures = 0 if visit.failure is None else failures + 1
            await asyncio.sleep(_wait_after(visit))

    async def _first(self) -> tuple[Fetched, Robots]:
        """And what is asked of robots where it was found."""
        robots = await _robots_of(self._start, self._fetcher)
        _require(robots, self._start)
        first = await self._fetcher.fetch(self._start)
        assert first is not None, "nothing was said to be known"
        if first.address.origin != self._start.origin:
            robots = await _robots_of(first.address, self._fetcher)
        _require(robots, first.address)
        return first, robots

    async def _next(self, frontier: "_Frontier") -> Visit | None:
        """None where the address is another's, or was visited under it."""
        address, depth = frontier.waiting.popleft()
        try:
            page = await self._fetcher.fetch(address)
        except (AddressRefused, DocumentTooLarge, FetchFailed) as failure:
            return Visit(address, failure=failure)
        if page is None or not frontier.is_new_page(page.address, address):
            return None
        frontier.add(_links_of(page), depth + 1)
        return Visit(page.address, page)


async def _add_sitemap(
    sitemap: Fetched, frontier: "_Frontier", fetcher: Fetcher, robots: Robots
) -> None:
    """What it lists, wherever on the host, and what the sitemaps that it lists do."""
    frontier.folder = "/"
    if not is_index(sitemap.content):
        frontier.add(listed(sitemap.content), 0)
        return
    for address in filter(frontier.is_within, listed(sitemap.content)[:MOST_SITEMAPS]):
        await asyncio.sleep(robots.delay)
        part = await fetcher.fetch(address)
        if part is not None and not is_index(part.content):
            frontier.add(listed(part.content), 0)


class _Frontier:
    """What is known of a site and was not visited yet."""

    def __init__(
        self, first: WebAddress | None = None, depth: int = 0, robots: Robots = NOTHING
    ) -> None:
        self.waiting: deque[tuple[WebAddress, int]] = deque()
        self.seen: set[WebAddress] = set()
        path = first.target.partition("?")[0] if first else "/"
        self.folder = path.rpartition("/")[0] + "/"
        self._host = (first.host, first.port) if first else None
        self._depth = depth
        self._robots = robots

    def add(self, addresses: list[WebAddress], depth: int) -> None:
        if depth > self._depth:
            return
        for address in addresses:
            if len(self.waiting) >= MOST_WAITING:
                return
            if address not in self.seen and self.is_within(address):
                self.seen.add(address)
                self.waiting.append((address, depth))

    def is_within(self, address: WebAddress) -> bool:
        path = address.target.partition("?")[0]
        return (
            (address.host, address.port) == self._host
            and path.startswith(self.folder)
            and not path.lower().endswith(NOT_DOCUMENTS)
            and self._robots.allow(address.target)
        )

    def is_new_page(self, found: WebAddress, asked: WebAddress) -> bool:
        """Whether a redirect led to a page of the site that was not known."""
        if found == asked:
            return True
        is_new = found not in self.seen and self.is_within(found)
        self.seen.add(found)
        return is_new


def _require(robots: Robots, address: WebAddress) -> None:
    if not robots.allow(address.target):
        raise FetchFailed(
            f"{address.host} asks robots not to visit this page, or cannot tell now whether they"
            " may; hand in the page alone, without crawling"
        )


def _wait_after(visit: Visit) -> float:
    """Seconds that the site asks for."""
    return min(getattr(visit.failure, "retry_after", None) or 0.0, LONGEST_WAIT)


def _links_of(page: Fetched) -> list[WebAddress]:
    return links(page.content, page.address) if page.media_type in HTML else []


async def _robots_of(address: WebAddress, fetcher: Fetcher) -> Robots:
    """A site without robots.txt asks nothing; one that cannot tell now must not be visited."""
    where = WebAddress(address.scheme, address.host, address.port, "/robots.txt")
    try:
        found = await fetcher.fetch(where)
    except DocumentTooLarge:
        return NOTHING
    except FetchFailed as failure:
        if failure.status is not None and 400 <= failure.status < 500:
            return EVERYTHING
        return NOTHING
    return EVERYTHING if found is None else parse_robots(found.content)
