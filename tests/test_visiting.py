"""What is queued by its address is fetched, again if need be, whoever stops meanwhile."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rag.domain import IngestItem, JobId
from rag.fetching import Wanted, page_to_fetch, site_to_crawl
from rag.sources.web.crawling import Bounds
from rag.storage.library import Library
from rag.visiting import TRIES, Visitor
from rag.worker import Worker
from tests.houses import House
from tests.sources.web.visits import Visits

pytestmark = pytest.mark.anyio

HOST = "http://docs.example.org"
TIDES = "# Tides\n\nHigh water at noon.\n"
MARKDOWN = {"Content-Type": "text/markdown"}


class Web:
    """Pages by their paths; what it was asked for, in order."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.failures: dict[str, list[int]] = {}
        """Statuses that come first."""
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.extensions["target"].decode()
        self.asked.append(path)
        if self.failures.get(path):
            return httpx.Response(self.failures[path].pop(0))
        if path not in self.pages:
            return httpx.Response(404)
        return httpx.Response(200, text=self.pages[path], headers=MARKDOWN)


@pytest.fixture
def web() -> Web:
    return Web()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "library", None)
    yield house
    house.library.close()


def worker_of(house: House, web: Web, backoff: float = 0.01) -> Worker:
    visitor = Visitor(house.library, Visits().fetcher(web), backoff=backoff)
    return Worker(house.library, house.readers, house.embedders, lanes=2, visitor=visitor)


async def worked(house: House, web: Web, job: JobId) -> dict[str, IngestItem]:
    """Its items when it has ended."""
    working = asyncio.create_task(worker_of(house, web).run())
    async with asyncio.timeout(60):
        while house.library.jobs.find(job).finished_at is None:
            await asyncio.sleep(0.05)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    return {item.key: item for item in house.library.jobs.items(job, limit=100).data}


def queue_page(house: House, path: str) -> JobId:
    wanted = page_to_fetch(Wanted(HOST + path))
    return house.library.jobs.queue_fetch(house.within, wanted).job.id


async def test_what_fails_for_now_is_tried_again_and_then_read(house: House, web: Web) -> None:
    web.pages["/tides"] = TIDES
    web.failures["/tides"] = [503, 429]
    [item] = (await worked(house, web, queue_page(house, "/tides"))).values()

    assert (item.state, item.error) == ("indexed", None)
    assert len(web.asked) == 3
    assert await house.find("high water") == [HOST + "/tides"]


async def test_what_never_comes_ends_with_what_was_said_last(house: House, web: Web) -> None:
    web.failures["/tides"] = [503] * 99
    [item] = (await worked(house, web, queue_page(house, "/tides"))).values()

    assert (item.state, item.error.code, item.error.stage) == ("failed", "fetch_failed", "fetch")
    assert len(web.asked) == TRIES


async def test_a_stopped_process_leaves_what_it_fetches_to_the_next(
    house: House, web: Web, tmp_path: Path
) -> None:
    web.pages["/tides"] = TIDES
    web.failures["/tides"] = [503]
    job = queue_page(house, "/tides")
    working = asyncio.create_task(worker_of(house, web, backoff=3_600.0).run())
    async with asyncio.timeout(60):
        while house.library.jobs.items(job).data[0].error is None:
            await asyncio.sleep(0.05)
    [waiting] = house.library.jobs.items(job).data
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    house.library.close()
    house.library = Library.open(tmp_path / "library")
    [item] = (await worked(house, web, job)).values()

    assert (waiting.state, waiting.error.message[-15:]) == ("queued", "try again later")
    assert item.state == "indexed"


async def test_the_pages_of_a_site_are_items_of_the_crawl(house: House, web: Web) -> None:
    listed = "".join(f"<url><loc>{HOST}/{name}</loc></url>" for name in ("tides", "moon", "gone"))
    web.pages |= {"/map": f"<urlset>{listed}</urlset>", "/tides": TIDES, "/moon": "# Moon\n\nFull."}
    web.failures["/moon"] = [503]
    bounds = Bounds(delay=0.0)
    wanted = site_to_crawl(HOST + "/map", bounds, {"of": "harbor"})
    job = house.library.jobs.queue_fetch(house.within, wanted).job.id
    items = await worked(house, web, job)

    assert {key.removeprefix(HOST): item.state for key, item in items.items()} == {
        f"crawl:{HOST}/map": "visited",
        "/tides": "indexed",
        "/moon": "indexed",
        "/gone": "failed",
    }
    assert web.asked.count("/moon") == 2, "tried again by itself"
    found = house.library.documents.find_by_key(house.within, HOST + "/tides")
    assert found is not None
    assert found.attributes["of"] == "harbor"
    done = house.library.jobs.find(job)
    assert (done.items.total, done.items.done, done.items.failed) == (4, 3, 1)
