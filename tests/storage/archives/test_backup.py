"""A backup is one moment of a library in use, and a library again elsewhere."""

import io
import sqlite3
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.domain import Source
from rag.errors import (
    BackupRefused,
    Conflict,
    LibraryInUse,
    NotFound,
    OutOfSpace,
    RagError,
    SchemaTooNew,
)
from rag.storage.archives import restore as restoring
from rag.storage.archives.format import TRAILER, note
from rag.storage.archives.restore import restore, verify
from rag.storage.library import Library
from rag.storage.queueing import ToFetch
from tests.storage.shelves import Shelf, only_postgres, only_sqlite

ANSWER = {"red fox", "blue whale"}


@pytest.fixture
def archive(shelf: Shelf) -> bytes:
    shelf.put("a", "red fox", letter="a")
    shelf.put("b", "blue whale")
    shelf.put("gone", "dodo")
    shelf.library.documents.delete(shelf.library.documents.find_by_key(shelf.collection, "gone").id)
    return backup_of(shelf.library)


def backup_of(library: Library) -> bytes:
    return b"".join(library.begin_backup().chunks())


def opened(folder: Path) -> Shelf:
    library = Library.open(folder)
    return Shelf(library, library.collections.find("notes"))


@only_sqlite
def test_what_is_still_to_be_fetched_is_fetched_by_the_restored_library(
    shelf: Shelf, tmp_path: Path
) -> None:
    page = ToFetch("example.org/a", "https://example.org/a")
    job = shelf.library.jobs.queue_fetch(shelf.collection, page).job.id
    restore(io.BytesIO(backup_of(shelf.library)), tmp_path / "second")
    second = opened(tmp_path / "second")

    assert [item.state for item in second.library.jobs.items(job).data] == ["queued"]
    assert second.library.checkup.run().flaws == ()
    second.library.close()


@only_sqlite
def test_a_restored_library_answers_like_the_first(
    shelf: Shelf, archive: bytes, tmp_path: Path
) -> None:
    restored = restore(io.BytesIO(archive), tmp_path / "second")
    second = opened(tmp_path / "second")

    assert (restored.manifest.documents, restored.left_out) == (2, ())
    assert second.texts("red fox blue whale dodo") == ANSWER
    for key in ("a", "b"):
        summary = shelf.library.documents.find_by_key(shelf.collection, key)
        assert second.library.documents.find_by_key(second.collection, key) == summary
        assert second.library.documents.content(summary.id) == shelf.library.documents.content(
            summary.id
        )
    assert second.library.checkup.run().flaws == ()
    assert b"dodo" not in archive
    second.library.close()


@only_sqlite
def test_a_restored_library_is_another_one(shelf: Shelf, archive: bytes, tmp_path: Path) -> None:
    """Files derived from one must not be taken for the other's."""
    restore(io.BytesIO(archive), tmp_path / "second")
    second = opened(tmp_path / "second")

    assert second.library.id != shelf.library.id
    second.library.close()


@only_sqlite
def test_nothing_is_left_of_a_backup_but_the_archive(shelf: Shelf, archive: bytes) -> None:
    assert not (shelf.library.data_dir / "backup").exists()
    assert len(backup_of(shelf.library)) == len(archive)


@only_sqlite
def test_what_a_dead_process_left_of_a_backup_is_removed(
    open_shelf: Callable[[], Shelf], data_dir: Path
) -> None:
    shelf = open_shelf()
    gone = shelf.put("a", "red fox")
    kept = shelf.library.begin_backup()
    shelf.library.documents.delete(gone.id)
    assert (data_dir / "backup").is_dir()
    assert gone.version in set(shelf.library._blobs.all())
    kept._is_open = False  # as a process that was killed
    shelf = open_shelf()

    assert not (data_dir / "backup").exists()
    assert list(shelf.library._blobs.all()) == []


@only_sqlite
def test_one_backup_at_a_time(shelf: Shelf) -> None:
    first = shelf.library.begin_backup()
    with pytest.raises(Conflict, match="is being made"):
        shelf.library.begin_backup()
    del first

    shelf.library.begin_backup().close()


@only_sqlite
def test_what_is_deleted_while_the_archive_is_written_is_in_it_whole(
    shelf: Shelf, tmp_path: Path
) -> None:
    summary = shelf.put("a", "red fox")
    backup = shelf.library.begin_backup()
    shelf.library.documents.delete(summary.id)
    shelf.put("b", "blue whale")
    with pytest.raises(NotFound):
        shelf.library.documents.content(summary.id)
    restore(io.BytesIO(b"".join(backup.chunks())), tmp_path / "second")
    second = opened(tmp_path / "second")

    assert second.texts("red fox blue whale") == {"red fox"}
    assert second.library.documents.content(summary.id)[0] == b"red fox"
    deadline = time.monotonic() + 20
    while summary.version in set(shelf.library._blobs.all()):  # removed when the archive is done
        assert time.monotonic() < deadline
        time.sleep(0.02)
    second.library.close()


