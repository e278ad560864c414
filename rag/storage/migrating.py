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
    """Several processes may start together: one migrates, and the others find it done."""
    steps = revisions()
    with database.read() as session:
        if not _is_behind(session.connection(), steps):
            return steps[-1]
    with database.migrating() as connection:
        if _is_behind(connection, steps):
            _upgrade(connection)
            _compare_text_by_bytes(connection)
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


def _is_behind(connection: Connection, steps: tuple[str, ...]) -> bool:
    """
    Raises:
        SchemaTooNew: it is ahead.
    """
    current = _revision(connection)
    if current is not None and current not in steps:
        raise SchemaTooNew(
            f"the library has schema {current}, and this version of rag knows {steps[-1]} and "
            "older; install the newer version that wrote it"
        )
    return current != steps[-1]


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


def _compare_text_by_bytes(connection: Connection) -> None:
    """Lists and cursors go by code points on SQLite. PostgreSQL goes by the language of its
    installation unless a column says otherwise; no step has to remember to."""
    if connection.dialect.name != "postgresql":
        return
    columns = connection.execute(_OTHERWISE_COMPARED).all()
    for table in sorted({table for table, _ in columns}):
        changes = ", ".join(
            f'ALTER "{name}" TYPE {kind} COLLATE "C"'
            for owner, (name, kind) in columns
            if owner == table
        )
        connection.execute(text(f'ALTER TABLE "{table}" {changes}'))


_OTHERWISE_COMPARED = text(
    """
    SELECT owner.relname, ARRAY[of_it.attname, format_type(of_it.atttypid, of_it.atttypmod)]
    FROM pg_attribute of_it
    JOIN pg_class owner ON owner.oid = of_it.attrelid AND owner.relkind = 'r'
    JOIN pg_namespace place ON place.oid = owner.relnamespace
    JOIN pg_collation compared ON compared.oid = of_it.attcollation
    WHERE place.nspname = current_schema() AND of_it.attnum > 0
      AND NOT of_it.attisdropped AND compared.collname <> 'C'
    ORDER BY owner.relname, of_it.attnum
    """
)
