"""`rag restore`: a library from a backup."""

import os
from pathlib import Path

import click

from rag.cli import show
from rag.errors import InvalidRequest
from rag.settings import load_settings
from rag.storage.archives.backup import ON_POSTGRESQL
from rag.storage.archives.restore import Restored, restore
from rag.storage.database import is_shared

INDEXED = 1_000
"""Chunks of 80 words, a second, that the indexes are built of at the first start, on one core."""


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="RAG_DATA_DIR unless given.",
)
def command(file: Path, data_dir: Path | None) -> None:
    """Make a library of the backup FILE, in a new folder or one whose library is empty.

    Nothing is believed that does not agree with its sums, and nothing is in place before all of it
    is. The library gets an id of its own; its indexes are built at the first start.
    """
    settings = load_settings(os.environ)
    if data_dir is None and settings.database_url and is_shared(settings.database_url):
        raise InvalidRequest(ON_POSTGRESQL)
    folder = (data_dir or Path(settings.data_dir)).expanduser().resolve()
    with file.open("rb") as stream:
        restored = restore(stream, folder)
    _tell(restored, folder)


def _tell(restored: Restored, folder: Path) -> None:
    manifest = restored.manifest
    show.aside.print(
        f"{folder}: {manifest.documents} documents and {manifest.chunks} chunks as of"
        f" {manifest.created_at}",
        style="green",
    )
    show.aside.print(
        f"Its indexes are built at the first start: about {manifest.chunks // INDEXED + 1} s, in"
        " which it answers more slowly, and words are not found yet."
    )
    if restored.left_out:
        show.aside.print(
            f"{len(restored.left_out)} original files were lost before the backup was made:"
            " `rag check` says whose.",
            style="yellow",
        )
    if restored.waiting or restored.batches:
        show.aside.print(
            f"{restored.waiting} files were still to be read, and {restored.batches} batches were"
            " under way at a provider: this library goes on with them. Where the first one still"
            " runs, stop one of the two, or both pay for the same.",
            style="yellow",
        )
