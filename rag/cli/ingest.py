"""`rag ingest`: files, folders, globs, manifests, or a list of them on standard input."""

import importlib
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from rag.cli import show
from rag.cli.batched import ingest_in_batches
from rag.cli.bulk import ingest_files
from rag.cli.door import Door, run
from rag.cli.outcomes import Outcome, Summary, write_report
from rag.cli.progress import progress_of
from rag.cli.pruning import look_for_gone, remove
from rag.cli.watching import Looks, looks_of, watch
from rag.domain import Lane
from rag.errors import InvalidRequest, RagError
from rag.sources.folder import distinct, look
from rag.sources.found import Findings, joined
from rag.sources.hashes import Hashes, cache_file
from rag.sources.manifest import read_manifest
from rag.sources.patterns import Patterns
from rag.sources.walking import Choice

BATCH_TAKES = (
    "The provider's part comes within hours, a day at most. This may be interrupted, and run again:"
    " nothing is queued or paid twice."
)

EXIT_INCOMPLETE = 1
"""Some files are not in the collection; the others are."""


class Wish(Struct, frozen=True):
    """What the command line says."""

    paths: tuple[str, ...]
    manifests: tuple[Path, ...]
    choice: Choice
    collection: str
    lane: Lane
    prune: bool
    yes: bool
    rehash: bool
    report: Path | None
    as_json: bool
    quiet: bool


@click.command("ingest")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("-C", "--collection", default="default", show_default=True, help="Made if missing.")
@click.option(
    "--manifest",
    "manifests",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON lines with path or url, key, title and attributes. Repeatable.",
)
@click.option("--include", multiple=True, metavar="PATTERN", help="Only these. Repeatable.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Not these. Repeatable.")
@click.option("--hidden", is_flag=True, help="Files and folders with a leading dot too.")
@click.option(
    "--batch", is_flag=True, help="Buy OCR and embeddings in batches: half the price, in hours."
)
@click.option("--dry-run", is_flag=True, help="Only tell pages, tokens and prices.")
@click.option("--prune", is_flag=True, help="Remove documents whose files are gone; asks first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--rehash", is_flag=True, help="Read every file, whatever its times say.")
@click.option("--watch", "watching", is_flag=True, help="Go on, and take what changes.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="A JSON line per file."
)
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON on standard output.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def command(
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    hidden: bool,
    batch: bool,
    dry_run: bool,
    watching: bool,
    **said: Any,
) -> None:
    """Read files into a collection.

    A PATH is a file, a folder, a quoted glob, the address of a web page, or - for a list of them
    on standard input. A file that is already there with the same bytes is left alone, a changed
    one replaces its old version once it is read, so running it again, also after an interruption,
    is safe and quick. Whole websites are read by `rag crawl`.

    Patterns are written as in a .gitignore. Hidden files, and folders of tools and of version
    control, are left out; links are not followed out of their folder.

    With --dry-run nothing is kept or sent: it tells what there is to do, what it would cost, and
    what is known already. With --batch too, it tells the prices of the batch lane.

    With --batch the provider does its part in its own time, within a day, at half the price. The
    command waits for it; it may be interrupted, and run again: it then goes on where it was.

    With --prune, documents that came from the same folders or manifests, and whose files are
    gone, are removed.

    Exit code 0: every file is in the collection; 1: some are not, and why is said; 2: nothing
    could be done.
    """
    choice = Choice(Patterns(include), Patterns(exclude), hidden)
    wish = Wish(choice=choice, lane="batch" if batch else "direct", **said)
    _check(wish, dry_run=dry_run, watching=watching)
    wish = replace(wish, paths=_named(wish.paths))
    findings = _look(wish)
    if not wish.quiet:
        show.left_out(findings.left_out)
    if not (findings.files or findings.addresses or findings.troubles or watching):
        raise InvalidRequest(f"there is no file to read in {', '.join(_names(wish))}")
    if dry_run:
        sys.exit(run(partial(_foresee, findings, wish)))
    outcomes: dict[str, Outcome] = {}
    before = looks_of(findings)
    try:
        code = _bring(findings, wish, outcomes)
        if watching:
            _watch(before, wish, outcomes)
    except KeyboardInterrupt:
        show.interrupted(outcomes.values(), len(findings.sought))
        code = EXIT_INCOMPLETE
    sys.exit(code)


