"""What somebody wants in or out goes before the rules, and is remembered."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.codebase.indexing import index
from rag.codebase.searching import CodeQuery, search_code
from rag.storage.library import Library
from rag.trees import Selection
from tests.codebase.repositories import git, repository, write

FILES = {
    ".gitignore": "build/\n*.secret\n",
    "src/ship.py": "def sail():\n    return 'anchor'\n",
    "docs/ship.md": "The anchor of a ship.\n",
    "yarn.lock": "anchor 1.0\n",
}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "data") as library:
        yield library


@pytest.fixture
def code(tmp_path: Path) -> Path:
    code = repository(tmp_path / "code", FILES)
    write(code, {"build/made.py": "ANCHOR = 1  # anchor\n", "key.secret": "anchor\n"})
    return code


def found(library: Library) -> set[str]:
    hits = search_code(CodeQuery("anchor"), library.code.all(), library=library).hits
    return {hit.path for hit in hits}


def left_out(library: Library, ref: str = "") -> dict[str, str]:
    [repository] = library.code.all()
    return {each.path: each.reason for each in library.code.left_out(repository, ref)}


def test_the_rules_hold_where_nothing_is_said(library: Library, code: Path) -> None:
    index(code, None, library=library)

    assert found(library) == {"src/ship.py", "docs/ship.md"}
    assert left_out(library) == {"yarn.lock": "lock file"}


def test_what_is_included_is_searched_though_it_is_ignored(library: Library, code: Path) -> None:
    done = index(code, None, selection=Selection(("build", "yarn.lock")), library=library)

    assert found(library) == {"src/ship.py", "docs/ship.md", "build/made.py", "yarn.lock"}
    assert not done.snapshot.dirty  # what git ignores is no change


def test_what_is_excluded_is_left_out_with_its_reason_and_so_the_next_time(
    library: Library, code: Path
) -> None:
    index(code, None, selection=Selection((), ("docs/**",)), library=library)
    assert found(library) == {"src/ship.py"}

    index(code, "main", library=library)

    assert found(library) == {"src/ship.py"}
    assert left_out(library, "main")["docs/ship.md"] == "excluded"
    assert "excluded" in left_out(library).values()


def test_to_exclude_goes_before_to_include(library: Library, code: Path) -> None:
    index(code, None, selection=Selection(("build",), ("*.py",)), library=library)

    assert found(library) == {"docs/ship.md"}


def test_a_folder_without_git_has_the_same_rules(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    write(folder, {**FILES, "build/made.py": "anchor = 1\n"})

    index(folder, None, selection=Selection(("build/*.py",)), library=library)

    assert found(library) == {"src/ship.py", "docs/ship.md", "build/made.py"}


def test_a_link_that_is_included_is_not_followed(library: Library, code: Path) -> None:
    (code / "outside.txt").parent.joinpath("../outside.txt").resolve().write_text("anchor\n")
    (code / "build/link.py").symlink_to("../../outside.txt")

    index(code, None, selection=Selection(("build",)), library=library)

    assert left_out(library)["build/link.py"] == "symbolic link"
    assert git(code, "status", "--porcelain") == ""
