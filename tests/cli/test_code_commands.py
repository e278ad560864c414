"""`rag code`, and `rag ask` of code, as they are typed."""

import json
from pathlib import Path

import pytest

from tests.cli.serving import Commands
from tests.codebase.repositories import git, repository

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
