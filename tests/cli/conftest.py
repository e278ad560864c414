"""A served library for the commands that need one: started once for all tests of a file."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.wiring import Services
from tests.cli.serving import Commands, library_served

numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands remember hashes of files; not among those of whoever runs the tests."""
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with library_served(tmp_path_factory.mktemp("served") / "library") as services:
        yield services


@pytest.fixture
def rag(service: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    monkeypatch.setenv("RAG_DATA_DIR", service.settings.data_dir)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return Commands(tmp_path)


@pytest.fixture
def collection() -> str:
    """A name nobody has used."""
    return f"c{next(numbers)}"