@only_sqlite
def test_a_backup_under_load_is_a_prefix_of_what_was_acknowledged(
    shelf: Shelf, tmp_path: Path
) -> None:
    """Documents come and go in one order; each backup holds what some moment of it had."""
    moments: list[frozenset[str]] = [frozenset()]
    ending = threading.Event()

    def write() -> None:
        held: list[str] = []
        for n in range(400):
            if ending.is_set():
                return
            if n % 3 == 2:
                gone = shelf.library.documents.find_by_key(shelf.collection, held.pop(0))
                shelf.library.documents.delete(gone.id)
            else:
                held.append(f"{n}")
                shelf.put(f"{n}", f"number {n}")
            moments.append(frozenset(held))

    writing = threading.Thread(target=write)
    writing.start()
    found = []
    for n in range(4):
        known = len(moments)
        archive = backup_of(shelf.library)
        restore(io.BytesIO(archive), tmp_path / f"{n}")
        copy = opened(tmp_path / f"{n}")
        found.append((known, frozenset(copy.library.documents.versions_by_key(copy.collection))))
        assert copy.library.checkup.run().flaws == ()
        copy.library.close()
    ending.set()
    writing.join()

    for known, keys in found:
        assert keys in moments[known - 1 :]  # nothing acknowledged before it began is missing


@only_sqlite
def test_a_lost_or_damaged_original_does_not_spoil_the_backup(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put("lost", "red fox")
    shelf.put("damaged", "blue whale")
    shelf.put("sound", "white hare")
    lost, damaged = (
        shelf.library._blobs._path(
            shelf.library.documents.find_by_key(shelf.collection, key).version
        )
        for key in ("lost", "damaged")
    )
    lost.unlink()
    damaged.write_bytes(b"BLUE WHALE")

    restored = restore(io.BytesIO(backup_of(shelf.library)), tmp_path / "second")
    assert len(restored.left_out) == 2
    assert restored.manifest.documents == 3


@only_sqlite
def test_a_backup_waits_for_room(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf.library._space, "_free", lambda _: 1000)
    with pytest.raises(OutOfSpace):
        shelf.library.begin_backup()
    monkeypatch.undo()

    shelf.library.begin_backup().close()


@only_postgres
def test_postgresql_is_backed_up_with_its_own_tools(shelf: Shelf) -> None:
    with pytest.raises(Conflict, match="pg_dump"):
        shelf.library.begin_backup()


# --- restoring -----------------------------------------------------------------------------------


@only_sqlite
def test_every_cut_is_noticed(archive: bytes, tmp_path: Path) -> None:
    size = len(archive)
    for length in {
        0,
        1,
        511,
        512,
        1500,
        size // 3,
        size // 2,
        size - 3000,
        size - 1025,
        size - 1024,
    }:
        with pytest.raises(BackupRefused):
            restore(io.BytesIO(archive[:length]), tmp_path / "second")
    assert left_in(tmp_path / "second") == set()


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"lock"}


