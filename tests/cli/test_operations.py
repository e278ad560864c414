"""check, rebuild, backup and restore as an operator types them."""

import json
from typing import Any

import pytest

from tests.cli.shells import Shell


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    shell = Shell(tmp_path_factory.mktemp("operations"))
    (shell.folder / "fox.md").write_text("# Fox\n\nThe red fox hunts at night.\n")
    done = shell.run("ingest", shell.folder / "fox.md", "-q")
    assert done.code == 0, done.err
    return shell


def test_a_backup_is_restored_and_answers(shell: Shell) -> None:
    made = shell.run("backup", "fox.tar", "-q")
    restored = shell.run("restore", "fox.tar", library="second")
    found = shell.run("search", "when does the fox hunt", "--json", library="second")

    assert made.code == 0, made.err
    assert "read back: 1 documents" in made.err
    assert restored.code == 0, restored.err
    assert json.loads(found.out)["data"][0]["key"] == "fox.md"


def test_a_sound_library_is_told_to_be_sound(shell: Shell) -> None:
    done = shell.run("check", "--json", "-q")
    checked: dict[str, Any] = json.loads(done.out)

    assert (done.code, checked["sound"], checked["flaws"]) == (0, True, [])


def test_a_flaw_is_told_with_its_remedy_and_ends_with_1(shell: Shell) -> None:
    stranger = shell.folder / "library" / "holiday.jpg"
    stranger.write_bytes(b"")
    done = shell.run("check", "-q")
    stranger.unlink()

    assert done.code == 1
    assert "holiday.jpg" in done.out
    assert "for you:" in done.out


def test_indexes_are_built_again(shell: Shell) -> None:
    done = shell.run("rebuild")

    assert done.code == 0, done.err
    assert "2 indexes were built again" in done.err


def test_what_is_no_backup_is_refused(shell: Shell) -> None:
    done = shell.run("restore", "fox.md", library="third")

    assert done.code == 2
    assert "archive" in done.err


def test_there_is_nothing_to_back_up_where_there_is_no_library(shell: Shell) -> None:
    done = shell.run("backup", "none.tar", library="nowhere")

    assert done.code == 2
    assert not (shell.folder / "none.tar").exists()
