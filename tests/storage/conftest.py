"""A library in a temporary folder, filled with one-line documents."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.storage.database import Database
from rag.storage.library import Library, sqlite_url
from rag.storage.migrating import migrate
from rag.storage.ownership import node_of_folder
from tests.storage.shelves import DIMENSION, Shelf


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database with all its tables and nothing in them: making one takes a while."""
    folder = tmp_path_factory.mktemp("migrated")
    migrate(sqlite_url(folder))
    return (folder / "library.db").read_bytes()


@pytest.fixture
def open_shelf(
    data_dir: Path, database_url: str | None, request: pytest.FixtureRequest
) -> Iterator[Callable[[], Shelf]]:
    """Opens the library, or opens it again: what was open is closed first."""
    opened: list[Library] = []
    data_dir.mkdir(mode=0o700)
    if database_url is None:
        (data_dir / "library.db").touch(mode=0o600)
        (data_dir / "library.db").write_bytes(request.getfixturevalue("migrated"))

    def shelf() -> Shelf:
        while opened:
            opened.pop().close()
        library = Library.open(data_dir, database_url=database_url)
        opened.append(library)
        if not library.collections.list().data:
            library.collections.create(
                "notes", embedding_model="words", dimension=DIMENSION, chunk_tokens=256
            )
        return Shelf(library, library.collections.find("notes"))

    yield shelf
    while opened:
        opened.pop().close()


@pytest.fixture
def shelf(open_shelf: Callable[[], Shelf]) -> Shelf:
    return open_shelf()


@pytest.fixture
def wordy_shelf(shelf: Shelf) -> Shelf:
    """A collection without a model."""
    collection = shelf.library.collections.create(
        "wordy", embedding_model=None, dimension=None, chunk_tokens=256
    )
    return Shelf(shelf.library, collection)


@pytest.fixture
def open_database(data_dir: Path, database_url: str | None) -> Callable[[], Database]:
    """Opens the closed library's database, as its owner would."""

    def opened() -> Database:
        if database_url is None:
            return Database(sqlite_url(data_dir))
        return Database(database_url, node=node_of_folder(data_dir))

    return opened
