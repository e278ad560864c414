"""Questions to code, and to documents and code together, over HTTP."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.codebase.repositories import commit, git, repository, write

RETRY = '''class RetryPolicy:
    """Says how many seconds are waited before a failed call is made once more."""

    def wait(self, attempt: int) -> float:
        """Exponential backoff, with a ceiling of one minute."""
        return min(60.0, 2.0**attempt)
'''
RULES = "# Rules\n\nA lost key costs 40 euros, because the lock is changed the same day.\n"


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {"src/retry.py": RETRY, "src/keys.py": "LOST_KEY_EUROS = 40  # what a lost key costs\n"}
    return repository(tmp_path_factory.mktemp("answers") / "locksmith", files)


@pytest.fixture(scope="module")
def indexed(http: httpx.Client, code: Path) -> Iterator[dict[str, Any]]:
    yield http.post("/v1/repositories", json={"path": str(code)}).raise_for_status().json()
    http.delete("/v1/repositories/locksmith")


def test_an_answer_quotes_lines_of_a_file_at_a_commit(
    http: httpx.Client, code: Path, indexed: dict[str, Any]
) -> None:
    body = {"question": "where is RetryPolicy defined", "repositories": ["locksmith"]}
    answered = http.post("/v1/answers", json=body).json()

    assert answered["outcome"] == "answered"
    citation = answered["citations"][0]
    assert citation["key"] == "src/retry.py"
    assert citation["lines"][0] == 1
    assert citation["code"]["commit"] == indexed["snapshot"]["commit"]
    assert not citation["stale"]
    start, end = citation["source"]["start"], citation["source"]["end"]
    assert git(code, "cat-file", "blob", citation["code"]["blob"])[start:end] == citation["quote"]
    shown = http.get(citation["links"]["repository"]).raise_for_status().json()
    assert shown["repository"]["name"] == "locksmith"
    assert http.get(f"/v1/citations/{citation['id']}/image").status_code == 404


def test_one_question_is_answered_from_documents_and_code(
    http: httpx.Client, indexed: dict[str, Any], collection: str, put: Callable[..., str]
) -> None:
    put("rules.md", RULES)
    body = {
        "question": "what does a lost key cost in euros",
        "collections": [collection],
        "repositories": ["locksmith"],
    }
    answered = http.post("/v1/answers", json=body).json()

    assert {each["key"] for each in answered["citations"]} == {"rules.md", "src/keys.py"}


def test_a_stream_tells_of_code_too(http: httpx.Client, indexed: dict[str, Any]) -> None:
    asked = {"question": "where is RetryPolicy defined", "repositories": ["locksmith"]}
    told = http.post("/v1/answers", json={**asked, "stream": True}).text

    assert "event: citation.added" in told
    assert '"path":"src/retry.py"' in told


def test_a_citation_turns_stale_when_its_file_changes(
    http: httpx.Client, code: Path, indexed: dict[str, Any]
) -> None:
    body = {"question": "where is RetryPolicy defined", "repositories": ["locksmith"]}
    [citation, *_] = http.post("/v1/answers", json=body).json()["citations"]
    write(code, {"src/retry.py": RETRY.replace("60.0", "90.0")})
    commit(code, "a longer ceiling")
    http.post("/v1/repositories/locksmith/refresh", json={}).raise_for_status()

    assert http.get(f"/v1/citations/{citation['id']}").json()["stale"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"repositories": ["nowhere"]}, 404),
        ({"collections": [], "repositories": ["locksmith"]}, 422),
        ({"repositories": ["locksmith"], "ref": "v9"}, 404),
    ],
)
def test_what_is_not_there_cannot_be_asked(
    http: httpx.Client, indexed: dict[str, Any], asked: dict[str, Any], status: int
) -> None:
    response = http.post("/v1/answers", json={"question": "where is it", **asked})

    assert response.status_code == status
