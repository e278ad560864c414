"""`rag ingest` as it is typed."""

import errno
import json
import os
import signal
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from rag.cli.outcomes import Outcome
from rag.cli.progress import Progress
from rag.cli.watching import Looks
from rag.sources.found import Findings
from rag.wiring import Services
from tests.cli.serving import Commands, written

Look: TypeAlias = Callable[[], Findings | None]
Act: TypeAlias = Callable[[Findings], bool]

FOX = "# Fox\n\nThe fox hunts at night.\n"
OWL = "# Owl\n\nThe owl sees in the dark.\n"


def test_files_are_read_and_a_second_run_writes_nothing_and_says_so(
    rag: Commands, collection: str, tmp_path: Path, service: Services
) -> None:
    docs = written(tmp_path / "docs", fox_md=FOX, deep__owl_md=OWL, blob_exe="\0\1\2")
    first = rag("ingest", docs, "-C", collection, "--report", rag.report)
    lines = rag.lines()
    with sqlite3.connect(Path(service.settings.data_dir, "library.db")) as database:
        [before] = database.execute("PRAGMA data_version").fetchone()
        second = rag("ingest", docs, "-C", collection, "--report", rag.report)
        [after] = database.execute("PRAGMA data_version").fetchone()

    assert {key: line["state"] for key, line in lines.items()} == {
        "fox.md": "indexed",
        "deep/owl.md": "indexed",
        "blob.exe": "refused",
    }
    assert lines["fox.md"]["chunks"] == 1
    assert (first.code, second.code) == (1, 1)
    assert "Nothing to do: every file that can be read is already there." in second.said
    assert "blob.exe: refused, " in second.said
    assert before == after, "the database was written to"
    assert rag.lines()["fox.md"] == lines["fox.md"] | {"state": "unchanged", "seconds": 0.0}
    assert rag.lines()["blob.exe"]["reason"] == lines["blob.exe"]["reason"]


def test_patterns_choose_files_and_what_is_left_out_is_told(
    rag: Commands, collection: str, tmp_path: Path
) -> None:
    docs = written(tmp_path / "docs", a_md=FOX, b_txt=OWL, drafts__c_md="# Draft")
    written(docs, _secret="x")
    (docs / ".git").mkdir()
    done = rag("ingest", docs, "-C", collection, "--include", "*.md", "--exclude", "drafts/")

    assert done.code == 0
    assert "left out, hidden: 1 (.secret)" in done.said
    assert "left out, folders of tools, and lock files: 1 (.git/)" in done.said
    assert "left out, by --exclude: 1 (drafts/)" in done.said
    assert "left out, not named by --include: 1 (b.txt)" in done.said
    assert "files 1 indexed 1" in done.said


def test_what_cannot_be_read_is_told_and_leaves_exit_code_1(
    rag: Commands, collection: str, tmp_path: Path
) -> None:
    docs = written(tmp_path / "docs", fox_md=FOX)
    (docs / "nowhere.md").symlink_to(docs / "gone.md")
    os.mkfifo(docs / "pipe")
    Path(os.fsdecode(bytes(docs) + b"/caf\xe9.md")).write_text(FOX)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(docs / "socket"))
        done = rag("ingest", docs, "-C", collection, "--report", rag.report)

    assert done.code == 1
    ended = {key: (line["state"], line["code"]) for key, line in rag.lines().items()}
    assert ended == {
        "fox.md": ("indexed", None),
        "nowhere.md": ("failed", "unreadable_file"),
        "pipe": ("refused", "not_a_file"),
        "socket": ("refused", "not_a_file"),
        "caf\\xe9.md": ("refused", "name_not_utf8"),
    }
    assert "Not in the collection (4):" in done.said


def test_a_manifest_names_keys_titles_and_attributes(
    rag: Commands, collection: str, tmp_path: Path
) -> None:
    docs = written(tmp_path / "docs", fox_md=FOX, owl_md=OWL)
    manifest = docs / "manifest.jsonl"
    entries = [
        {"path": "fox.md", "key": "animals/fox", "title": "Vulpes", "attributes": {"year": 1904}},
        {"path": "owl.md", "attributes": {"year": 1906, "tags": ["bird"]}},
    ]
    manifest.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    first = rag.ingest("--manifest", manifest, "-C", collection)
    found = rag("search", "fox", "-C", collection, "--filter", "year < 1905", "--json")
    asked = rag("ask", "What is a fox?", "-C", collection, "--filter", "year > 1905", "--json")
    again = rag.ingest("--manifest", manifest, "-C", collection)
    manifest.write_text(json.dumps(entries[0] | {"attributes": {"year": 1905}}) + "\n")
    changed = rag.ingest("--manifest", manifest, "-C", collection)

    assert {line["state"] for line in first.values()} == {"indexed"}
    [hit] = json.loads(found.out)["data"]
    assert (hit["key"], hit["title"]) == ("animals/fox", "Vulpes")
    shown = json.loads(asked.out)
    assert {each["key"] for each in shown["nearest"] + shown["citations"]} == {"owl.md"}
    assert {line["state"] for line in again.values()} == {"unchanged"}
    assert {key: line["state"] for key, line in changed.items()} == {"animals/fox": "indexed"}