def _check(wish: Wish, *, dry_run: bool, watching: bool) -> None:
    """
    Raises:
        InvalidRequest: the options contradict one another.
    """
    if not wish.paths and not wish.manifests:
        raise InvalidRequest("give a PATH, or a --manifest: there is nothing to read")
    if watching and (dry_run or wish.lane == "batch" or "-" in wish.paths):
        raise InvalidRequest("--watch goes with neither --dry-run nor --batch nor a list on -")
    if wish.prune and not (wish.yes or dry_run) and (watching or not sys.stdin.isatty()):
        raise InvalidRequest("--prune cannot ask here: add --yes, or --dry-run to see only")


def _names(wish: Wish) -> list[str]:
    return [*wish.paths, *map(str, wish.manifests)]


def _named(paths: tuple[str, ...]) -> tuple[str, ...]:
    named: list[str] = []
    for path in paths:
        listed = (
            [line.rstrip("\n") for line in sys.stdin if line.strip()] if path == "-" else [path]
        )
        named += listed
    return tuple(named)


def _look(wish: Wish) -> Findings:
    found = look(wish.paths, wish.choice)
    return distinct(joined([found, *map(read_manifest, wish.manifests)]))


async def _foresee(findings: Findings, wish: Wish, door: Door) -> int:
    foresight = importlib.import_module("rag.cli.foresight")  # engines, that a run needs not
    with progress_of(len(findings.files), quiet=wish.quiet, doing="looking") as progress:
        found = await foresight.foresee(
            findings.files, wish.collection, wish.lane, door, told=progress.told
        )
    if wish.as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        foresight.show_estimate(found, wish.lane)
    show.troubles(findings.troubles, len(findings.addresses))
    if wish.prune:
        pruning = await look_for_gone(findings, wish.collection, door)
        show.pruning(pruning, would=True)
    return EXIT_INCOMPLETE if found.refused or findings.troubles else 0


def _bring(findings: Findings, wish: Wish, outcomes: dict[str, Outcome]) -> int:
    """Ingests, and prunes; keeps in `outcomes` how each file ended, and in the report all of them.

    Returns:
        The exit code.
    """
    try:
        with Hashes(cache_file(), anew=wish.rehash) as hashes:
            done = run(partial(_ingest, findings, wish, hashes, outcomes))
    finally:
        if wish.report is not None:
            write_report(wish.report, outcomes.values())
    if wish.as_json:
        click.echo(msgspec.json.encode(done).decode())
    return 0 if done.complete else EXIT_INCOMPLETE


async def _ingest(
    findings: Findings, wish: Wish, hashes: Hashes, outcomes: dict[str, Outcome], door: Door
) -> Summary:
    ingest = ingest_in_batches if wish.lane == "batch" else ingest_files
    if wish.lane == "batch" and not wish.quiet:
        show.aside.print(BATCH_TAKES)
    sought = findings.sought
    with progress_of(len(sought) + len(findings.troubles), quiet=wish.quiet) as progress:

        def told(outcome: Outcome) -> None:
            outcomes[outcome.key] = outcome
            progress.told(outcome)

        for each in findings.troubles:
            told(Outcome(each.key, each.state, each.code, each.reason))
        done, _ = await ingest(
            sought,
            wish.collection,
            door.patient(progress.paused),
            told=told,
            paused=progress.paused,
            spent=progress.spent,
            under_way=progress.under_way,
            hashes=hashes,
        )
    done = done.with_troubles(findings.troubles)
    if wish.prune:
        removed = await _prune(findings, wish, door)
        outcomes.update({each.key: each for each in removed})
        done = replace(done, removed=len(removed))
    if hashes.flaw and not wish.quiet:
        show.aside.print(hashes.flaw, style="yellow")
    ours = {each.key for each in sought} | {each.key for each in findings.troubles}
    show.summary(done, [each for each in outcomes.values() if each.key in ours])
    return done


async def _prune(findings: Findings, wish: Wish, door: Door) -> Sequence[Outcome]:
    pruning = await look_for_gone(findings, wish.collection, door)
    show.pruning(pruning)
    if not pruning.gone:
        return []
    if not wish.yes and not click.confirm(f"Remove {len(pruning.gone):,}?", err=True):
        show.aside.print("They stay.")
        return []
    return await remove(pruning.gone, door)


def _watch(before: Looks, wish: Wish, outcomes: dict[str, Outcome]) -> None:
    show.aside.print("Watching; Ctrl+C stops.", style="green")

    def looked() -> Findings | None:
        try:
            return _look(wish)
        except InvalidRequest as error:  # a folder that is away for a moment
            show.aside.print(f"{error}", style="yellow")
            return None

    def acted(found: Findings) -> bool:
        try:
            _bring(found, wish, outcomes)
        except RagError as error:
            show.aside.print(f"rag: {error}; trying again", style="red")
            return False
        return True

    watch(looked, acted, before)
