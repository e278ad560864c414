"""One process owns a library, and says where it can be asked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import LibraryInUse
from rag.storage.library import Library
from rag.storage.ownership import owner

OPEN = "import sys; from pathlib import Path; from rag.storage.library import Library; "


def run(code: str, data_dir: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", OPEN + code, str(data_dir)], capture_output=True, text=True
    )


def test_a_second_owner_is_refused_and_told_whom_to_ask(shelf, data_dir: Path) -> None:
    shelf.library.announce("http://127.0.0.1:8000")

    with pytest.raises(LibraryInUse, match=rf"process {os.getpid()}.* http://127.0.0.1:8000"):
        Library.open(data_dir)
    assert owner(data_dir) == "http://127.0.0.1:8000"


def test_another_process_is_refused_too(shelf, data_dir: Path) -> None:
    finished = run("Library.open(Path(sys.argv[1]))", data_dir)

    assert finished.returncode == 1
    assert f"LibraryInUse: the library in {data_dir} belongs to process" in finished.stderr


def test_asking_for_the_owner_does_not_disturb_it(shelf, data_dir: Path) -> None:
    assert owner(data_dir) is None  # it does not serve
    shelf.put("a", "still working")

    assert shelf.texts("working") == {"still working"}


def test_nobody_owns_a_closed_or_an_absent_library(open_shelf, data_dir: Path) -> None:
    assert owner(data_dir) is None
    library = open_shelf().library
    library.announce("http://127.0.0.1:8000")
    library.close()

    assert owner(data_dir) is None
    open_shelf()


def test_the_lock_of_a_process_that_died_is_free(data_dir: Path) -> None:
    code = "l = Library.open(Path(sys.argv[1])); l.announce('http://x'); import os; os._exit(9)"
    assert run(code, data_dir).returncode == 9

    assert owner(data_dir) is None
    Library.open(data_dir).close()


def test_only_the_owner_of_the_account_can_read_a_library(shelf, data_dir: Path) -> None:
    shelf.put("a", "private words")
    shelf.hits("private")

    assert data_dir.stat().st_mode & 0o777 == 0o700
    for path in data_dir.rglob("*"):
        if path.is_dir():
            assert path.stat().st_mode & 0o777 == 0o700, path
        elif "words-" not in path.parent.name:  # tantivy's own, within a private folder
            assert path.stat().st_mode & 0o777 == 0o600, path
