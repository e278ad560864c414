"""A folder -> the files in it, and what of it is no file to ingest, and why."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from rag.sources.found import Findings, Found, LeftOut, Root, Trouble
from rag.sources.patterns import Patterns

HIDDEN = "hidden"
NOT_DOCUMENTS = "folders of tools, and lock files"
EXCLUDED = "by --exclude"
NOT_INCLUDED = "not named by --include"
LINK_OUT = "links that lead out of their folder"
LINK_TO_FOLDER = "links to folders"

SKIPPED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", ".jj", "CVS"}
    | {"__pycache__", "node_modules", "venv", ".venv", "$RECYCLE.BIN", "System Volume Information"}
)
"""Never anybody's documents: of version control, of tools, of systems."""

LOCK_PREFIX = "~$"
"""Of files that office programs put beside one that is open."""


class Choice(Struct, frozen=True):
    """Which files of a folder are meant."""

    include: Patterns = Patterns(())
    """Only these, where there are any."""
    exclude: Patterns = Patterns(())
    hidden: bool = False
    """Those with a leading dot too."""

    def rule_against(self, path: str) -> str | None:
        """Why it is left out.

        Args:
            path: relative to its folder; that of a folder ends with `/`.
        """
        name = path.rstrip("/").rpartition("/")[2]
        is_folder = path.endswith("/")
        if (is_folder and name in SKIPPED_FOLDERS) or name.startswith(LOCK_PREFIX):
            return NOT_DOCUMENTS
        if name.startswith(".") and not self.hidden:
            return HIDDEN
        if self.exclude.match(path):
            return EXCLUDED
        if self.include and not is_folder and not self.include.match(path):
            return NOT_INCLUDED
        return None


_Seen: TypeAlias = Found | LeftOut | Trouble

UNREADABLE_FOLDER = "unreadable_folder"


def walk(folder: Path, choice: Choice) -> Findings:
    """All below the folder, in a stable order: its own files first.

    Links to files within it are files; links to folders are not followed, so that no loop is
    walked for ever and no file found twice, and what lies outside is reached by its own name.
    """
    top = folder.resolve()
    seen = list(_below(folder, top, choice))
    troubles = tuple(each for each in seen if isinstance(each, Trouble))
    whole = not any(trouble.code == UNREADABLE_FOLDER for trouble in troubles)
    return Findings(
        files=tuple(each for each in seen if isinstance(each, Found)),
        troubles=troubles,
        left_out=tuple(each for each in seen if isinstance(each, LeftOut)),
        roots=(Root(shown(str(top)), folder, whole),),
    )


def _below(folder: Path, top: Path, choice: Choice) -> Iterator[_Seen]:
    waiting = [""]  # folders by their paths below the top: "" or with `/` at their end
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(folder / below) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            yield Trouble(below or "./", "failed", UNREADABLE_FOLDER, _said(error))
            continue
        folders = []
        for entry in entries:
            key = below + entry.name
            if not entry.is_dir(follow_symlinks=False):
                yield _seen(entry, key, top, choice)
            elif unmeant := _unmeant(f"{key}/", entry.name, choice):
                yield unmeant
            else:
                folders.append(f"{key}/")
        waiting += reversed(folders)


def _unmeant(key: str, name: str, choice: Choice) -> LeftOut | Trouble | None:
    if rule := choice.rule_against(key):
        return LeftOut(shown(key), rule)
    if not is_utf8(name):
        reason = "its name is not UTF-8; rename it"
        return Trouble(shown(key), "refused", "name_not_utf8", reason)
    return None


def _seen(entry: os.DirEntry[str], key: str, top: Path, choice: Choice) -> _Seen:
    if unmeant := _unmeant(key, entry.name, choice):
        return unmeant
    path = Path(entry.path)
    if entry.is_symlink():
        try:
            target = path.resolve(strict=True)
        except (OSError, RuntimeError):  # the latter: a loop, before 3.13
            return Trouble(key, "failed", "unreadable_file", "a link that leads nowhere")
        if not target.is_relative_to(top):
            return LeftOut(key, LINK_OUT)
        if target.is_dir():
            return LeftOut(key, LINK_TO_FOLDER)
    return trouble_with(key, path) or Found(key, path, shown(str(top)))


def trouble_with(key: str, path: Path) -> Trouble | None:
    """Why it is no file to read, as far as its name and kind say."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return Trouble(key, "failed", "unreadable_file", _said(error))
    if stat.S_ISREG(mode):
        return None
    return Trouble(key, "refused", "not_a_file", "a socket, a pipe or a device, not a file")


def is_utf8(name: str) -> bool:
    """The odd bytes of names in another encoding come as half characters."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(path: str) -> str:
    r"""For people and reports: odd bytes as `\xe9`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _said(error: OSError) -> str:
    return str(error.strerror or error)
