"""`rag ingest`: files, folders, globs, or a list of them on standard input."""

import sys
from pathlib import Path

import click
import msgspec

from rag.cli import show
from rag.cli.batched import ingest_in_batches
from rag.cli.bulk import ingest_files, write_report
from rag.cli.door import Door, run
from rag.cli.foresight import foresee, show_estimate
from rag.errors import InvalidRequest
from rag.sources.folder import find

BATCH_TAKES = (
    "The provider's part comes within hours, a day at most. This may be interrupted, and run again:"
    " nothing is queued or paid twice."
)

EXIT_INCOMPLETE = 1
"""Some files are not in the collection; the others are."""


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
def command(
    paths: tuple[str, ...],
    collection: str,
    batch: bool,
    dry_run: bool,
    report: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Read files into a collection.

    A PATH is a file, a folder, a quoted glob, or - for a list of them on standard input. A file
    that is already there with the same bytes is left alone, a changed one replaces its old
    version once it is read, so running it again is safe and quick.

    With --dry-run nothing is kept or sent: it tells what there is to do, and what it would cost
    on the direct lane; the batch lane halves that.

    With --batch the provider does its part in its own time, within a day, at half the price. The
    command waits for it; it may be interrupted, and run again: it then goes on where it was.

    Exit code 0: every file is in the collection; 1: some are not, and why is said; 2: nothing
    could be done.
    """
    files = list(find(_named(paths)))
    if not files:
        raise InvalidRequest(f"there is no file to read in {', '.join(paths)}")

    if batch and not quiet:
        show.aside.print(BATCH_TAKES)

    async def look(door: Door) -> int:
        with show.progress_of(len(files), quiet=quiet) as (told, _):
            found = await foresee(files, collection, door, told=told)
        if as_json:
            click.echo(msgspec.json.encode(found).decode())
        else:
            show_estimate(found)
        return EXIT_INCOMPLETE if found.refused else 0

    async def work(door: Door) -> int:
        with show.progress_of(len(files), quiet=quiet) as (told, paused):
            ingest = ingest_in_batches if batch else ingest_files
            done, outcomes = await ingest(files, collection, door, told=told, paused=paused)
        if report is not None:
            write_report(report, outcomes)
        show.summary(done, outcomes)
        if as_json:
            click.echo(msgspec.json.encode(done).decode())
        return 0 if done.complete else EXIT_INCOMPLETE

    sys.exit(run(look if dry_run else work))


def _named(paths: tuple[str, ...]) -> list[str]:
    named: list[str] = []
    for path in paths:
        listed = (
            [line.rstrip("\n") for line in sys.stdin if line.strip()] if path == "-" else [path]
        )
        named += listed
    return named
