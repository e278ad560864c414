"""`rag crawl`: a website, or what its sitemap lists, into a collection."""

import asyncio
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import msgspec
from msgspec import Struct

from rag.cli import show
from rag.cli.bulk import UNDER_WAY, first_of, follow
from rag.cli.door import Door, run
from rag.cli.handing import Handing, known_documents
from rag.cli.outcomes import Outcome, Summary, Told, write_report
from rag.cli.parcels import Known
from rag.cli.progress import progress_of
from rag.domain import version_of
from rag.errors import FetchFailed, RagError
from rag.fetching import told_of
from rag.settings import Settings, load_settings
from rag.sources.web.crawling import MOST_PAGES, Bounds, Crawl, Visit
from rag.sources.web.fetching import Fetched, Fetcher, FetchLimits
from rag.sources.web.rules import rules_of

EXIT_INCOMPLETE = 1
"""As of `rag ingest`."""


class Wish(Struct, frozen=True):
    """What the command line says."""

    url: str
    collection: str
    report: Path | None
    as_json: bool
    quiet: bool


@click.command("crawl")
@click.argument("url")
@click.option("-C", "--collection", default="default", show_default=True, help="Made if missing.")
@click.option(
    "--pages",
    type=click.IntRange(1, MOST_PAGES),
    default=Bounds().pages,
    show_default=True,
    help="At most.",
)
@click.option(
    "--depth",
    type=click.IntRange(0, 100),
    default=Bounds().depth,
    show_default=True,
    help="Links from the first page.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, 24 * 60, min_open=True),
    default=Bounds().seconds / 60,
    show_default=True,
    help="At most.",
)
@click.option(
    "--delay",
    type=click.FloatRange(0, 60),
    default=Bounds().delay,
    show_default=True,
    help="Seconds between two pages, if robots.txt does not ask for more.",
)
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="A JSON line per page."
)
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON on standard output.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def command(pages: int, depth: int, minutes: float, delay: float, **said: Any) -> None:
    """Read a website into a collection.

    URL is a page, and what it links to on its host and below its folder is read too; or it is a
    sitemap, and what that lists on its host is read. What robots.txt asks is done. Pages that
    have not changed are left alone, so running it again is safe.

    Only the public internet is visited, unless RAG_FETCH_ALLOW names other hosts or networks.

    Exit code 0: every page is in the collection; 1: some are not, and why is said; 2: nothing
    could be done.
    """
    bounds = Bounds(pages=pages, depth=depth, seconds=minutes * 60, delay=delay)
    wish = Wish(**said)
    done = run(partial(_bring, bounds, wish, load_settings(os.environ)))
    if wish.as_json:
        click.echo(msgspec.json.encode(done).decode())
    sys.exit(0 if done.complete else EXIT_INCOMPLETE)


async def _bring(bounds: Bounds, wish: Wish, settings: Settings, door: Door) -> Summary:
    fetcher = Fetcher(
        rules_of(settings.fetch_allow, settings.fetch_ports),
        FetchLimits(settings.fetch_bytes, settings.fetch_seconds),
    )
    crawl = Crawl(wish.url, bounds, fetcher)
    outcomes: list[Outcome] = []
    try:
        with progress_of(bounds.pages, quiet=wish.quiet, doing="crawling") as progress:

            def told(outcome: Outcome) -> None:
                outcomes.append(outcome)
                progress.told(outcome)

            done = await ingest_site(crawl, wish.collection, door, told=told)
    finally:
        await fetcher.close()
        if wish.report is not None:
            write_report(wish.report, outcomes)
    show.summary(done, outcomes)
    if crawl.left:
        show.aside.print(
            f"{crawl.left:,} more addresses were found and not visited; --pages, --depth and"
            " --minutes say how far to go.",
            style="yellow",
        )
    return done


async def ingest_site(crawl: Crawl, collection: str, door: Door, *, told: Told) -> Summary:
    """Brings what a crawl finds into the collection, made if missing, as one job.

    Args:
        told: hears of each page as it ends.

    Raises:
        FetchFailed, AddressRefused, DocumentTooLarge: the first page cannot be fetched.
        RagError: the service refused something else, or does not answer.
    """
    began = perf_counter()
    known = await known_documents(collection, door)
    handing = Handing(collection, door, told, "direct")
    lanes = asyncio.Semaphore(UNDER_WAY)
    try:
        async with asyncio.TaskGroup() as group:
            async for visit in crawl.visits():
                await lanes.acquire()
                task = group.create_task(_take(visit, known, handing, door))
                task.add_done_callback(lambda _: lanes.release())
    except* RagError as failed:
        raise first_of(failed) from None
    return await handing.summary(perf_counter() - began)


async def _take(visit: Visit, known: Mapping[str, Known], handing: Handing, door: Door) -> None:
    key = str(visit.address)
    if visit.page is not None and _is_known(visit.page, known.get(key)):
        handing.hear(Outcome(key, "unchanged"))
    elif visit.page is not None:
        page = visit.page
        await follow(
            handing.hand_in_content(key, page.content, page.media_type, told_of(page)),
            handing,
            door,
        )
    elif visit.failure is not None:
        state = "failed" if isinstance(visit.failure, FetchFailed) else "refused"
        handing.hear(Outcome(key, state, visit.failure.code, str(visit.failure)))


def _is_known(page: Fetched, known: Known | None) -> bool:
    return known is not None and known.version == version_of(page.content)
