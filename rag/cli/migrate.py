"""`rag migrate`: the library's database, brought to this version's schema."""

import os
from pathlib import Path

import click

from rag.settings import load_settings
from rag.storage.library import sqlite_url
from rag.storage.migrating import migrate


@click.command("migrate")
def command() -> None:
    """Bring the library's database to this version's schema.

    `rag serve` and the other commands do the same when they open a library; this is for operators
    who want it as a step of its own. A schema newer than this version is refused and not touched.
    """
    settings = load_settings(os.environ)
    folder = Path(settings.data_dir).expanduser().resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    revision = migrate(settings.database_url or sqlite_url(folder))
    click.echo(f"{folder}: schema {revision}", err=True)
