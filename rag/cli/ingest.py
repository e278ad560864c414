"""`rag ingest`: files, folders, globs, or a list of them on standard input."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import Struct

from rag.cli import show
from rag.cli.batched import ingest_in_batches
from rag.cli.bulk import ingest_files
from rag.cli.door import Door, run
from rag.cli.foresight import foresee, show_estimate
from rag.cli.outcomes import write_report
from rag.domain import Lane
from rag.errors import InvalidRequest
from rag.sources.folder import Found, find

BATCH_TAKES = (
    "The provider's part comes within hours, a day at most. This may be interrupted, and run again:"
    " nothing is queued or paid twice."
)

EXIT_INCOMPLETE = 1
"""Some files are not in the collection; the others are."""


class Wish(Struct, frozen=True):
    """What the command line says."""

    collection: str
    lane: Lane
    report: Path | None
    as_json: bool
    quiet: bool


@click.command("ingest")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("-C", "--collection", default="default", show_default=True, help="Made if missing.")
@click.option(
    "--batch", is_flag=True, help="Buy OCR and embeddings in batches: half the price, in hours."
)
@click.option("--dry-run", is_flag=True, help="Only tell pages, tokens and prices.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="A JSON line per file."
)
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON on standard output.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def command(paths: tuple[str, ...], batch: bool, dry_run: bool, **said: Any) -> None:
    """Read files into a collection.

    A PATH is a file, a folder, a quoted glob, or - for a list of them on standard input. A file
    that is already there with the same bytes is left alone, a changed one replaces its old
    version once it is read, so running it again is safe and quick.

    With --dry-run nothing is kept or sent: it tells what there is to do, what it would cost, and
    what is known already. With --batch too, it tells the prices of the batch lane.

    With --batch the provider does its part in its own time, within a day, at half the price. The
    command waits for it; it may be interrupted, and run again: it then goes on where it was.

    Exit code 0: every file is in the collection; 1: some are not, and why is said; 2: nothing
    could be done.
    """
    files = list(find(_named(paths)))
    if not files:
        raise InvalidRequest(f"there is no file to read in {', '.join(paths)}")
    wish = Wish(lane="batch" if batch else "direct", **said)
    sys.exit(run(partial(_foresee if dry_run else _ingest, files, wish)))


async def _foresee(files: Sequence[Found], wish: Wish, door: Door) -> int:
    with show.progress_of(len(files), quiet=wish.quiet) as (told, _):
        found = await foresee(files, wish.collection, wish.lane, door, told=told)
    if wish.as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        show_estimate(found, wish.lane)
    return EXIT_INCOMPLETE if found.refused else 0


async def _ingest(files: Sequence[Found], wish: Wish, door: Door) -> int:
    ingest = ingest_in_batches if wish.lane == "batch" else ingest_files
    if wish.lane == "batch" and not wish.quiet:
        show.aside.print(BATCH_TAKES)
    with show.progress_of(len(files), quiet=wish.quiet) as (told, paused):
        done, outcomes = await ingest(files, wish.collection, door, told=told, paused=paused)
    if wish.report is not None:
        write_report(wish.report, outcomes)
    show.summary(done, outcomes)
    if wish.as_json:
        click.echo(msgspec.json.encode(done).decode())
    return 0 if done.complete else EXIT_INCOMPLETE


def _named(paths: tuple[str, ...]) -> list[str]:
    named: list[str] = []
    for path in paths:
        listed = (
            [line.rstrip("\n") for line in sys.stdin if line.strip()] if path == "-" else [path]
        )
        named += listed
    return named
