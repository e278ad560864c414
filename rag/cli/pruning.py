"""Documents whose files are gone: which they are, and removing them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from rag.cli.door import Door, Refused
from rag.cli.outcomes import Outcome
from rag.domain import ARCHIVE, DocumentId
from rag.sources.found import ROOT, Findings, Root


class Gone(Struct, frozen=True):
    """A document whose file is no more where it was found."""

    id: DocumentId
    key: str


class Pruning(Struct, frozen=True):
    gone: tuple[Gone, ...]
    spared: tuple[str, ...]
    """Why nothing of a folder is removed."""


async def look_for_gone(findings: Findings, collection: str, door: Door) -> Pruning:
    """Only what was found in these folders or manifests before, as its attribute says, and only
    where they can be read as a whole; a file that is there, though left out now, is not gone."""
    spared = tuple(filter(None, (_why_spared(root, findings) for root in findings.roots)))
    sure = [root for root in findings.roots if _why_spared(root, findings) is None]
    listed = {each.key for each in findings.sought} | {each.key for each in findings.troubles}
    gone: list[Gone] = []
    if sure:
        async for entry in door.listing(f"/v1/collections/{collection}/documents"):
            if any(_is_gone(entry, root, listed) for root in sure):
                gone.append(Gone(DocumentId(entry["id"]), entry["key"]))
    return Pruning(tuple(gone), spared)


async def remove(gone: Sequence[Gone], door: Door) -> list[Outcome]:
    removed = []
    for each in gone:
        try:
            await door.call("DELETE", f"/v1/documents/{each.id}")
        except Refused as error:
            if error.status != 404:  # another was faster
                raise
        removed.append(Outcome(each.key, "removed"))
    return removed


def _why_spared(root: Root, findings: Findings) -> str | None:
    if not root.whole:
        return f"{root.name} could not be read as a whole"
    if not any(each.root == root.name for each in findings.sought):
        return f"{root.name} holds no file, as a disk that is not mounted"
    return None


def _is_gone(entry: dict[str, Any], root: Root, listed: set[str]) -> bool:
    if entry["attributes"].get(ROOT) != root.name or entry["key"] in listed:
        return False
    archive = entry["attributes"].get(ARCHIVE)  # what is in one goes with it
    if archive in listed:
        return False
    return root.folder is None or not _is_there(root.folder / (archive or entry["key"]))


def _is_there(path: Path) -> bool:
    """Of a file of which nothing is known, it is said that it is there."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
