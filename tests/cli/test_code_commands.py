"""`rag code`, and `rag ask` of code, as they are typed."""

import json
from pathlib import Path

import pytest

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
