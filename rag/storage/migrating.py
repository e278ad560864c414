"""The schema's history, and bringing a database up to date with it."""

import re
from pathlib import Path

from sqlalchemy import Connection, inspect, text

import rag
from rag.errors import InvalidSettings, SchemaTooNew
from rag.storage.database import Database

_STEP = re.compile(r"(\d{4})_\w+\.py")


def migrate(database_url: str) -> str:
    """Brings a database to the schema of this code, and returns the revision it has then.

    Raises:
        SchemaTooNew: a newer version of the service wrote it; nothing was touched.
    """
    database = Database(database_url)
    try:
        return migrate_database(database)
    finally:
        database.close()


def migrate_database(database: Database) -> str:
    steps = revisions()
    with database.writer.connect() as connection:
        current = _revision(connection)
    if current == steps[-1]:
        return current
    if current is not None and current not in steps:
        raise SchemaTooNew(
            f"the library has schema {current}, and this version of rag knows {steps[-1]} and "
            "older; install the newer version that wrote it"
        )
    with database.writer.begin() as connection:
        _upgrade(connection)
    return steps[-1]


def revisions() -> tuple[str, ...]:
    """Known to this code, oldest first: a step's revision is the number its file begins with."""
    names = (_STEP.fullmatch(path.name) for path in (folder() / "versions").iterdir())
    return tuple(sorted(name.group(1) for name in names if name))


def folder() -> Path:
    """Where the steps are: beside the package in a checkout, inside it when installed."""
    package = Path(rag.__file__).parent
    for candidate in (package / "_migrations", package.parent / "migrations"):
        if (candidate / "env.py").is_file():
            return candidate
    raise InvalidSettings("this installation lacks its migrations; install the package again")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _upgrade(connection: Connection) -> None:
    # imported late: a quarter of a second, which only a library that is behind needs
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
