"""`rag jobs` tells what happens, what failed and why, and what to do."""

import asyncio
import io
import json
import re
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from rich.console import Console

from rag.cli import following, jobs, showjobs
from rag.cli.door import Door, Refused
from rag.cli.following import newest, watch
from rag.cli.showjobs import account, duration, listing, progress
from rag.cli.worker import settings_of_worker
from rag.errors import InvalidSettings, NotFound, RagError
from rag.settings import Settings

JOB: dict[str, Any] = {
    "id": "job_1",
    "collection": "notes",
    "state": "running",
    "items": {"total": 4, "done": 1, "failed": 2},
    "progress": {"indexed": 1, "failed": 1, "refused": 1, "queued": 1, "pages": 9, "chunks": 30},
    "saved": {"pages": 0, "tokens": 0, "usd": "0"},
    "spent_usd": "0.0120",
    "seconds_left": 75.0,
    "last_error": {"code": "encrypted_document", "stage": "read", "message": "needs a password"},
    "paused": None,
    "created_at": "2026-11-20T10:20:30.000000Z",
    "finished_at": None,
}
ENDED = {**JOB, "state": "failed", "finished_at": "2026-11-20T10:21:30.000000Z"}
ZEROS = {"pages": 0, "pages_ocred": 0, "chunks": 0, "seconds": 0.0}
FAILURES = [
    {
        "key": "a.pdf",
        "state": "failed",
        "error": {"code": "provider_unavailable", "message": "the provider was down"},
        **ZEROS,
    },
    {
        "key": "b.pdf",
        "state": "refused",
        "error": {"code": "encrypted_document", "message": "needs a password"},
        **ZEROS,
    },
]


class Service:
    """Answers with what it is given, in turn; the last answer stays."""

    def __init__(self, *answers: dict[str, Any] | int | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, Any]] = []

    def door(self) -> Door:
        transport = httpx.MockTransport(self._answer)
        return Door(httpx.AsyncClient(transport=transport, base_url="http://rag"), "http://rag")

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.method, path, body))
        if "/items" in path:
            wanted = request.url.params["state"]
            data = [item for item in FAILURES if item["state"] == wanted]
            return httpx.Response(200, json={"data": data, "has_more": False, "next": None})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return httpx.Response(answer, json={"detail": "there is no such job"})
        return httpx.Response(200, json=answer)


def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def printed(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


@pytest.fixture
def run_against(monkeypatch: pytest.MonkeyPatch):
    """Runs `rag jobs` against a service; what it printed, and its exit code."""

    def run_it(service: Service, *words: str) -> tuple[str, int]:
        door = service.door()
        on = console()
        monkeypatch.setattr(jobs, "run", lambda work: asyncio.run(work(door)))
        monkeypatch.setattr(following, "LOOK", 0.001)
        for name in ("results", "aside"):
            monkeypatch.setattr(showjobs.show, name, on)
        for shown in (showjobs.listing, showjobs.account, showjobs.line, showjobs.retried):
            monkeypatch.setitem(shown.__kwdefaults__, "on", on)
        monkeypatch.setitem(showjobs.progress.__wrapped__.__kwdefaults__, "on", on)
        done = CliRunner().invoke(jobs.command, list(words), catch_exceptions=False)
        return printed(on) + done.output, done.exit_code

    return run_it


def test_a_list_tells_states_and_the_time_that_is_left() -> None:
    on = console()
    paused = {**JOB, "id": "job_2", "paused": {"message": "the provider is down"}}
    listing([JOB, paused], on=on)
    lines = printed(on).splitlines()

    assert re.split(r"  +", lines[1])[:4] == ["job_1", "running, 1 min left", "1 of 4", "2"]
    assert "paused" in lines[2]
    assert lines[3] == "paused: the provider is down"


def test_an_account_says_what_failed_and_why_and_what_to_do() -> None:
    on = console()
    unheard = {"state": "given_up", "attempts": 8, "said": "it was down", "next_at": None}
    account({**ENDED, "webhook": unheard}, FAILURES, on=on)
    said = printed(on)
    assert "webhook: it was down" in said

    assert "1 of 4 done, 2 not read" in said
    assert "a.pdf: failed, the provider was down" in said
    assert "b.pdf: refused, needs a password" in said
    assert "`rag jobs retry job_1` tries the 1 failed again" in said
    assert "`rag jobs retry job_1 KEY`" in said
    assert "$0.0120" in said


def test_a_job_is_shown_with_its_failures(run_against) -> None:
    service = Service({"data": [ENDED]})
    said, code = run_against(service, "show")
    assert code == 0
    assert "b.pdf: refused, needs a password" in said

    said, _ = run_against(Service(ENDED), "show", "job_1", "--json")
    assert [item["key"] for item in json.loads(said)["failures"]] == ["a.pdf", "b.pdf"]


def test_a_watch_tells_each_trouble_once_and_outlives_a_restart(run_against) -> None:
    down = {**JOB, "paused": {"message": "the provider is down"}}
    gone = httpx.ConnectError("refused")
    service = Service(JOB, JOB, down, down, JOB, gone, gone, JOB, ENDED)
    said, code = run_against(service, "watch", "job_1")

    assert code == 1
    assert said.count("paused: the provider is down") == 1
    assert said.count("does not answer") == 1
    assert said.count("going on") == 2
    assert said.count("not read (read): needs a password") == 1


def test_keys_are_handed_on_and_what_cannot_be_tried_again_is_told(run_against) -> None:
    answer = {"job": JOB, "queued": 1, "obsolete": 2, "gone": 3}
    service = Service(JOB, answer)
    said, code = run_against(service, "retry", "job_1", "a.pdf")

    assert code == 0
    assert service.asked[-1] == ("POST", "/v1/jobs/job_1/retry", {"keys": ["a.pdf"]})
    assert "1 items wait again" in said
    assert "2 left alone" in said
    assert "3 cannot be" in said


def test_a_cancel_without_keys_is_of_the_whole_job(run_against) -> None:
    service = Service(JOB, {**ENDED, "state": "cancelled"})
    said, _ = run_against(service, "cancel", "job_1")

    assert service.asked[-1] == ("POST", "/v1/jobs/job_1/cancel", {})
    assert "job_1 cancelled" in said


def test_a_service_that_stays_away_ends_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK", 0.001)
    monkeypatch.setattr(following, "PATIENCE", 0.01)
    service = Service(JOB, httpx.ConnectError("refused"))
    with pytest.raises(RagError, match="does not answer"):
        asyncio.run(watch("job_1", service.door(), lambda *_: None))
    with pytest.raises(Refused):
        asyncio.run(watch("job_1", Service(JOB, 404).door(), lambda *_: None))


def test_where_nothing_was_handed_in_it_says_how_to() -> None:
    with pytest.raises(NotFound, match="rag ingest"):
        asyncio.run(newest(Service({"data": []}).door()))


def test_progress_counts_cancelled_items_as_ended() -> None:
    on = console()
    cancelled = {**JOB, "progress": {**JOB["progress"], "cancelled": 1}}
    with progress(on=on) as told:
        told(cancelled, None)

    assert "4/4" in printed(on)


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, ""), (4.2, "4 s"), (75, "1 min"), (5_000, "1 h 23 min")]
)
def test_a_duration_is_as_exact_as_it_can_be(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said


def test_a_worker_on_sqlite_says_why_it_cannot() -> None:
    with pytest.raises(InvalidSettings, match="PostgreSQL"):
        settings_of_worker(Settings())
    shared = Settings(database_url="postgresql://user@host/library")
    assert settings_of_worker(shared) is shared
