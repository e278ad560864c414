"""The schema's history and its tables say the same, and no newer library is touched."""

import shutil
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from rag.errors import InvalidSettings, SchemaTooNew
from rag.storage.database import Database
from rag.storage.library import Library, sqlite_url
from rag.storage.migrating import folder, migrate, revisions
from rag.storage.tables import Row


@pytest.fixture
def url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Of a database without any tables."""
    if backend == "sqlite":
        return sqlite_url(tmp_path)
    bare: str = request.getfixturevalue("bare_postgres_url")
    return bare


def everything(url: str) -> dict[str, list[tuple[object, ...]]]:
    """All tables and their rows."""
    database = Database(url)
    with database.read() as session:
        tables = inspect(session.connection()).get_table_names()
        rows = {
            name: [tuple(row) for row in session.execute(text(f'SELECT * FROM "{name}"'))]
            for name in tables
        }
    database.close()
    return rows


def differences(url: str) -> list[object]:
    """Between the database and the tables of the code."""
    database = Database(url)
    with database.migrating() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found: list[object] = list(compare_metadata(context, Row.metadata))
        made = {
            index["name"]
            for table in Row.metadata.tables
            for index in inspect(connection).get_indexes(table)
        }
    database.close()
    declared = {index.name for table in Row.metadata.sorted_tables for index in table.indexes}
    return found + sorted(declared - made)


def test_migrations_make_exactly_the_tables_of_the_code(url: str) -> None:
    migrate(url)

    assert differences(url) == []


@pytest.mark.parametrize("step", revisions()[:-1])
def test_every_earlier_schema_becomes_the_same(url: str, step: str) -> None:
    database = Database(url)
    with database.migrating() as connection:
        config = Config()
        config.set_main_option("script_location", str(folder()))
        config.attributes["connection"] = connection
        command.upgrade(config, step)
    database.close()

    assert migrate(url) == revisions()[-1]
    assert differences(url) == []


@pytest.mark.postgres
def test_all_text_is_compared_by_code_points(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.read() as session:
        otherwise = session.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns"
                " WHERE table_schema = current_schema() AND collation_name IS DISTINCT FROM 'C'"
                " AND data_type IN ('text', 'character varying')"
            )
        ).all()
    database.close()

    assert otherwise == []


def test_a_revision_is_the_number_of_its_file() -> None:
    for revision in revisions():
        [path] = (folder() / "versions").glob(f"{revision}_*.py")
        assert f'revision = "{revision}"' in path.read_text()


def test_migrating_twice_changes_nothing(url: str) -> None:
    first = migrate(url)
    content = everything(url)

    assert migrate(url) == first == revisions()[-1]
    assert everything(url) == content


def test_processes_that_start_together_migrate_once(url: str) -> None:
    ended: list[str] = []
    starts = [threading.Thread(target=lambda: ended.append(migrate(url))) for _ in range(4)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()

    assert ended == [revisions()[-1]] * 4
    assert differences(url) == []


def test_a_newer_schema_is_refused_and_not_touched(url: str, tmp_path: Path) -> None:
    migrate(url)
    database = Database(url)
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    content = everything(url)
    files = {path: path.read_bytes() for path in tmp_path.glob("library.db*")}

    with pytest.raises(SchemaTooNew, match="schema 9999"):
        Library.open(tmp_path, database_url=url)
    with pytest.raises(SchemaTooNew):
        migrate(url)
    assert {path: path.read_bytes() for path in tmp_path.glob("library.db*")} == files
    assert everything(url) == content


def test_a_step_that_fails_leaves_nothing_behind(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "migrations"
    shutil.copytree(folder(), broken, ignore=shutil.ignore_patterns("__pycache__"))
    last = sorted((broken / "versions").glob("*.py"))[-1]
    last.write_text(last.read_text().replace("def upgrade() -> None:\n", PLANTED))
    monkeypatch.setattr("rag.storage.migrating.folder", lambda: broken)

    with pytest.raises(OSError, match="planted"):
        migrate(url)
    assert everything(url) == {}


PLANTED = """def upgrade() -> None:
    upgrade_what_there_is()
    raise OSError("planted")


def upgrade_what_there_is() -> None:
"""


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_settings_of_every_connection_are_the_safe_ones(shelf) -> None:
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "mmap_size": 0,
    }
    database = shelf.library._database
    for session_of, more in (
        (database.write, {"query_only": 0, "wal_autocheckpoint": 1_000}),
        (database.read, {"query_only": 1, "wal_autocheckpoint": 0}),
    ):
        with session_of() as session:
            for name, value in {**expected, **more}.items():
                assert session.scalar(text(f"PRAGMA {name}")) == value, name


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://localhost/x", "sqlite://"])
def test_a_url_that_is_not_a_databases_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(InvalidSettings, match=r"sqlite:////path/library\.db"):
        migrate(url)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library.db").write_bytes(b"something else entirely" * 100)

    with pytest.raises(InvalidSettings, match="not a database"):
        Library.open(tmp_path)