def test_a_manifest_of_which_a_line_is_wrong_is_refused_with_its_number(
    rag: Commands, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text('\n{"path": "a.md", "colour": 1}\n')
    done = rag("ingest", "--manifest", manifest)

    assert done.code == 2
    assert "line 2" in done.err
    assert "colour" in done.err


def test_pruning_removes_what_is_gone_from_the_folder_and_nothing_else(
    rag: Commands, collection: str, tmp_path: Path
) -> None:
    docs = written(tmp_path / "docs", fox_md=FOX, owl_md=OWL, hare_md="# Hare\n\nIt runs.\n")
    other = written(tmp_path / "other", cat_md="# Cat\n\nIt sleeps.\n")
    rag.ingest(docs, "-C", collection)
    rag.ingest(other, "-C", collection)
    (docs / "owl.md").unlink()
    (other / "cat.md").unlink()
    seen = rag("ingest", docs, "-C", collection, "--prune", "--dry-run")
    unasked = rag("ingest", docs, "-C", collection, "--prune")
    lines = rag.ingest(docs, "-C", collection, "--prune", "--yes", "--exclude", "hare.md")
    found = rag("search", "owl cat hare", "-C", collection, "--json")

    assert "Would be removed (1): owl.md" in seen.said
    assert (unasked.code, "add --yes" in unasked.err) == (2, True)
    assert {key: line["state"] for key, line in lines.items()} == {
        "fox.md": "unchanged",
        "owl.md": "removed",
    }
    assert {hit["key"] for hit in json.loads(found.out)["data"]} == {"fox.md", "cat.md", "hare.md"}


def test_nothing_is_pruned_where_a_folder_could_not_be_read(
    rag: Commands, collection: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = written(tmp_path / "docs", fox_md=FOX, deep__owl_md=OWL)
    rag.ingest(docs, "-C", collection)
    (docs / "deep" / "owl.md").unlink()
    with monkeypatch.context() as broken:
        broken.setattr("rag.sources.walking.os.scandir", refusing(docs / "deep"))
        done = rag("ingest", docs, "-C", collection, "--prune", "--yes")
    found = rag("search", "owl", "-C", collection, "--json")

    assert done.code == 1
    assert "could not be read as a whole" in done.said
    assert "deep/: failed, Permission denied" in done.said
    assert "owl.md" in found.out


def refusing(folder: Path) -> Callable[[Path], object]:
    """A folder as those see it who may not."""
    scandir = os.scandir

    def scan(path: Path) -> object:
        if path == folder:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return scandir(path)

    return scan


def test_pruning_by_a_manifest_removes_what_it_no_longer_names(
    rag: Commands, collection: str, tmp_path: Path
) -> None:
    docs = written(tmp_path / "docs", fox_md=FOX, owl_md=OWL)
    manifest = docs / "manifest.jsonl"
    manifest.write_text('{"path": "fox.md", "key": "a/fox"}\n{"path": "owl.md", "key": "a/owl"}\n')
    rag.ingest("--manifest", manifest, "-C", collection)
    manifest.write_text('{"path": "fox.md", "key": "a/fox"}\n')
    lines = rag.ingest("--manifest", manifest, "-C", collection, "--prune", "--yes")
    manifest.write_text('{"path": "fox.md", "key": "/a//fox"}\n')
    odd = rag("ingest", "--manifest", manifest, "-C", collection, "--prune", "--yes")

    assert {key: line["state"] for key, line in lines.items()} == {
        "a/fox": "unchanged",
        "a/owl": "removed",
    }
    assert (odd.code, "a key is a relative path" in odd.err) == (2, True)


def test_an_emptied_folder_is_not_taken_for_one_whose_files_are_gone(
    rag: Commands, collection: str, tmp_path: Path
) -> None:
    docs = written(tmp_path / "docs", fox_md=FOX)
    rag.ingest(docs, "-C", collection)
    (docs / "fox.md").unlink()
    manifest = written(tmp_path / "other", owl_md=OWL)
    done = rag("ingest", docs, manifest, "-C", collection, "--prune", "--yes")

    assert "as a disk that is not mounted" in done.said
    assert "No document's file is gone" in done.said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give a PATH"),
        (("--watch", "--dry-run", "x"), "--watch goes with neither"),
        (("x", "--exclude", "/"), "a pattern needs a name"),
    ],
)
def test_options_that_contradict_one_another_end_with_exit_code_2(
    rag: Commands, words: tuple[str, ...], said: str
) -> None:
    done = rag("ingest", *words)

    assert done.code == 2
    assert said in done.err


