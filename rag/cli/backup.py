"""`rag backup`: a library in use, in one archive."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import httpx
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from rag.cli import show
from rag.cli.door import Refused, problem_of
from rag.errors import InvalidRequest, RagError
from rag.settings import Settings, load_settings
from rag.storage.archives.backup import ON_POSTGRESQL
from rag.storage.archives.restore import verify
from rag.storage.database import is_shared
from rag.storage.durable import aside_of, disk_failures_told, settle
from rag.storage.library import Library
from rag.storage.ownership import owner

PREPARING = 3600.0  # seconds; before its first byte a server copies its database


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--verify/--no-verify", "is_verified", default=True, show_default=True)
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def command(file: Path, is_verified: bool, quiet: bool) -> None:
    """Write everything that cannot be built again into FILE.

    It is one moment of the library; questions, ingestion and deletes go on. FILE appears when it
    is whole, on disk, and was read back; a former one is replaced then. It holds documents as they
    are now: one that is deleted later stays in it, for as long as you keep it. Read it with
    `rag restore`.
    """
    settings = load_settings(os.environ)
    if settings.database_url and is_shared(settings.database_url):
        raise InvalidRequest(ON_POSTGRESQL)
    aside = aside_of(file.absolute())
    try:
        with disk_failures_told():
            _write(aside, settings, quiet)
            if is_verified:
                with aside.open("rb") as written:
                    manifest, seal = verify(written)
                if seal.left_out:
                    show.aside.print(
                        f"{len(seal.left_out)} original files are missing from the library, and so"
                        " from its backup: `rag check` says whose",
                        style="yellow",
                    )
                show.aside.print(f"read back: {manifest.documents} documents", style="green")
            settle(aside, file.absolute())
    finally:
        aside.unlink(missing_ok=True)
    show.aside.print(f"{file}: {decimal(file.stat().st_size)}")


def _write(path: Path, settings: Settings, quiet: bool) -> None:
    columns = (TextColumn("writing"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with (
        _archive(settings) as chunks,
        path.open("xb") as file,
        Progress(*columns, console=show.aside, disable=quiet) as bar,
    ):
        task = bar.add_task("", total=None)
        for chunk in chunks:
            file.write(chunk)
            bar.advance(task, len(chunk))


@contextmanager
def _archive(settings: Settings) -> Iterator[Iterator[bytes]]:
    """From the server that has the library open, or from the library itself."""
    folder = Path(settings.data_dir).expanduser().resolve()
    address = owner(folder)
    if address is None:
        if not (folder / "library.db").exists():
            raise InvalidRequest(f"there is no library in {folder}")
        with Library.open(folder, min_free=settings.min_free_disk) as library:
            yield library.begin_backup().chunks()
        return
    try:
        with httpx.stream("GET", f"{address}/v1/backup", timeout=PREPARING) as response:
            if response.is_error:
                response.read()
                raise Refused(response.status_code, problem_of(response))
            yield response.iter_bytes()
    except httpx.TransportError as error:
        raise RagError(f"the server at {address} broke off: {error}") from error
