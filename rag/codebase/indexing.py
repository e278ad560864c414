"""A repository -> its searchable state: list, look at what is new, publish, follow with words.

What was looked at is kept by what it is, a few hundred files at a time. So a run that is broken
off goes on where it was, and a rename, a branch, a revert or a second clone costs a listing.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from rag.codebase.narrowing import matching
from rag.sources.git.repository import Place
from rag.storage.code.contents import Content
from rag.storage.library import Library
from rag.syntax.cutting import outline
from rag.syntax.languages import language_of
from rag.syntax.outline import Outline
from rag.syntax.worth import is_generated, unwanted_content, unwanted_name
from rag.trees import LeftOut, Selection, Snapshot, Tree, TreeFile

NOTHING = Selection()

KEPT_AT_ONCE = 300
"""Files in one transaction: a second's work, which is what a crash costs."""


class Progress(Struct, frozen=True):
    files: int
    looked_at: int
    """Of those that are new."""
    new: int


class Indexed(Struct, frozen=True):
    """What an indexing did."""

    snapshot: Snapshot
    new_files: int
    """Whose content was not known before."""
    left_out: dict[str, int]
    """How many files, by the reason why they are not searched."""


def name_of(folder: Path) -> str:
    """What a repository is called where nobody named it: its folder."""
    bare = folder.name.removesuffix(".git")
    return bare if bare not in {"", "repo"} else folder.parent.name


def index(
    folder: Path,
    ref: str | None,
    *,
    name: str | None = None,
    location: str | None = None,
    selection: Selection | None = None,
    library: Library,
    told: Callable[[Progress], None] = lambda _: None,
) -> Indexed:
    """Words are searchable when it returns.

    Args:
        location: where it is from, if the folder is only our copy.
        selection: what is wanted in or out, from now on; None for what was said before.

    Raises:
        NotFound: no such folder, or no such ref.
        Conflict: the name is another repository's.
        InvalidRequest: there is nothing to index.
    """
    place = Place(folder)
    called = name or name_of(place.folder)
    chosen = selection or library.code.selection(called)
    tree = worth_reading(place.tree(ref, included(chosen)), chosen)
    languages = [language_of(file.path) for file in tree.files]
    repository = library.code.create(called, location or str(place.folder))
    if selection is not None:
        library.code.select(repository, selection)
    pairs = [(file.oid, language) for file, language in zip(tree.files, languages, strict=True)]
    unknown = set(library.code.unknown(pairs))
    new = {pair: file for pair, file in zip(pairs, tree.files, strict=True) if pair in unknown}
    done = 0
    for contents in _looked_at(place, new):
        library.code.keep(contents)
        done += len(contents)
        told(Progress(len(tree.files), done, len(new)))
    snapshot = library.code.publish(repository, tree, languages)
    library.code.view(repository, tree.ref)
    return Indexed(snapshot, len(new), reasons(library.code.left_out(repository, tree.ref)))


def reasons(left_out: Sequence[LeftOut]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for each in left_out:
        counted[each.reason] = counted.get(each.reason, 0) + 1
    return counted


def included(selection: Selection) -> Callable[[str], bool] | None:
    """Whether a path is wanted though it is ignored; None where none is."""
    if not selection.include:
        return None
    wanted = matching(selection.include)
    return lambda path: bool(wanted(path))


def worth_reading(tree: Tree, selection: Selection = NOTHING) -> Tree:
    """Without what is excluded, and what its name says is not worth reading."""
    is_wanted = included(selection) or (lambda _: False)
    is_excluded = matching(selection.exclude) if selection.exclude else lambda _: False
    files: list[TreeFile] = []
    left_out = list(tree.left_out)
    for file in tree.files:
        reason = None if is_wanted(file.path) else unwanted_name(file.path)
        reason = "excluded" if is_excluded(file.path) else reason
        if reason is None:
            files.append(file)
        else:
            left_out.append(LeftOut(file.path, reason, file.size, file.oid))
    return Tree(tree.ref, tree.commit, tree.dirty, tuple(files), tuple(left_out))


def _looked_at(place: Place, new: dict[tuple[str, str], TreeFile]) -> Iterator[list[Content]]:
    languages = [language for _, language in new]
    batch: list[Content] = []
    read = place.contents(list(new.values()))
    for (file, content), language in zip(read, languages, strict=True):
        batch.append(look_at(file, language, content))
        if len(batch) == KEPT_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def look_at(file: TreeFile, language: str, content: bytes | None) -> Content:
    """What becomes of one file's bytes, whatever they are."""
    reason = "git has lost its content" if content is None else unwanted_content(content)
    if content is None or reason is not None:
        return Content(file.oid, Outline(language, ()), "", reason)
    text = content.decode("utf-8-sig", errors="replace")
    return Content(
        file.oid,
        outline(language, text),
        text,
        generated=is_generated(file.path, content),
    )
