"""`rag worker`: as many as one likes, each of which may stop or die."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.domain import JobId, Source
from rag.storage.library import Library

pytestmark = pytest.mark.postgres

LIMIT = 120.0  # seconds; far above what any of these takes, so that only a hang fails


@pytest.fixture
def library(tmp_path: Path, postgres_url: str) -> Iterator[Library]:
    """As a process has it open that only serves."""
    with Library.open(tmp_path / "server", database_url=postgres_url) as opened:
        opened.collections.create("notes", embedding_model=None, dimension=None, chunk_tokens=200)
        yield opened


@pytest.fixture
def start(tmp_path: Path, postgres_url: str) -> Iterator[Callable[[str], "subprocess.Popen[str]"]]:
    """Starts a worker with a folder of this name."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("RAG_", "MISTRAL_"))}
    started: list[subprocess.Popen[str]] = []

    def begin(name: str) -> "subprocess.Popen[str]":
        own = {
            "RAG_DATABASE_URL": postgres_url,
            "RAG_DATA_DIR": str(tmp_path / name),
            "RAG_WORKERS": "1",
        }
        worker = subprocess.Popen(
            [sys.executable, "-m", "rag", "worker"],
            env={**kept, **own, "PYTHONPATH": str(Path(__file__).parents[2])},
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(worker)
        return worker

    yield begin
    for worker in started:
        worker.kill()
        worker.communicate()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def has_ended(library: Library, job: JobId) -> bool:
    return library.jobs.find(job).finished_at is not None


def test_a_worker_does_what_is_queued_and_leaves_when_it_is_told_to(library, start) -> None:
    notes = library.collections.find("notes")
    worker = start("worker")
    job = library.jobs.create(notes, [Source("a.md", b"# Whales\n\nWhales eat krill.\n")])
    until(lambda: has_ended(library, job.id))
    assert library.jobs.find(job.id).state == "succeeded"
    assert library.jobs.workers() == (None,)

    worker.send_signal(signal.SIGTERM)
    _, said = worker.communicate(timeout=LIMIT)

    assert worker.returncode == 0, said
    assert "Working" in said
    assert library.jobs.workers() == ()


def test_a_worker_that_was_killed_goes_on_when_it_is_started_again(library, start) -> None:
    notes = library.collections.find("notes")
    job = library.jobs.create(
        notes, [Source(f"{n}.md", b"krill " * 100_000 + b"%d" % n) for n in range(3)]
    )
    worker = start("worker")
    until(lambda: library.jobs.items(job.id).data[0].attempts == 1)
    worker.kill()
    worker.wait()

    start("worker")
    until(lambda: has_ended(library, job.id))
    assert library.jobs.find(job.id).state == "succeeded"
