"""Files on a command line become sources with keys that do not depend on the machine."""

import os
from pathlib import Path

import pytest

from rag.errors import InvalidRequest
from rag.sources.folder import find, look
from rag.sources.found import Found, LeftOut
from rag.sources.patterns import Patterns
from rag.sources.walking import LINK_OUT, Choice


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    for name in ("b.md", "a.pdf", "deep/er/c.txt", ".hidden/x.md", ".dot.md", "~$lock.docx"):
        path = tmp_path / "papers" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "papers"


def test_keys_are_relative_to_the_folder_and_hidden_files_are_left(papers: Path) -> None:
    assert [found.key for found in find([str(papers)])] == ["a.pdf", "b.md", "deep/er/c.txt"]


def test_an_absolute_path_alone_is_known_by_its_name(papers: Path) -> None:
    assert list(find([str(papers / "b.md")])) == [Found("b.md", papers / "b.md")]


def test_a_relative_path_alone_keeps_it(papers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(papers.parent)

    assert [found.key for found in find(["./papers/b.md"])] == ["papers/b.md"]


def test_a_glob_is_expanded(papers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(papers)

    assert [found.key for found in find(["**/*.txt", "*.md"])] == ["deep/er/c.txt", "b.md"]


def test_the_same_file_named_twice_is_found_once(papers: Path) -> None:
    assert len(list(find([str(papers), str(papers)]))) == 3


def test_two_files_with_one_key_are_refused(papers: Path) -> None:
    other = papers.parent / "other"
    other.mkdir()
    (other / "b.md").write_text("another b")

    with pytest.raises(InvalidRequest, match=r"the key 'b\.md'"):
        list(find([str(papers), str(other)]))


@pytest.mark.parametrize("argument", ["no-such-folder", "*.nothing"])
def test_a_path_that_names_nothing_is_refused(
    argument: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InvalidRequest):
        list(find([argument]))


def test_a_loop_of_links_ends(papers: Path) -> None:
    (papers / "deep" / "loop").symlink_to(papers, target_is_directory=True)

    assert len(list(find([str(papers)]))) == 3


def test_links_are_followed_within_their_folder_and_never_out_of_it(papers: Path) -> None:
    outside = papers.parent / "secret.md"
    outside.write_text("secret")
    (papers / "out.md").symlink_to(outside)
    (papers / "within.md").symlink_to(papers / "b.md")
    (papers / "circle.md").symlink_to(papers / "circle.md")
    findings = look([str(papers)])

    assert [each.key for each in findings.files] == ["a.pdf", "b.md", "within.md", "deep/er/c.txt"]
    assert LeftOut("out.md", LINK_OUT) in findings.left_out
    [trouble] = findings.troubles
    assert (trouble.key, trouble.state) == ("circle.md", "failed")


def test_an_excluded_folder_is_not_even_looked_into(
    papers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    scandir = os.scandir

    def seen(path: Path) -> object:
        looked.append(path.name)
        return scandir(path)

    monkeypatch.setattr("rag.sources.walking.os.scandir", seen)
    look([str(papers)], Choice(exclude=Patterns(["deep/"])))

    assert looked == ["papers"]


def test_hidden_files_are_found_when_they_are_asked_for(papers: Path) -> None:
    findings = look([str(papers)], Choice(hidden=True))

    assert {".dot.md", ".hidden/x.md"} <= {each.key for each in findings.files}


def test_a_hidden_file_that_was_named_is_meant(papers: Path) -> None:
    assert [each.key for each in find([str(papers / ".dot.md")])] == [".dot.md"]
