"""One process owns a library, and says where it can be asked."""

import errno
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from rag.errors import LibraryInUse, OutOfSpace
from rag.storage import ownership
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


def test_a_stopped_owner_keeps_its_library(data_dir: Path, open_shelf) -> None:
    """Nobody takes it over meanwhile, so that when it goes on it finds all as it left it."""
    code = "l = Library.open(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", OPEN + code, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(LibraryInUse, match=f"process {process.pid}"):
            Library.open(data_dir)
    finally:
        process.send_signal(signal.SIGCONT)
        process.communicate()
    assert process.returncode == 0


def test_where_the_lock_lies_the_former_owner_can_write_no_more(
    open_shelf, data_dir: Path, database_url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on some network file systems: two processes believe that they own the folder."""
    former = open_shelf()
    former.put("a", "some words")
    monkeypatch.setattr(ownership, "_locked", lambda *_: True)
    with Library.open(data_dir, database_url=database_url) as library:
        with pytest.raises(LibraryInUse, match="taken over"):
            former.put("b", "other words")
        with pytest.raises(LibraryInUse, match="taken over"):
            former.library.collections.delete(former.collection.id)

        assert library.documents.versions_by_key(former.collection).keys() == {"a"}
        library.collections.create("mine", embedding_model=None, dimension=None, chunk_tokens=256)
    with suppress(LibraryInUse):  # it cannot note down what it would save
        former.library.close()


def test_a_full_disk_is_told_in_words_and_the_folder_stays_free(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    data_dir.mkdir()
    held = ownership.take_ownership(data_dir)
    monkeypatch.setattr(ownership.os, "ftruncate", full)
    held.release()
    with pytest.raises(OutOfSpace):
        ownership.take_ownership(data_dir)
    monkeypatch.undo()
    ownership.take_ownership(data_dir).release()
