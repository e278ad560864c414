"""The schema's history and its tables say the same, and no newer library is touched."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from rag.errors import InvalidSettings, SchemaTooNew
from rag.storage.database import Database
from rag.storage.library import Library, sqlite_url
from rag.storage.migrating import folder, migrate, revisions
from rag.storage.tables import Row


def test_migrations_make_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    migrate(url)

    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Row.metadata) == []
        made = set(connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'index'")))
    engine.dispose()
    declared = {index.name for table in Row.metadata.sorted_tables for index in table.indexes}
    assert declared <= made


def test_a_revision_is_the_number_of_its_file() -> None:
    for revision in revisions():
        [path] = (folder() / "versions").glob(f"{revision}_*.py")
        assert f'revision = "{revision}"' in path.read_text()


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    first = migrate(sqlite_url(tmp_path))
    content = (tmp_path / "library.db").read_bytes()

    assert migrate(sqlite_url(tmp_path)) == first == revisions()[-1]
    assert (tmp_path / "library.db").read_bytes() == content


def test_a_newer_schema_is_refused_and_not_touched(tmp_path: Path) -> None:
    migrate(sqlite_url(tmp_path))
    database = Database(sqlite_url(tmp_path))
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    content = (tmp_path / "library.db").read_bytes()

    with pytest.raises(SchemaTooNew, match="schema 9999"):
        Library.open(tmp_path)
    with pytest.raises(SchemaTooNew):
        migrate(sqlite_url(tmp_path))
    assert (tmp_path / "library.db").read_bytes() == content


def test_a_step_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "migrations"
    (broken / "versions").mkdir(parents=True)
    (broken / "env.py").write_text((folder() / "env.py").read_text())
    [step] = (folder() / "versions").glob("0001_*.py")
    (broken / "versions" / step.name).write_text(
        step.read_text() + "    raise OSError('planted')\n"
    )
    monkeypatch.setattr("rag.storage.migrating.folder", lambda: broken)

    with pytest.raises(OSError, match="planted"):
        migrate(sqlite_url(tmp_path))
    database = Database(sqlite_url(tmp_path))
    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM sqlite_master")) == 0
    database.close()


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


@pytest.mark.parametrize("url", ["", "nonsense", "postgresql://localhost/x", "sqlite://"])
def test_a_url_that_is_not_a_sqlite_file_is_refused_with_an_example(
    tmp_path: Path, url: str
) -> None:
    with pytest.raises(InvalidSettings, match=r"sqlite:////path/library\.db"):
        migrate(url)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library.db").write_bytes(b"something else entirely" * 100)

    with pytest.raises(InvalidSettings, match="not a database"):
        Library.open(tmp_path)
