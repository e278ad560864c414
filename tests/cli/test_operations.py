"""check, rebuild, backup and restore as an operator types them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LIMIT = 200  # seconds


class Shell:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(
        self, *words: str | Path, library: str = "library"
    ) -> "subprocess.CompletedProcess[str]":
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("RAG_", "MISTRAL_"))}
        return subprocess.run(
            [sys.executable, "-m", "rag", *map(str, words)],
            env={**kept, "RAG_DATA_DIR": str(self.folder / library)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    shell = Shell(tmp_path_factory.mktemp("operations"))
    (shell.folder / "fox.md").write_text("# Fox\n\nThe red fox hunts at night.\n")
    done = shell.run("ingest", shell.folder / "fox.md", "-q")
    assert done.returncode == 0, done.stderr
    return shell


def test_a_backup_is_restored_and_answers(shell: Shell) -> None:
    made = shell.run("backup", "fox.tar", "-q")
    restored = shell.run("restore", "fox.tar", library="second")
    found = shell.run("search", "when does the fox hunt", "--json", library="second")

    assert made.returncode == 0, made.stderr
    assert "read back: 1 documents" in made.stderr
    assert restored.returncode == 0, restored.stderr
    assert json.loads(found.stdout)["data"][0]["key"] == "fox.md"


def test_a_sound_library_is_told_to_be_sound(shell: Shell) -> None:
    done = shell.run("check", "--json", "-q")
    checked: dict[str, Any] = json.loads(done.stdout)

    assert (done.returncode, checked["sound"], checked["flaws"]) == (0, True, [])


def test_a_flaw_is_told_with_its_remedy_and_ends_with_1(shell: Shell) -> None:
    stranger = shell.folder / "library" / "holiday.jpg"
    stranger.write_bytes(b"")
    done = shell.run("check", "-q")
    stranger.unlink()

    assert done.returncode == 1
    assert "holiday.jpg" in done.stdout
    assert "for you:" in done.stdout


def test_indexes_are_built_again(shell: Shell) -> None:
    done = shell.run("rebuild")

    assert done.returncode == 0, done.stderr
    assert "2 indexes were built again" in done.stderr


def test_what_is_no_backup_is_refused(shell: Shell) -> None:
    done = shell.run("restore", "fox.md", library="third")

    assert done.returncode == 2
    assert "archive" in done.stderr


def test_there_is_nothing_to_back_up_where_there_is_no_library(shell: Shell) -> None:
    done = shell.run("backup", "none.tar", library="nowhere")

    assert done.returncode == 2
    assert not (shell.folder / "none.tar").exists()
