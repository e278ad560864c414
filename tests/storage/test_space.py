"""A disk that fills up: what was acknowledged stays, and what is refused is told in words."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.domain import Source
from rag.errors import OutOfSpace, RagError
from rag.storage.durable import write_durably
from rag.storage.library import Library
from rag.storage.space import Space

MIB = 1 << 20


class Disk:
    """Has as much room as a test says."""

    def __init__(self, free: int) -> None:
        self.free = free

    def __call__(self, folder: Path) -> int:
        return self.free


def test_a_library_stops_growing_at_the_mark_and_goes_on_a_fifth_above_it(tmp_path: Path) -> None:
    disk = Disk(100)
    space = Space(tmp_path, 100, free=disk)
    space.require_room()

    disk.free = 99
    with pytest.raises(OutOfSpace):
        space.require_room()
    disk.free = 119  # what was deleted just now does not open the door yet
    assert space.look().is_low
    disk.free = 120
    assert not space.look().is_low
    disk.free = 100
    assert not space.look().is_low


def test_what_is_about_to_be_written_counts(tmp_path: Path) -> None:
    space = Space(tmp_path, 100, free=Disk(150))

    space.require_room(50)
    with pytest.raises(OutOfSpace):
        space.require_room(51)


def test_a_mark_of_zero_asks_for_nothing(tmp_path: Path) -> None:
    Space(tmp_path, 0, free=Disk(0)).require_room()


def test_the_message_says_how_much_is_free_and_what_to_do(tmp_path: Path) -> None:
    space = Space(tmp_path, 500 * MIB, free=Disk(120 * MIB))

    with pytest.raises(OutOfSpace, match=r"120 MB .* 500 MB .* RAG_MIN_FREE_DISK"):
        space.require_room()


def test_a_low_disk_takes_nothing_in_and_answers_and_deletes(
    shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = shelf.put("kept", "red fox")
    gone = shelf.put("gone", "grey wolf")
    source = Source("new", b"white hare")
    shelf.library.jobs.queue(shelf.collection, [source])
    monkeypatch.setattr(shelf.library._space, "_mark", 100)
    monkeypatch.setattr(shelf.library._space, "_free", disk := Disk(99))

    for refused in (
        lambda: shelf.library.jobs.queue(shelf.collection, [source]),
        lambda: shelf.library.originals.put(b"bytes"),
        lambda: shelf.library.jobs.claim(lease=60),
        lambda: shelf.library.collections.create(
            "more", embedding_model=None, dimension=None, chunk_tokens=256
        ),
    ):
        with pytest.raises(OutOfSpace):
            refused()
    shelf.library.documents.delete(gone.id)

    assert shelf.texts("fox wolf") == {"red fox"}
    assert shelf.library.documents.find(kept.id).key == "kept"
    disk.free = 120
    assert shelf.library.jobs.claim(lease=60).key == "new"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here: that needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_loses_nothing_that_was_acknowledged(small_disk: Path) -> None:
    """Written until the disk takes no more, once for each kind of write."""
    with Library.open(small_disk / "library") as library:
        collection = library.collections.create(
            "notes", embedding_model=None, dimension=None, chunk_tokens=256
        )
        acknowledged: list[bytes] = []
        refusals = 0
        for n in range(400):
            content = f"document {n} ".encode() * 3_000
            try:
                library.jobs.queue(collection, [Source(f"{n}", content)])
                acknowledged.append(content)
            except OutOfSpace:
                refusals += 1
                if refusals == 20:
                    break
        assert refusals == 20

        held = {
            item.key for job in library.jobs.list(limit=100).data for item in items(library, job)
        }
        assert {f"{n}" for n, _ in enumerate(acknowledged)} <= held

    subprocess.run(["mount", "-o", "remount,size=24m", str(small_disk)], check=True)
    with Library.open(small_disk / "library") as library:
        found = [library.jobs.claim(lease=60) for _ in acknowledged]
        assert [library.jobs.source(each).content for each in found if each] == acknowledged
        assert library.jobs.claim(lease=60) is None  # and nothing of what was refused


def items(library: Library, job):
    return library.jobs.items(job.id, limit=100).data


def test_room_that_comes_back_is_used_without_a_restart(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with Library.open(small_disk / "library") as library:
        collection = library.collections.create(
            "notes", embedding_model=None, dimension=None, chunk_tokens=256
        )
        library.jobs.queue(collection, [Source("a", b"before")])
        fill(ballast)

        with pytest.raises(OutOfSpace):
            library.jobs.queue(collection, [Source("b", b"during" * 20_000)])
        with pytest.raises(OutOfSpace):
            library.collections.delete(collection.id)
        ballast.unlink()
        library.jobs.queue(collection, [Source("b", b"after")])

        assert library.jobs.claim(lease=60).key == "a"
        assert library.jobs.claim(lease=60).key == "b"


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def test_a_file_that_the_disk_does_not_take_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(RagError, match="the library's disk failed: Input/output error"):
        write_durably(tmp_path / "file", b"content")

    assert list(tmp_path.iterdir()) == []
