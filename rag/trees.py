"""What a repository holds at one moment: paths, and the contents behind them by their ids."""

from msgspec import Struct


class TreeFile(Struct, frozen=True):
    path: str
    """Relative, with `/`; bytes that are not UTF-8 are written as `\\xNN`."""
    oid: str
    """Git's id of its content, whether or not git has it."""
    size: int
    """In bytes."""


class LeftOut(Struct, frozen=True):
    """A file that is not searched, and why."""

    path: str
    reason: str
    size: int = 0
    oid: str = ""
    """Empty where it was not read."""


class Tree(Struct, frozen=True):
    """One state of a repository."""

    ref: str
    """As it was asked for: a branch, a tag, a commit; empty for the files as they lie there."""
    commit: str | None
    """None where there is none: a plain folder, a repository without commits."""
    dirty: bool
    """Whether files differ from those of the commit."""
    files: tuple[TreeFile, ...]
    left_out: tuple[LeftOut, ...] = ()


class Selection(Struct, frozen=True):
    """What somebody wants in or out, whatever the rules say: patterns or folders."""

    include: tuple[str, ...] = ()
    """Files that are searched though git ignores them, or their names say that it is not worth
    it."""
    exclude: tuple[str, ...] = ()
    """Files that are not searched; this goes before."""


class Repository(Struct, frozen=True):
    """Code that is searched together, in any number of its states.

    It lies beside collections, not in them: a document has one current version, and a file of a
    repository has one in each of its refs at once, known by what it is and not by when it came.
    """

    id: str
    name: str
    location: str
    """The folder it is read from."""
    created_at: str = ""
    selection: Selection = Selection()


class Snapshot(Struct, frozen=True):
    """A ref of a repository, as it was when it was indexed last."""

    repository: str
    """Its name."""
    ref: str
    """Empty for the files as they lie in its folder."""
    commit: str | None
    dirty: bool
    indexed_at: str
    seen: int
    """Files there are; the others of them are left out, each with a reason."""
    indexed: int
    chunks: int
    pending: int | None = None
    """Chunks that have no vector yet; None where nobody asked."""
    stale: bool = False
    """Whether the ref has moved since."""


class CodeFile(Struct, frozen=True):
    """A path with one of the contents it has had."""

    id: int
    path: str
    language: str
    generated: bool
    content: int
    """Number of its content: copies have the same."""
    chunks: int
