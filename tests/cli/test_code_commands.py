"""`rag code`, and `rag ask` of code, as they are typed."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from rag.cli.codewatch import looked
from rag.errors import InvalidRequest
from tests.cli.serving import Commands
from tests.codebase.repositories import commit, git, repository, write

FILES = {
    "src/retry.py": "class RetryPolicy:\n"
    '    """How often a call is tried again."""\n\n'
    "    def may_retry(self, attempt):\n"
    "        return attempt < 5\n",
    "src/client.py": "from retry import RetryPolicy\n\npolicy = RetryPolicy()\n",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return repository(tmp_path_factory.mktemp("code") / "shop", FILES)


def test_code_is_asked_with_its_file_and_lines(rag: Commands, shop: Path) -> None:
    assert rag("code", "index", shop, "--words-only").code == 0

    shown = rag("ask", "where is RetryPolicy defined", "--repo", shop)
    assert f"src/retry.py:1-2, shop at {git(shop, 'rev-parse', 'HEAD')[:12]}" in shown.out
    assert '    class RetryPolicy:\n        """How often' in shown.out
    [line] = rag("ask", "where is RetryPolicy defined", "--repo", "shop", "--json").out.splitlines()
    assert json.loads(line)["citations"][0]["code"]["path"] == "src/retry.py"


def test_a_repository_that_is_not_indexed_cannot_be_asked(rag: Commands, tmp_path: Path) -> None:
    done = rag("ask", "where is it", "--repo", tmp_path)

    assert done.code == 2
    assert "is indexed; there are:" in done.said


def test_a_repository_is_measured_by_its_own_history(rag: Commands, tmp_path: Path) -> None:
    code = repository(tmp_path / "calls", FILES | {"src/limits.py": "CEILING = 60  # seconds\n"})
    write(code, {"src/limits.py": "CEILING = 90  # seconds\n"})
    last = commit(code, "fix: wait longer below the ceiling (#7)")
    rag("code", "index", code, "--words-only")

    shown = rag("code", "eval", "--repo", code)
    [line] = rag("code", "eval", "--repo", "calls", "--mode", "words", "--json").out.splitlines()
    told = json.loads(line)
    assert "calls: 1 commits asked of 3 files" in shown.out
    assert told["cases"] == [
        {"id": last, "question": "wait longer below the ceiling", "paths": ["src/limits.py"]}
    ]
    assert told["arms"][0]["figures"]["acc@1"]["mean"] == 1
    listed = map(json.loads, rag("code", "list", "--json").out.splitlines())
    assert [each["name"] for each in listed if each["name"].startswith("calls")] == ["calls"]


def test_what_indexing_would_take_is_shown(rag: Commands, tmp_path: Path) -> None:
    code = repository(tmp_path / "planned", FILES | {"logo.png": b"\x89PNG\0"})

    shown = rag("code", "index", code, "--dry-run")
    told = json.loads(rag("code", "index", code, "--dry-run", "--json").out)
    assert "left out, binary, by its name" in shown.out
    assert (told["files"], told["searched"], told["new_files"]) == (3, 2, 0)
    assert told["tokens"] > 0
    assert "planned" not in rag("code", "list").out


def test_a_commit_is_indexed_by_the_hook_that_git_runs(
    rag: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = repository(tmp_path / "it's hooked", FILES)
    called = tmp_path / "called"
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\necho "$RAG_DATA_DIR|$*" > "{called}.new"; mv "{called}.new" "{called}"\n'
    )
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))

    assert rag("code", "hook", "install", code, "--words-only").code == 0
    commit(code, "something")
    deadline = time.monotonic() + 20
    while not called.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    words = f"-m rag code index {code} --words-only"
    assert called.read_text().strip() == f"{os.environ['RAG_DATA_DIR']}|{words}"

    assert rag("code", "hook", "install", code).code == 0
    assert "post-commit, post-merge" in rag("code", "hook", "remove", code).said
    assert not (code / ".git" / "hooks" / "post-commit").exists()


def test_somebody_elses_hook_is_not_overwritten(rag: Commands, tmp_path: Path) -> None:
    code = repository(tmp_path / "theirs", FILES)
    theirs = code / ".git" / "hooks" / "post-commit"
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text("#!/bin/sh\nexit 0\n")

    done = rag("code", "hook", "install", code)
    rag("code", "hook", "remove", code)
    assert done.code == 2
    assert "post-commit in" in done.said
    assert theirs.read_text() == "#!/bin/sh\nexit 0\n"


def test_what_changes_in_a_watched_folder_is_seen(tmp_path: Path) -> None:
    code = repository(tmp_path / "watched", FILES)
    before = looked([code])
    assert looked([code]) == before

    write(code, {"src/client.py": "x = 1\n", "new.py": "y = 2\n"})
    after = looked([code])
    assert {key.rpartition("/")[2] for key in after if after[key] != before.get(key)} == {
        "client.py",
        "new.py",
    }
    commit(code, "a commit changes no file, and is seen")
    assert looked([code]) != after
    with pytest.raises(InvalidRequest, match="watched"):
        looked([code / ".git"])
