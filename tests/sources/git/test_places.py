"""Reading code from git: any ref, bare or not, what git ignores, and nothing executed."""

from pathlib import Path

import pytest

from rag.errors import NotFound
from rag.sources.git.repository import Place
from rag.trees import Tree
from tests.codebase.repositories import commit, git, repository, write


def held(place: Place, tree: Tree) -> dict[str, bytes | None]:
    return {file.path: content for file, content in place.contents(tree.files)}


def test_any_ref_is_read_without_a_checkout(tmp_path: Path) -> None:
    folder = repository(tmp_path / "code", {"a.py": "one"})
    git(folder, "tag", "v1")
    write(folder, {"a.py": "two", "b/c.py": "three"})
    head = commit(folder, "second")
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(folder), str(bare))

    for where in (folder, bare):
        place = Place(where)
        assert held(place, place.tree("v1")) == {"a.py": b"one"}
        assert held(place, place.tree(head[:10])) == {"a.py": b"two", "b/c.py": b"three"}
    assert Place(bare).tree(None).commit == head


def test_the_files_as_they_lie_there_are_the_commit_and_what_was_changed(tmp_path: Path) -> None:
    folder = repository(tmp_path / "code", {"a.py": "one", "b.py": "two", ".gitignore": "*.log\n"})
    place = Place(folder)
    assert not place.tree(None).dirty

    write(folder, {"a.py": "changed", "new.py": "three", "noise.log": "ignored"})
    (folder / "b.py").unlink()
    tree = place.tree(None)

    assert tree.dirty
    assert held(place, tree) == {
        ".gitignore": b"*.log\n",
        "a.py": b"changed",
        "new.py": b"three",
    }


def test_a_content_has_the_id_that_git_gives_it(tmp_path: Path) -> None:
    folder = repository(tmp_path / "code", {"a.py": "one"})
    place = Place(folder)

    assert place.tree(None).files == place.tree("HEAD").files


def test_a_plain_folder_is_read_by_the_same_rules(tmp_path: Path) -> None:
    write(tmp_path / "code", {"a.py": "one", "b/x.tmp": "two", ".gitignore": "*.tmp\n"})
    place = Place(tmp_path / "code")

    tree = place.tree(None)

    assert sorted(held(place, tree)) == [".gitignore", "a.py"]
    assert tree.commit is None
    with pytest.raises(NotFound, match="has no refs"):
        place.tree("main")


@pytest.mark.parametrize("ref", ["nowhere", "--all", "main:a.py", "HEAD~7"])
def test_an_unknown_ref_is_refused(tmp_path: Path, ref: str) -> None:
    place = Place(repository(tmp_path / "code", {"a.py": "one"}))

    with pytest.raises(NotFound, match="no commit, branch or tag"):
        place.tree(ref)


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    write(tmp_path / "outside", {"secret.py": "secret"})
    folder = repository(tmp_path / "code", {"a.py": "one", "sub/secret.py": "mine"})
    (folder / "link.py").symlink_to(tmp_path / "outside/secret.py")
    (folder / "sub/secret.py").unlink()
    (folder / "sub").rmdir()
    (folder / "sub").symlink_to(tmp_path / "outside")
    (folder / "loop").symlink_to(folder)
    place = Place(folder)

    tree = place.tree(None)

    assert held(place, tree) == {"a.py": b"one"}
    assert {each.path: each.reason for each in tree.left_out} == {
        "link.py": "symbolic link",
        "loop": "symbolic link",
        "sub": "symbolic link",
        "sub/secret.py": "behind a symbolic link",
    }


def test_a_git_file_that_points_anywhere_is_not_followed(tmp_path: Path) -> None:
    other = repository(tmp_path / "other", {"secret.py": "secret"})
    write(tmp_path / "code", {".git": f"gitdir: {other}/.git\n", "a.py": "one"})

    assert Place(tmp_path / "code").tree(None).commit is None


def test_a_linked_work_tree_is_read_at_its_own_commit(tmp_path: Path) -> None:
    folder = repository(tmp_path / "code", {"a.py": "one"})
    git(folder, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    write(tmp_path / "side", {"b.py": "two"})
    head = commit(tmp_path / "side", "on the side")

    tree = Place(tmp_path / "side").tree(None)

    assert (tree.commit, tree.dirty) == (head, False)
    assert [file.path for file in tree.files] == ["a.py", "b.py"]


def test_nothing_that_a_repository_names_is_executed(tmp_path: Path) -> None:
    folder = repository(
        tmp_path / "code", {"a.py": "one", ".gitattributes": "*.py filter=evil diff=evil\n"}
    )
    touched = tmp_path / "executed"
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {touched}\ncat\n")
    script.chmod(0o755)
    for setting in (
        "core.fsmonitor",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "core.pager",
        "core.sshCommand",
        "core.alternateRefsCommand",
    ):
        git(folder, "config", setting, str(script))
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        (folder / ".git/hooks").mkdir(exist_ok=True)
        (folder / ".git/hooks" / hook).symlink_to(script)
    write(folder, {"a.py": "two"})
    place = Place(folder)

    assert held(place, place.tree(None))["a.py"] == b"two"
    assert held(place, place.tree("HEAD"))["a.py"] == b"one"
    assert not touched.exists()


def test_submodules_and_names_that_are_not_utf8_are_told(tmp_path: Path) -> None:
    folder = repository(tmp_path / "code", {"-dash.py": "one"})
    (folder / b"caf\xe9.py".decode(errors="surrogateescape")).write_bytes(b"two")
    head = commit(folder, "odd names")
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{head},module")
    git(folder, "commit", "--quiet", "--message", "a module")
    place = Place(folder)

    for ref in (None, "HEAD"):
        tree = place.tree(ref)
        assert held(place, tree) == {"-dash.py": b"one", "caf\\xe9.py": b"two"}
    assert [each.reason for each in place.tree("HEAD").left_out] == ["submodule"]


def test_an_object_that_is_lost_or_damaged_fails_alone(tmp_path: Path) -> None:
    folder = repository(tmp_path / "code", {"a.py": "one", "b.py": "two", "c.py": "three"})
    place = Place(folder)
    tree = place.tree("HEAD")
    lost = {file.path: folder / ".git/objects" / file.oid[:2] / file.oid[2:] for file in tree.files}
    lost["a.py"].unlink()

    assert held(place, place.tree("HEAD"))["b.py"] == b"two"
