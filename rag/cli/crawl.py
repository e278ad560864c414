"""`rag crawl`: a website, or what its sitemap lists, into a collection."""

import sys
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import msgspec
from msgspec import Struct

from rag.cli import show
from rag.cli.door import Door, run
from rag.cli.handing import Handing, ensure_collection
from rag.cli.outcomes import Outcome, Summary, Told, summary_of, write_report
from rag.cli.progress import progress_of
from rag.errors import FetchFailed
from rag.sources.web.crawling import MOST_PAGES, Bounds

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

    The service visits the site, as a job: this command may be interrupted. Only the public internet
    is visited, unless the service's RAG_FETCH_ALLOW names other hosts or networks.

    Exit code 0: every page is in the collection; 1: some are not, and why is said; 2: nothing
    could be done.
    """
    bounds = Bounds(pages=pages, depth=depth, seconds=minutes * 60, delay=delay)
    wish = Wish(**said)
    done = run(partial(_bring, bounds, wish))
    if wish.as_json:
        click.echo(msgspec.json.encode(done).decode())
    sys.exit(0 if done.complete else EXIT_INCOMPLETE)


async def _bring(bounds: Bounds, wish: Wish, door: Door) -> Summary:
    outcomes: list[Outcome] = []
    try:
        with progress_of(bounds.pages, quiet=wish.quiet, doing="crawling") as progress:

            def told(outcome: Outcome) -> None:
                outcomes.append(outcome)
                progress.told(outcome)

            done, left = await ingest_site(wish.url, bounds, wish.collection, door, told=told)
    finally:
        if wish.report is not None:
            write_report(wish.report, outcomes)
    show.summary(done, outcomes)
    if left:
        show.aside.print(f"{left}.", style="yellow")
    return done


async def ingest_site(
    url: str, bounds: Bounds, collection: str, door: Door, *, told: Told
) -> tuple[Summary, str | None]:
    """Has the service bring a site into the collection, made if missing, as one job.

    Args:
        told: hears of each page as it ends.

    Returns:
        Also what was left out, in words.

    Raises:
        FetchFailed: the first page cannot be fetched.
        RagError: the service refused something else, or does not answer.
    """
    began = perf_counter()
    await ensure_collection(collection, door)
    handing = Handing(collection, door, told, "direct")
    key = await handing.hand_in_site(url, msgspec.to_builtins(bounds))
    site = await handing.hear_of_site(key)
    said = site["error"]["message"] if site.get("error") else None
    if site["state"] != "visited" and not handing.outcomes:
        raise FetchFailed(said or f"the crawl was {site['state']}")
    seconds = perf_counter() - began
    read = sum(outcome.state == "indexed" for outcome in handing.outcomes)
    done = summary_of(collection, handing.outcomes, await handing.saved(), seconds, read)
    return done, said
