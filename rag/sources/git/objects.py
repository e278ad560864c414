"""Trees and contents straight from git's objects: any commit, no checkout, bare or not."""

import os
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from rag.errors import NotFound, RagError
from rag.sources.git.running import GitFailed, git, talking
from rag.trees import LeftOut, Tree, TreeFile

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def commit_of(folder: Path, ref: str) -> str:
    """The commit that a branch, tag or abbreviated id names.

    Raises:
        NotFound: it names none here.
    """
    wanted = f"{ref}^{{commit}}"
    try:
        named = git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
    except GitFailed as error:
        raise NotFound(f"this repository has no commit, branch or tag {ref!r}") from error
    commit = named.decode().strip()
    if not _OID.fullmatch(commit):
        raise NotFound(f"this repository has no commit, branch or tag {ref!r}")
    return commit


def has_commits(folder: Path) -> bool:
    try:
        commit_of(folder, "HEAD")
    except NotFound:
        return False
    return True


def tree_of(folder: Path, ref: str, under: str = "") -> Tree:
    """All files of a commit, and what else it names.

    Args:
        under: a folder of the repository; paths stay relative to the repository.

    Raises:
        NotFound: no such commit.
    """
    commit = commit_of(folder, ref)
    where = (f"{under.rstrip('/')}/",) if under else ()
    listed = git(folder, "ls-tree", "-r", "-z", "-l", "--full-tree", commit, "--", *where)
    files: list[TreeFile] = []
    left_out: list[LeftOut] = []
    for entry in listed.split(b"\0"):
        if not entry:
            continue
        facts, _, name = entry.partition(b"\t")
        mode, _, oid, size = facts.decode().split()
        path = shown(name)
        if mode == "160000":
            left_out.append(LeftOut(path, "submodule"))
        elif mode == "120000":
            left_out.append(LeftOut(path, "symbolic link"))
        elif not size.isdigit():
            left_out.append(LeftOut(path, "git has lost its content"))
        else:
            files.append(TreeFile(path, oid, int(size)))
    return Tree(ref, commit, False, tuple(files), tuple(left_out))


def contents_of(folder: Path, oids: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
    """Contents by their ids, in the order asked; None for what is missing or damaged.

    Raises:
        RagError: git ended before it had told all.
    """
    if not oids:
        return
    with talking(folder, "cat-file", "--batch") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        # another thread asks: both pipes are finite
        asking = threading.Thread(target=_ask, args=(process.stdin, oids), daemon=True)
        asking.start()
        for oid in oids:
            head = process.stdout.readline().split()
            if not head:
                raise RagError("git could not read an object of this repository; try `git fsck`")
            if head[-1] == b"missing" or len(head) < 3:
                yield oid, None
                continue
            content = process.stdout.read(int(head[2]) + 1)[:-1]
            yield oid, content if head[1] == b"blob" else None
        asking.join()


def shown(name: bytes) -> str:
    """A path as text. What is not UTF-8 in it stays recognizable."""
    return name.decode("utf-8", errors="backslashreplace")


def _ask(stdin: IO[bytes], oids: Sequence[str]) -> None:
    try:
        for oid in oids:
            stdin.write(oid.encode() + b"\n")
        stdin.close()
    except (BrokenPipeError, OSError):
        os.sched_yield()  # whoever reads sees the end, and says so
