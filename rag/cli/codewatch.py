"""`rag code index --watch`: what changes in a folder is indexed when it has come to rest."""

from collections.abc import Callable, Sequence
from pathlib import Path

from rag.cli import show
from rag.cli.watching import Looks, looks_of, watch
from rag.errors import RagError
from rag.sources.found import Findings, Found
from rag.sources.git.repository import Place


def looked(folders: Sequence[Path]) -> Looks:
    """
    Raises:
        InvalidRequest: one of them has no files that could change.
    """
    return looks_of(_findings(folders))


def watch_folders(folders: Sequence[Path], before: Looks, index: Callable[[], None]) -> None:
    """For ever.

    Args:
        before: how they looked when they were indexed.
    """
    show.aside.print("Watching; Ctrl+C stops.", style="green")

    def look() -> Findings | None:
        try:
            return _findings(folders)
        except RagError as error:  # a folder that is away for a moment
            show.aside.print(f"{error}", style="yellow")
            return None

    def act(_: Findings) -> bool:
        try:
            index()
        except RagError as error:
            show.aside.print(f"rag: {error}; trying again", style="red")
            return False
        return True

    watch(look, act, before)


def _findings(folders: Sequence[Path]) -> Findings:
    files = (file for folder in folders for file in Place(folder).files())
    return Findings(tuple(Found(str(file), file) for file in files))
