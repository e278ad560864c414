"""What was changed in a repository, commit by commit: names alone, so nothing of it is executed."""

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from rag.sources.git.objects import commit_of, shown
from rag.sources.git.running import git

_BEGIN, _FIELD = b"\x1e", b"\x1f"
_FORMAT = "--format=%x1e%H%x1f%P%x1f%s"


class Commit(Struct, frozen=True):
    id: str
    parent: str
    subject: str
    modified: tuple[str, ...]
    """Paths that it found there and left there, changed."""
    touched: int
    """All that it changed, added and removed."""


def commits_of(folder: Path, ref: str, most: int) -> Iterator[Commit]:
    """The latest first, none before one that comes of it; merges are left out.

    Raises:
        NotFound: no such ref.
    """
    listed = git(
        folder,
        "log",
        "--no-merges",
        "--topo-order",
        f"--max-count={most}",
        "-z",
        _FORMAT,
        "--raw",
        "--no-renames",
        "--no-abbrev",
        "--no-ext-diff",
        "--no-textconv",
        "--no-show-signature",
        "--end-of-options",
        commit_of(folder, ref),
    )
    for told in listed.split(_BEGIN)[1:]:
        head, _, changes = told.partition(b"\0")
        id, parents, subject = (each.decode(errors="replace") for each in head.split(_FIELD, 2))
        if parents:  # the first commit has nothing to be found in
            kinds = list(_changes(changes))
            modified = tuple(path for kind, path in kinds if kind == "M")
            yield Commit(id, parents.split()[0], subject, modified, len(kinds))


def _changes(told: bytes) -> Iterator[tuple[str, str]]:
    """Kind and path of each: `:100644 100644 <oid> <oid> M`, and the path after it."""
    fields = [field.lstrip(b"\n") for field in told.split(b"\0")]
    pairs = zip(fields[::2], fields[1::2], strict=False)
    return ((facts.split()[-1].decode(), shown(path)) for facts, path in pairs if facts)
