"""Money is spent only once somebody agreed to it."""

import sys
from collections.abc import Sequence
from decimal import Decimal

import click

from rag.cli import show
from rag.cli.door import Door
from rag.cli.foresight import foresee
from rag.cli.progress import progress_of
from rag.errors import InvalidRequest
from rag.settings import Settings
from rag.sources.found import Found


async def agreed_to_ingest(
    files: Sequence[Found],
    collection: str,
    settings: Settings,
    door: Door,
    *,
    yes: bool,
    quiet: bool,
) -> None:
    """Asks where reading or embedding these files is bought; what is known already costs nothing.

    Raises:
        InvalidRequest: nobody is there to be asked.
        click.Abort: it is not to be paid.
    """
    if "mistral" not in (settings.provider_of("ocr"), settings.provider_of("embedding")):
        return
    with progress_of(len(files), quiet=quiet, doing="estimating") as progress:
        found = await foresee(files, collection, "direct", door, told=progress.told)
    if found.usd.most:
        consent(f"Reading and embedding {len(files):,} files", found.usd.most, yes=yes)


def consent(what: str, most: Decimal, *, yes: bool) -> None:
    """
    Args:
        yes: whether that was answered already.

    Raises:
        InvalidRequest: nobody is there to be asked.
        click.Abort: it is not to be paid.
    """
    show.aside.print(f"{what} costs at most ${most:.4f}.")
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidRequest("this is paid for: add --yes")
    click.confirm("Go on?", abort=True, err=True)
