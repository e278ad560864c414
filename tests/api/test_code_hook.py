"""A forge that says a repository was pushed to."""

import hashlib
import hmac
import time
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from rag.signing import is_of_forge
from rag.wiring import Services
from tests.codebase.repositories import commit, repository, write

SECRET = "correct horse battery staple"
BODY = b'{"repository": {"clone_url": "https://169.254.169.254/"}, "ref": "refs/heads/main"}'
CODE = hmac.digest(SECRET.encode(), BODY, hashlib.sha256).hex()


@pytest.mark.parametrize(
    ("headers", "is_theirs"),
    [
        ({"x-hub-signature-256": f"sha256={CODE}"}, True),
        ({"x-gitea-signature": CODE}, True),
        ({"x-gitlab-token": SECRET}, True),
        ({"x-hub-signature-256": "sha256="}, False),
        ({"x-hub-signature-256": CODE}, False),
        ({"x-hub-signature": f"sha1={CODE}"}, False),
        ({"x-gitlab-token": "guessed"}, False),
        ({"x-gitlab-token": "é"}, False),
        ({}, False),
    ],
)
def test_who_knows_the_secret_is_heard(headers: dict[str, str], is_theirs: bool) -> None:
    assert is_of_forge(headers, BODY, SECRET) is is_theirs


def test_a_push_is_indexed_and_nothing_of_the_message_is_believed(
    http: httpx.Client, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = repository(tmp_path / "pushed", {"a.py": "def first():\n    return 1\n"})
    http.post("/v1/repositories", json={"path": str(code), "ref": "main", "words_only": True})
    write(code, {"b.py": "def second():\n    return 2\n"})
    head = commit(code, "second")
    path, headers = "/v1/repositories/pushed/hook", {"X-Hub-Signature-256": f"sha256={CODE}"}

    assert http.post(path, content=BODY, headers=headers).status_code == 404
    monkeypatch.setattr(services, "settings", replace(services.settings, code_hook_secret=SECRET))
    forged = http.post(path, content=BODY + b" ", headers=headers)
    assert (forged.status_code, forged.json()["code"]) == (403, "bad_signature")
    unknown = http.post("/v1/repositories/unknown/hook", content=BODY, headers=headers)
    assert unknown.status_code == 404
    assert http.post(path, content=BODY, headers=headers).status_code == 202

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        [state] = http.get("/v1/repositories/pushed").json()["snapshots"]
        if state["commit"] == head:
            break
        time.sleep(0.05)
    assert state["commit"] == head
    http.delete("/v1/repositories/pushed")
