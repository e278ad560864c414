"""`rag code hook`: git itself says when there is something new to index."""

import os
import shlex
import sys
from pathlib import Path

import click

from rag.cli import show
from rag.errors import Conflict
from rag.settings import load_settings
from rag.sources.git.repository import Place

HOOKS = ("post-commit", "post-merge", "post-checkout", "post-rewrite")
"""After which a work tree has other files, or its branch another commit."""

MARK = "# written by `rag code hook install`"


@click.group("hook")
def command() -> None:
    """Have git index each commit, merge and checkout of a repository."""


@command.command("install")
@click.argument("path", default=".")
@click.option("--words-only", is_flag=True, help="Do not embed: search by words alone.")
def install(path: str, words_only: bool) -> None:
    """Write hooks into the repository at PATH. They index it in the background, and hold up
    nothing. A hook that is there already stays as it is, and is named."""
    place = Place(Path(path).resolve())
    folder, script = place.hooks(), _script(place.folder, words_only)
    taken = [name for name in HOOKS if not _is_ours(folder / name)]
    if taken:
        raise Conflict(
            f"{', '.join(taken)} in {folder} would be overwritten: add this line there, or move"
            f" them away\n{script.splitlines()[-1]}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name in HOOKS:
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    show.aside.print(f"{', '.join(HOOKS)} written to {folder}")


@command.command("remove")
@click.argument("path", default=".")
def remove(path: str) -> None:
    """Remove the hooks that `install` wrote; others stay."""
    folder = Place(Path(path).resolve()).hooks()
    ours = [name for name in HOOKS if (folder / name).exists() and _is_ours(folder / name)]
    for name in ours:
        (folder / name).unlink()
    show.aside.print(f"{', '.join(ours) or 'none'} removed from {folder}")


def _is_ours(hook: Path) -> bool:
    """Whether it may be written: ours, or not there."""
    if hook.is_symlink():
        return False
    return not hook.exists() or MARK in hook.read_text(errors="replace")


def _script(folder: Path, words_only: bool) -> str:
    """Without git's own variables, which name its index, and for the library that is meant now."""
    data_dir = Path(load_settings(os.environ).data_dir).expanduser().resolve()
    words = [sys.executable, "-m", "rag", "code", "index", str(folder)]
    words += ["--words-only"] if words_only else []
    line = f"( RAG_DATA_DIR={shlex.quote(str(data_dir))} {shlex.join(words)} >/dev/null 2>&1 & )"
    return f"#!/bin/sh\n{MARK}\nunset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE\n{line}\n"
