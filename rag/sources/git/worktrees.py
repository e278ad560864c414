"""Files as they lie in a folder, a work tree or a plain one. What is ignored, git decides.

Nothing outside the folder is read: symbolic links are left out, also where one has taken the
place of a folder that git still lists files of.
"""

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from rag.sources.git.objects import commit_of, has_commits, shown, tree_of
from rag.sources.git.running import git
from rag.trees import LeftOut, Tree, TreeFile

LARGEST = 2_000_000
"""Bytes of a file that is read: 50,000 lines. Larger ones are data, or were made by a program."""


class Lying(Struct, frozen=True):
    """A file found in a folder."""

    file: TreeFile
    content: bytes


def read_folder(
    folder: Path, git_dir: Path | None, included: Callable[[str], bool] | None = None
) -> tuple[Tree, dict[str, bytes]]:
    """The files as they are now, and their contents by id.

    Args:
        folder: resolved.
        git_dir: of the repository whose work tree it is; None for a plain folder.
        included: which of the files that git ignores are wanted all the same.
    """
    found: dict[str, bytes] = {}
    files: list[TreeFile] = []
    left_out: list[LeftOut] = []
    names = _names(folder, git_dir)
    ignored = _ignored(folder, git_dir, included) if included else set()
    for each in _read_all(folder, sorted({*names, *ignored})):
        if isinstance(each, LeftOut):
            left_out.append(each)
        else:
            files.append(each.file)
            found[each.file.oid] = each.content
    beside = {shown(name) for name in ignored}
    commit, dirty = _compared(git_dir, [f for f in files if f.path not in beside], left_out)
    return Tree("", commit, dirty, tuple(files), tuple(left_out)), found


def _compared(
    git_dir: Path | None, files: Sequence[TreeFile], left_out: Sequence[LeftOut]
) -> tuple[str | None, bool]:
    if git_dir is None or not has_commits(git_dir):
        return None, bool(files)
    committed = tree_of(git_dir, "HEAD")
    unread = {each.path for each in left_out}
    before = {(each.path, each.oid) for each in committed.files if each.path not in unread}
    return commit_of(git_dir, "HEAD"), before != {(each.path, each.oid) for each in files}


def files_in(folder: Path, git_dir: Path | None) -> list[Path]:
    """What would be read of a folder, and what tells that git has moved on."""
    named = [folder / os.fsdecode(name) for name in _names(folder, git_dir)]
    return [*named, git_dir / "HEAD", git_dir / "logs" / "HEAD"] if git_dir else named


def _names(folder: Path, git_dir: Path | None) -> list[bytes]:
    """Files that git tracks, or would: it leaves out what is ignored."""
    with _git_of(git_dir) as known:
        return _listed(folder, known, "--others", *(("--cached",) if git_dir else ()))


def _ignored(folder: Path, git_dir: Path | None, included: Callable[[str], bool]) -> set[bytes]:
    """Files that git leaves out, and somebody wants."""
    with _git_of(git_dir) as known:
        names = _listed(folder, known, "--others", "--ignored")
    return {name for name in names if included(shown(name))}


@contextmanager
def _git_of(git_dir: Path | None) -> Iterator[Path]:
    """A git directory to ask with: an empty one for a folder that has none."""
    if git_dir is not None:
        yield git_dir
        return
    with tempfile.TemporaryDirectory(prefix="rag-") as empty:
        git(Path(empty), "init", "--quiet", "--bare", "--template=", empty)
        yield Path(empty)


def _listed(folder: Path, git_dir: Path, *which: str) -> list[bytes]:
    listed = git(
        git_dir,
        "-c",
        "core.bare=false",
        f"--work-tree={folder}",
        "-C",
        str(folder),
        "ls-files",
        "-z",
        "--exclude-standard",
        *which,
    )
    return sorted(set(listed.split(b"\0")) - {b""})


def _read_all(folder: Path, names: Sequence[bytes]) -> Iterator[Lying | LeftOut]:
    inside: dict[Path, bool] = {}
    for name in names:
        place = folder / os.fsdecode(name)
        if place.parent not in inside:
            inside[place.parent] = place.parent.resolve() == place.parent
        if not inside[place.parent]:
            yield LeftOut(shown(name), "behind a symbolic link")
        elif (read := _read(place, shown(name))) is not None:
            yield read


def _read(place: Path, path: str) -> Lying | LeftOut | None:
    """None where it is not there any more: it was deleted, or is a submodule's folder."""
    try:
        facts = place.lstat()
        if stat.S_ISLNK(facts.st_mode):
            return LeftOut(path, "symbolic link")
        if stat.S_ISDIR(facts.st_mode):
            return LeftOut(path, "submodule")
        if not stat.S_ISREG(facts.st_mode):
            return LeftOut(path, "no ordinary file")
        if facts.st_size > LARGEST:
            return LeftOut(path, f"larger than {LARGEST:,} bytes", facts.st_size)
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        return LeftOut(path, f"cannot be read: {error.strerror}")
    return Lying(TreeFile(path, blob_id(content), len(content)), content)


def blob_id(content: bytes) -> str:
    """What git would call these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
