"""Power cuts: what a disk holds at a moment at which nothing more is written to it.

A library lies on an ext4 in a file. The writer stands still for a moment, and the file is copied:
what was not synced is not in it, for the file system is told to commit late, and the cache of the
kernel is above the file. It is a disk that loses all that it was not made to keep; one that
reorders, or lies about it, is another matter. A killed process cannot show any of this.
"""

import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.chaos.ground import Ground, Site, Tally
from scripts.chaos.nursery import Writer
from scripts.chaos.promises import check

SIZE = 48 << 20  # bytes of the disk, most of them holes
JOURNAL = 4  # MB, the least that ext4 takes
OPTIONS = "loop,commit=600,noauto_da_alloc"
"""Nothing is committed by the clock, nor because a file was replaced by a rename."""

CHANGES = (1, 6)  # acknowledged between two cuts
INSTANT = 0.05  # seconds, at most, into the operation that follows
ONE_DISK = 5
"""Cuts of it: the kernel writes by itself what has waited for 30 s, which would hide a fault."""


def cuts(ground: Ground, seed: int, number: int, *, plant: str | None = None) -> Tally:
    """Of one library after another, while its upkeep is at work."""
    tally, chance = Tally("power cut", seed), random.Random(seed)
    while tally.faults < number:
        with new_disk(ground.folder) as (image, folder):
            site = ground.site(within=folder)
            _sync_all(folder)
            task = site.task(chance.getrandbits(32), is_endless=True, upkeep=True, plant=plant)
            writer = ground.nursery.start(task)
            before = site.truth()
            for _ in range(min(ONE_DISK, number - tally.faults)):
                site.await_changes(site.truth().acknowledged + chance.randint(*CHANGES))
                time.sleep(chance.uniform(0, INSTANT))
                _stand_still(writer)
                _cut(image, site, tally, before_acknowledged=before.acknowledged)
                before = site.truth()
                writer.go_on()
            writer.kill()
            writer.ended()
    return tally


def _cut(image: Path, site: Site, tally: Tally, *, before_acknowledged: int) -> None:
    """What would be there if the power failed now; the writer has it as it was."""
    truth = site.truth()
    copy = image.with_suffix(".cut")
    subprocess.run(["cp", "--sparse=always", image, copy], check=True)
    with mounted(copy, image.with_suffix(".after")) as folder:
        kept = check(folder / site.data_dir.name, truth)
    tally.count(f"cut {tally.faults}", truth, kept)
    tally.acknowledged -= before_acknowledged
    copy.unlink()


# --- the disk -----------------------------------------------------------------------------------


def refusal() -> str | None:
    """Why no power cut can be made on this machine; None where they can."""
    if shutil.which("mkfs.ext4") is None or os.geteuid() != 0:
        return "a power cut needs mkfs.ext4, and the right to mount"
    try:
        with TemporaryDirectory() as folder, new_disk(Path(folder)):
            return None
    except subprocess.CalledProcessError as error:
        return f"a power cut needs an ext4 in a file: {' '.join(map(str, error.cmd))} failed"


@contextmanager
def new_disk(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Its file, and where it is mounted."""
    image = folder / "disk"
    with image.open("wb") as file:
        file.truncate(SIZE)
    make = ["mkfs.ext4", "-q", "-F", "-O", "^resize_inode", "-J", f"size={JOURNAL}"]
    subprocess.run([*make, image], check=True, capture_output=True)
    with mounted(image, folder / "disk.mounted") as at:
        yield image, at
    image.unlink()


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[Path]:
    at.mkdir()
    try:
        subprocess.run(["mount", "-o", OPTIONS, image, at], check=True, capture_output=True)
        try:
            yield at
        finally:
            subprocess.run(["umount", at], check=True)
    finally:
        at.rmdir()


def _sync_all(folder: Path) -> None:
    subprocess.run(["sync", "--file-system", folder], check=True)


def _stand_still(writer: Writer) -> None:
    """All its threads: one that waits for the disk stops when it has been served."""
    writer.stop()
    while any(_state(task) != "T" for task in Path(f"/proc/{writer.pid}/task").iterdir()):
        time.sleep(0.005)


def _state(task: Path) -> str:
    """See proc(5): the letter behind the name, which is in parentheses."""
    return (task / "stat").read_text().rpartition(")")[2].split()[0]
