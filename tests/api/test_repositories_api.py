"""Repositories over HTTP."""

from pathlib import Path

import httpx
import pytest

from tests.codebase.repositories import repository


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {
        "src/retry.py": "class RetryPolicy:\n    limit = 3\n",
        "src/use.py": "from retry import RetryPolicy\n\npolicy = RetryPolicy()\n",
        "logo.png": b"\x89PNG\0",
    }
    return repository(tmp_path_factory.mktemp("repositories") / "shop", files)


def test_a_repository_is_indexed_searched_and_forgotten(http: httpx.Client, code: Path) -> None:
    done = http.post("/v1/repositories", json={"path": str(code)}).json()
    assert done["snapshot"]["indexed"] == 2
    assert done["left_out"] == {"binary, by its name": 1}

    body = {"query": "where is RetryPolicy defined", "mode": "words"}
    found = http.post("/v1/repositories/shop/search", json=body).json()
    assert found["hits"][0]["path"] == "src/retry.py"
    assert found["hits"][0]["start_line"] == 1
    assert found["searched"][0]["commit"] == done["snapshot"]["commit"]

    covered = http.get("/v1/repositories/shop/coverage").json()
    assert [each["path"] for each in covered["left_out"]] == ["logo.png"]
    symbols = http.get("/v1/repositories/shop/symbols", params={"name": "RetryPolicy"}).json()
    assert [each["path"] for each in symbols["definitions"]] == ["src/retry.py"]
    assert [each["line"] for each in symbols["references"]] == [1, 3]

    assert http.delete("/v1/repositories/shop").status_code == 204
    assert http.get("/v1/repositories/shop").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/repositories", {"path": "/nowhere/at/all"}, 404),
        ("/v1/repositories", {}, 422),
        ("/v1/repositories/nothing/search", {"query": "x"}, 404),
    ],
)
def test_what_is_wrong_is_told(
    http: httpx.Client, path: str, body: dict[str, str], status: int
) -> None:
    answer = http.post(path, json=body)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_repository_elsewhere_is_refused_where_the_rules_say_so(http: httpx.Client) -> None:
    both = http.post("/v1/repositories", json={"path": "/x", "url": "https://example.org/x"})
    private = http.post("/v1/repositories", json={"url": "https://169.254.169.254/x"})

    assert both.status_code == 422
    assert private.status_code == 422
    assert private.json()["code"] == "address_refused"