@only_sqlite
def test_every_flipped_bit_of_content_is_noticed(archive: bytes) -> None:
    """Padding and unused fields of headers say nothing, and are not believed either."""
    sound = verify(io.BytesIO(archive))
    unnoticed = 0
    for place in range(0, len(archive), max(1, len(archive) // 300)):
        altered = bytearray(archive)
        altered[place] ^= 1 << place % 8
        try:
            assert verify(io.BytesIO(bytes(altered))) == sound
            unnoticed += 1
        except (RagError, SchemaTooNew):
            continue
    assert unnoticed < 30


def tar_of(*members: tarfile.TarInfo, after: bytes = b"") -> io.BytesIO:
    content = after
    for member in members:
        content += member.tobuf(tarfile.GNU_FORMAT)
    return io.BytesIO(content + TRAILER)


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@only_sqlite
@pytest.mark.parametrize(
    "hostile",
    [
        member("../../etc/passwd"),
        member("/etc/passwd"),
        member("blobs/../../x"),
        member("blobs/" + "a" * 63 + "/"),
        member("other.txt"),
        member("blobs/" + "a" * 64, tarfile.SYMTYPE, "/etc/passwd"),
        member("blobs/" + "a" * 64, tarfile.LNKTYPE, "library.db"),
        member("blobs/" + "a" * 64, tarfile.CHRTYPE),
        member("blobs/" + "a" * 64, tarfile.FIFOTYPE),
        member("blobs", tarfile.DIRTYPE),
        member("blobs/" + "a" * 64, tarfile.XHDTYPE),
        member("blobs/" + "a" * 64, tarfile.GNUTYPE_LONGNAME),
        member("blobs/" + "a" * 64, tarfile.GNUTYPE_SPARSE),
    ],
    ids=lambda each: f"{each.type!r} {each.name[:12]}",
)
def test_nothing_but_our_files_is_unpacked(
    archive: bytes, tmp_path: Path, hostile: tarfile.TarInfo
) -> None:
    database = archive.index(b"library.db")
    with pytest.raises(BackupRefused):
        restore(tar_of(hostile, after=archive[:database]), tmp_path / "second")
    with pytest.raises(BackupRefused):
        restore(tar_of(hostile), tmp_path / "second")

    assert left_in(tmp_path / "second") == set()
    assert {path.name for path in tmp_path.iterdir()} <= {"second", "data"}


def manifest_with(archive: bytes, **other: object) -> io.BytesIO:
    manifest, _ = verify(io.BytesIO(archive))
    values = {name: getattr(manifest, name) for name in manifest.__struct_fields__}
    changed = type(manifest)(**values | other)
    return io.BytesIO(note("manifest.json", changed) + archive[archive.index(b"library.db") :])


@only_sqlite
def test_a_newer_schema_is_not_touched(archive: bytes, tmp_path: Path) -> None:
    for newer in ({"schema": "9999"}, {"format": 2}):
        with pytest.raises(SchemaTooNew):
            restore(manifest_with(archive, **newer), tmp_path / "second")


@only_sqlite
@pytest.mark.parametrize(
    "lie",
    [
        {"schema": "0000"},
        {"database_bytes": 5},
        {"database_bytes": -1},
        {"database_sha256": "0" * 64},
        {"documents": 99},
        {"originals_bytes": 0},
    ],
    ids=str,
)
def test_a_manifest_that_lies_is_refused(
    archive: bytes, tmp_path: Path, lie: dict[str, object]
) -> None:
    with pytest.raises(BackupRefused):
        restore(manifest_with(archive, **lie), tmp_path / "second")
    assert left_in(tmp_path / "second") == set()


@only_sqlite
def test_more_bytes_than_the_disk_has_are_refused_beforehand(
    archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "free_bytes", lambda _: 1 << 20)
    with pytest.raises(OutOfSpace, match="1 MB are free"):
        restore(io.BytesIO(archive), tmp_path / "second")


@only_sqlite
def test_a_library_is_never_written_over(shelf: Shelf, archive: bytes, data_dir: Path) -> None:
    with pytest.raises(LibraryInUse):
        restore(io.BytesIO(archive), data_dir)
    shelf.library.close()
    before = (data_dir / "library.db").read_bytes()

    with pytest.raises(Conflict, match="there is a library"):
        restore(io.BytesIO(archive), data_dir)
    assert (data_dir / "library.db").read_bytes() == before


@only_sqlite
def test_an_empty_library_makes_room(archive: bytes, tmp_path: Path) -> None:
    with Library.open(tmp_path / "second") as empty:
        empty.collections.create("other", embedding_model=None, dimension=None, chunk_tokens=100)
    restore(io.BytesIO(archive), tmp_path / "second")
    second = opened(tmp_path / "second")

    assert second.texts("red fox blue whale") == ANSWER
    second.library.close()


@only_sqlite
def test_a_folder_of_something_else_is_left_alone(archive: bytes, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "holiday.jpg").write_bytes(b"mine")
    with pytest.raises(Conflict, match="other files"):
        restore(io.BytesIO(archive), tmp_path / "second")


@only_sqlite
def test_what_waited_is_still_queued(shelf: Shelf, tmp_path: Path) -> None:
    shelf.library.jobs.queue(shelf.collection, [Source("later", b"green frog")])
    restored = restore(io.BytesIO(backup_of(shelf.library)), tmp_path / "second")
    second = opened(tmp_path / "second")

    claimed = second.library.jobs.claim(lease=60)
    assert restored.waiting == 1
    assert second.library.jobs.source(claimed).content == b"green frog"
    second.library.close()


@only_sqlite
def test_any_tar_program_lists_a_backup(archive: bytes, tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        names = tar.getnames()
        database = tar.extractfile("library.db")
        assert database is not None
        (tmp_path / "x.db").write_bytes(database.read())
    with sqlite3.connect(tmp_path / "x.db") as connection:
        [count] = connection.execute("SELECT count(*) FROM document").fetchone()
    connection.close()

    assert names[:2] == ["manifest.json", "library.db"]
    assert names[-1] == "seal.json"
    assert (len(names), count) == (5, 2)
