"""`rag migrate`: the library's database, brought to this version's schema."""

import os
from pathlib import Path

import click

from rag.settings import load_settings
from rag.storage.migrate import migrate


@click.command("migrate")
def command() -> None:
    """Bring the library's database to this version's schema.

    `rag serve` and the other commands do the same when they open a library; this is for operators
    who want it as a step of its own. A schema newer than this version is refused and not touched.
    """
    settings = load_settings(os.environ)
    folder = Path(settings.data_dir).expanduser().resolve()
    before, after = migrate(folder, database_url=settings.database_url)
    click.echo(f"schema {after} (was {before or 'none'})", err=True)
