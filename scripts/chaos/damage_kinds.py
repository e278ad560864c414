"""What can happen to the files of a generation, by a disk, a copy or a person.

Each kind takes the folder of a generation, folders of others like it, and a source of chance.
"""

import os
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

PAGE = 4096  # bytes that a file system loses at once
Harm: TypeAlias = Callable[[Path, Sequence[Path], random.Random], None]


def contents_of(folder: Path) -> dict[str, bytes | None]:
    """Of its files, by name; None for what is none, or cannot be read."""
    if not folder.is_dir():
        return {}
    return {path.name: _content(path) for path in folder.iterdir()}


def put_back(folder: Path, contents: Mapping[str, bytes | None]) -> None:
    """Makes a folder as it was."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for name, content in contents.items():
        (folder / name).write_bytes(content or b"")


# --- one file ---


def flip_a_bit(folder: Path, others: Sequence[Path], chance: random.Random) -> None:
    path, content = _chosen(folder, chance)
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def scramble(folder: Path, others: Sequence[Path], chance: random.Random) -> None:
    """Up to 64 bytes in a row are others."""
    path, content = _chosen(folder, chance)
    start = chance.randrange(len(content))
    size = min(chance.randint(1, 64), len(content) - start)
    content[start : start + size] = chance.randbytes(size)
    path.write_bytes(content)


def zero_a_page(folder: Path, others: Sequence[Path], chance: random.Random) -> None:
    path, content = _chosen(folder, chance)
    start = chance.randrange(len(content)) // PAGE * PAGE
    content[start : start + PAGE] = bytes(len(content[start : start + PAGE]))
    path.write_bytes(content)


def cut_short(folder: Path, others: Sequence[Path], chance: random.Random) -> None:
    path, content = _chosen(folder, chance)
    path.write_bytes(content[: chance.randrange(len(content))])


def extend(folder: Path, others: Sequence[Path], chance: random.Random) -> None:
    path, content = _chosen(folder, chance)
    path.write_bytes(content + chance.choice([chance.randbytes(8), bytes(PAGE), content]))


def remove(folder: Path, others: Sequence[Path], chance: random.Random) -> None:
    _chosen(folder, chance)[0].unlink()


def make_a_folder_of_it(folder: Path, others: Sequence[Path], chance: random.Random) -> None:
    path, _ = _chosen(folder, chance)
    path.unlink()
    path.mkdir()


def link_it_to_nowhere(folder: Path, others: Sequence[Path], chance: random.Random) -> None:
    path, _ = _chosen(folder, chance)
    path.unlink()
    path.symlink_to(folder / "nowhere")


def forbid(folder: Path, others: Sequence[Path], chance: random.Random) -> None:
    """Nobody may read it; which does not keep root from doing so."""
    _chosen(folder, chance)[0].chmod(0)


def take_from_another(folder: Path, others: Sequence[Path], chance: random.Random) -> None:
    """A file of the same kind of another generation, index or library."""
    path, _ = _chosen(folder, chance)
    other = chance.choice(others)
    like = [each for each in sorted(other.iterdir()) if each.suffix == path.suffix]
    if like:
        shutil.copyfile(chance.choice(like), path)


def swap_two(folder: Path, others: Sequence[Path], chance: random.Random) -> None:
    (one, first), (other, second) = _chosen(folder, chance), _chosen(folder, chance)
    one.write_bytes(second)
    other.write_bytes(first)


# --- all files ---


def remove_the_folder(folder: Path, others: Sequence[Path], chance: random.Random) -> None:
    shutil.rmtree(folder)


def empty_the_folder(folder: Path, others: Sequence[Path], chance: random.Random) -> None:
    put_back(folder, {})


def take_all_of_another(folder: Path, others: Sequence[Path], chance: random.Random) -> None:
    put_back(folder, contents_of(chance.choice(others)))


def exchange_all_but_one(folder: Path, others: Sequence[Path], chance: random.Random) -> None:
    """Another's files beside one of its own."""
    path, content = _chosen(folder, chance)
    put_back(folder, contents_of(chance.choice(others)) | {path.name: bytes(content)})


KINDS: dict[str, Harm] = {
    harm.__name__: harm
    for harm in (
        flip_a_bit,
        scramble,
        zero_a_page,
        cut_short,
        extend,
        remove,
        make_a_folder_of_it,
        link_it_to_nowhere,
        take_from_another,
        swap_two,
        remove_the_folder,
        empty_the_folder,
        take_all_of_another,
        exchange_all_but_one,
    )
} | ({} if os.geteuid() == 0 else {"forbid": forbid})


def _chosen(folder: Path, chance: random.Random) -> tuple[Path, bytearray]:
    """A file that is not empty, any as likely as any other."""
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and path.stat().st_size]
    path = chance.choice(files)
    return path, bytearray(path.read_bytes())


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
