"""What nobody would make on purpose: a clear word, nothing executed, nothing outside read."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.codebase.indexing import Indexed, index
from rag.codebase.searching import CodeQuery, search_code
from rag.errors import InvalidRequest, NotFound
from rag.sources.git.worktrees import LARGEST
from rag.storage.library import Library
from tests.codebase.repositories import commit, git, repository, write

CODE = {"a.py": "def found():\n    return 'here'\n"}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "data") as library:
        yield library


def paths(library: Library, text: str = "found") -> list[str]:
    hits = search_code(CodeQuery(text), library.code.all(), library=library).hits
    return [hit.path for hit in hits]


def reasons(library: Library, done: Indexed) -> dict[str, str]:
    repository = library.code.find(done.snapshot.repository)
    left = library.code.left_out(repository, done.snapshot.ref)
    return {each.path: each.reason for each in left}


def test_a_repository_without_commits_has_the_files_that_lie_there(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    write(folder, CODE)
    git(folder, "init", "--quiet")

    done = index(folder, None, library=library)

    assert (done.snapshot.commit, done.snapshot.dirty, paths(library)) == (None, True, ["a.py"])
    with pytest.raises(NotFound, match="no commit, branch or tag 'HEAD'"):
        index(folder, "HEAD", library=library)


def test_an_empty_bare_repository_says_that_it_has_no_commit(
    library: Library, tmp_path: Path
) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "empty.git")

    with pytest.raises(NotFound, match="no commit"):
        index(tmp_path / "empty.git", None, library=library)
    assert library.code.all() == ()


@pytest.mark.parametrize("ref", ["nowhere", "-h", "--output=x", "HEAD..main", "a b", "@{-9}", ""])
def test_a_ref_that_is_none_is_refused_and_nothing_is_kept(
    library: Library, tmp_path: Path, ref: str
) -> None:
    code = repository(tmp_path / "code", CODE)

    if ref == "":
        assert index(code, ref, library=library).snapshot.commit is not None
        return
    with pytest.raises(NotFound, match="no commit, branch or tag"):
        index(code, ref, library=library)
    assert library.code.all() == ()


def test_a_shallow_clone_has_all_of_its_newest_commit(library: Library, tmp_path: Path) -> None:
    code = repository(tmp_path / "code", CODE)
    write(code, {"b.py": "def found_too():\n    pass\n"})
    commit(code, "second")
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{code}", "shallow")

    index(tmp_path / "shallow", "HEAD", library=library)

    assert sorted(paths(library)) == ["a.py", "b.py"]
    with pytest.raises(NotFound):
        index(tmp_path / "shallow", "HEAD~1", library=library)


def test_odd_names_are_names(library: Library, tmp_path: Path) -> None:
    odd = ["-rf.py", "--help.py", "a\nb.py", "sp ace.py", "qu'ote\".py", ":(glob)x.py", "ünï.py"]
    code = repository(tmp_path / "code", {name: f"def found(): return {name!r}\n" for name in odd})
    (code / os.fsdecode(b"\xff\xfe.py")).write_text("def found(): return 0\n")

    as_it_lies = index(code, None, library=library)
    committed = index(code, "main", library=library)

    assert as_it_lies.snapshot.indexed == len(odd) + 1
    assert committed.snapshot.indexed == len(odd)
    assert set(paths(library)) == set(odd)


def test_links_that_go_round_and_files_that_are_none_are_left_out(
    library: Library, tmp_path: Path
) -> None:
    code = repository(tmp_path / "code", CODE)
    (code / "loop").symlink_to("loop")
    (code / "round").symlink_to(".", target_is_directory=True)
    os.mkfifo(code / "pipe.py")

    done = index(code, None, library=library)

    assert paths(library) == ["a.py"]
    assert reasons(library, done) == {"loop": "symbolic link", "round": "symbolic link"}


def test_a_file_of_a_hundred_megabytes_is_not_read(library: Library, tmp_path: Path) -> None:
    code = repository(tmp_path / "code", CODE)
    with (code / "large.py").open("wb") as file:
        file.truncate(100_000_000)

    done = index(code, None, library=library)

    assert reasons(library, done) == {"large.py": f"larger than {LARGEST:,} bytes"}
    assert paths(library) == ["a.py"]


def test_attributes_filters_and_hooks_of_a_repository_run_nothing(
    library: Library, tmp_path: Path
) -> None:
    code = repository(tmp_path / "code", CODE)
    touched = tmp_path / "touched"
    program = f"touch {touched}; cat"
    for name in (
        "filter.bad.clean",
        "filter.bad.smudge",
        "filter.bad.process",
        "diff.bad.textconv",
    ):
        git(code, "config", name, program)
    git(code, "config", "core.fsmonitor", program)
    git(code, "config", "uploadpack.packObjectsHook", program)
    write(code, {".gitattributes": "* filter=bad diff=bad working-tree-encoding=UTF-16\n"})
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        path = code / ".git/hooks" / hook
        path.write_text(f"#!/bin/sh\n{program}\n")
        path.chmod(0o755)

    index(code, None, library=library)
    index(code, "main", library=library)

    assert paths(library) == ["a.py"]
    assert not touched.exists()


def test_a_folder_that_only_looks_like_a_repository_says_so(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "fake.git"
    write(folder, {"HEAD": "nonsense", "objects/a.py": "def found(): pass\n"})

    with pytest.raises(InvalidRequest, match="git cannot read this repository"):
        index(folder, None, library=library)


@pytest.mark.parametrize(
    "text", ["\0", "\x1b[31m", "\ufffd" * 9, "((((", '"', "/", "//", "a" * 99_999]
)
def test_no_question_is_too_odd(library: Library, tmp_path: Path, text: str) -> None:
    index(repository(tmp_path / "code", CODE), None, library=library)

    assert paths(library, text) in ([], ["a.py"])
