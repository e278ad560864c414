"""A place that code is indexed from: a work tree, a bare repository, or a plain folder."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rag.errors import InvalidRequest, NotFound
from rag.sources.git.history import Commit, commits_of
from rag.sources.git.objects import commit_of, contents_of, tree_of
from rag.sources.git.running import GitFailed, git
from rag.sources.git.worktrees import LARGEST, files_in, read_folder
from rag.trees import LeftOut, Tree, TreeFile


class Place:
    """Reads trees and contents; nothing is ever written there."""

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            NotFound: there is no such folder.
        """
        if not folder.is_dir():
            raise NotFound(f"there is no folder {folder.name!r} to index")
        self.folder = folder.resolve()
        self._git_dir, self._is_bare = _git_dir(self.folder)
        self._read: dict[str, bytes] = {}

    def tree(self, ref: str | None, included: Callable[[str], bool] | None = None) -> Tree:
        """
        Args:
            included: which of the files that git ignores are wanted all the same.
            ref: a commit, branch or tag; None for the files as they lie there, or the current
                commit where it is a bare repository.

        Raises:
            NotFound: no such ref; a plain folder has none at all.
        """
        if ref is None and not self._is_bare:
            tree, self._read = read_folder(self.folder, self._git_dir, included)
            return tree
        if self._git_dir is None:
            raise NotFound("a folder without git has no refs; index it without one")
        return _of_size(tree_of(self._git_dir, ref or "HEAD"))

    def commit(self, ref: str) -> str | None:
        """What a ref names now; None in a folder without git.

        Raises:
            NotFound: it names nothing.
        """
        return None if self._git_dir is None else commit_of(self._git_dir, ref)

    def files(self) -> list[Path]:
        """That tell whether anything has changed: those of the folder, and git's own.

        Raises:
            InvalidRequest: there is no work tree.
        """
        if self._is_bare:
            raise InvalidRequest("only a folder with its files can be watched")
        return files_in(self.folder, self._git_dir)

    def hooks(self) -> Path:
        """The folder of its hooks, as git finds it.

        Raises:
            NotFound: a plain folder has none.
        """
        if self._git_dir is None:
            raise NotFound("a folder without git has no hooks")
        common = self._git_dir / "commondir"
        shared = common.read_text().strip() if common.is_file() else "."
        git_dir = (self._git_dir / shared).resolve()
        asked = ("config", "--file", str(git_dir / "config"), "--get", "core.hooksPath")
        try:
            chosen = git(git_dir, *asked).decode().strip()
        except GitFailed:  # it is not set
            return git_dir / "hooks"
        return self.folder / Path(chosen).expanduser()

    def commits(self, ref: str | None, most: int) -> Iterator[Commit]:
        """What was changed up to a ref, the latest first.

        Raises:
            NotFound: no such ref; a plain folder has none at all.
        """
        if self._git_dir is None:
            raise NotFound("a folder without git has no history")
        return commits_of(self._git_dir, ref or "HEAD", most)

    def contents(self, files: Sequence[TreeFile]) -> Iterator[tuple[TreeFile, bytes | None]]:
        """Of files of the tree that was asked for last; None for what git has lost."""
        missing = [each.oid for each in files if each.oid not in self._read]
        from_git = contents_of(self._git_dir, missing) if self._git_dir and missing else iter(())
        for file in files:
            known = self._read.get(file.oid)
            yield file, next(from_git)[1] if known is None else known


def _of_size(tree: Tree) -> Tree:
    large = [each for each in tree.files if each.size > LARGEST]
    told = (
        LeftOut(each.path, f"larger than {LARGEST:,} bytes", each.size, each.oid) for each in large
    )
    return Tree(
        tree.ref,
        tree.commit,
        tree.dirty,
        tuple(each for each in tree.files if each.size <= LARGEST),
        (*tree.left_out, *told),
    )


def _git_dir(folder: Path) -> tuple[Path | None, bool]:
    """The git directory of a folder and whether it is a bare repository. What lies further up is
    not asked: the folder named is the whole of what is read."""
    inside = folder / ".git"
    if inside.is_dir():
        return inside, False
    if inside.is_file() and (elsewhere := _of_worktree(inside)) is not None:
        return elsewhere, False
    if (folder / "HEAD").is_file() and (folder / "objects").is_dir():
        try:
            git(folder, "rev-parse", "--git-dir")
        except GitFailed as error:
            raise InvalidRequest(f"git cannot read this repository: {error}") from error
        return folder, True
    return None, False


def _of_worktree(pointer: Path) -> Path | None:
    """Where a linked work tree says its git directory is, if that says so too: a file alone could
    lead anywhere."""
    told = pointer.read_text(errors="replace").strip().removeprefix("gitdir:").strip()
    there = (pointer.parent / told).resolve()
    back = there / "gitdir"
    if not back.is_file() or Path(back.read_text().strip()).resolve() != pointer.resolve():
        return None
    return there