def test_a_watched_folder_is_followed_and_its_report_with_it(
    rag: Commands, collection: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = written(tmp_path / "docs", fox_md=FOX, owl_md=OWL)

    def changes(look: Look, act: Act, seen: Looks) -> None:
        written(docs, hare_md="# Hare\n\nThe hare runs.\n")
        (docs / "owl.md").unlink()
        found = look()
        assert found is not None
        assert act(found)
        raise KeyboardInterrupt

    monkeypatch.setattr("rag.cli.ingest.watch", changes)
    words = (docs, "-C", collection, "--watch", "--prune", "--yes", "--report", rag.report)
    done = rag("ingest", *words)

    assert "Watching; Ctrl+C stops." in done.said
    assert {key: line["state"] for key, line in rag.lines().items()} == {
        "fox.md": "unchanged",
        "hare.md": "indexed",
        "owl.md": "removed",
    }


def test_an_interrupted_run_keeps_its_account_and_goes_on(
    rag: Commands, collection: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = written(tmp_path / "docs", **{f"n{n}_md": f"# Note {n}\n\nText.\n" for n in range(45)})
    ended = 0

    def interrupting(progress: Progress, outcome: Outcome) -> None:
        nonlocal ended
        ended += 1
        if ended == 1:
            signal.raise_signal(signal.SIGINT)  # as Ctrl+C

    with monkeypatch.context() as patched:
        patched.setattr("rag.cli.progress.Progress.told", interrupting)
        former = signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal
        done = rag("ingest", docs, "-C", collection, "--report", rag.report)
        signal.signal(signal.SIGINT, former)
        lines = rag.lines()
    again = rag.ingest(docs, "-C", collection)

    assert done.code == 1
    assert "the same command goes on" in done.said
    assert 1 <= len(lines) < 45
    assert {line["state"] for line in again.values()} <= {"indexed", "unchanged"}
    assert len(again) == 45
    found = rag("search", "note", "-C", collection, "-k", "50", "--json")
    assert len(json.loads(found.out)["data"]) == 45


def test_a_renamed_file_is_neither_read_nor_embedded_again(
    rag: Commands,
    collection: str,
    tmp_path: Path,
    service: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    docs = written(tmp_path / "docs", fox_md=FOX)
    rag.ingest(docs, "-C", collection)
    (docs / "fox.md").rename(docs / "vulpes.md")

    async def never(*_: object) -> None:
        raise AssertionError("a renamed file was read or embedded")

    reader = service.readers["text/markdown"]
    monkeypatch.setattr(type(reader), "read", never)
    for embedder in service.embedders.values():
        monkeypatch.setattr(type(embedder), "embed", never)
    lines = rag.ingest(docs, "-C", collection, "--prune", "--yes")
    found = rag("search", "fox", "-C", collection, "--mode", "words", "--json")

    assert {key: line["state"] for key, line in lines.items()} == {
        "vulpes.md": "indexed",
        "fox.md": "removed",
    }
    assert [hit["key"] for hit in json.loads(found.out)["data"]] == ["vulpes.md"]


def test_what_markdown_says_of_itself_is_filtered_by(
    rag: Commands, collection: str, tmp_path: Path
) -> None:
    docs = written(tmp_path / "docs", fox_md=f"---\nyear: 1904\n---\n{FOX}", deep__owl_md=OWL)
    rag.ingest(docs, "-C", collection)

    def keys(condition: str) -> set[str]:
        done = rag("search", "animal", "-C", collection, "--filter", condition, "--json")
        return {hit["key"] for hit in json.loads(done.out)["data"]}

    assert keys("year = 1904") == {"fox.md"}
    assert keys("file.folder = deep and file.extension = md") == {"deep/owl.md"}
    assert keys("file.modified > 2020") == {"fox.md", "deep/owl.md"}
