"""Those who follow a job are not kept in the dark, and not kept for ever."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from rag.api import events
from rag.api.events import events_of
from rag.domain import Failure, Source
from rag.storage.library import Library
from rag.storage.progress import BEFORE_ALL

pytestmark = pytest.mark.anyio

PAUSE = Failure("provider_unavailable", "provider", "it is down")


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """What following needs of them; nobody works."""
    monkeypatch.setattr(events, "LOOK", 0.01)
    with Library.open(tmp_path / "library") as library:
        library.collections.create("notes", embedding_model=None, dimension=None, chunk_tokens=200)
        yield SimpleNamespace(
            library=library,
            is_stopping=False,
            told=lambda job: msgspec.structs.replace(job, paused=PAUSE),
        )


def give(services, *keys: str):
    notes = services.library.collections.find("notes")
    return services.library.jobs.create(notes, [Source(key, key.encode()) for key in keys])


async def test_a_job_that_stands_still_is_told_with_the_reason_now_and_then(
    services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "SILENCE", 0.05)
    job = give(services, "a")
    stream = events_of(job.id, BEFORE_ALL, services)
    async with asyncio.timeout(60):
        told = [await anext(stream) for _ in range(4)]

    assert [event.event for event in told] == ["item", "job", "job", "job"]
    assert msgspec.json.decode(told[-1].data)["paused"]["message"] == "it is down"


async def test_those_who_follow_are_let_go_when_the_service_stops(services) -> None:
    job = give(services, "a")
    stream = events_of(job.id, BEFORE_ALL, services)
    async with asyncio.timeout(60):
        await anext(stream)
        await anext(stream)
        services.is_stopping = True
        assert [event async for event in stream] == []


async def test_a_job_that_is_deleted_ends_with_an_error(services) -> None:
    job = give(services, "a")
    stream = events_of(job.id, BEFORE_ALL, services)
    async with asyncio.timeout(60):
        await anext(stream)
        services.library.jobs.cancel(job.id)
        services.library.jobs.delete(job.id)
        *_, last = [event async for event in stream]

    assert last.event == "error"
    assert msgspec.json.decode(last.data)["code"] == "not_found"


async def test_a_long_list_comes_in_parts_and_the_end_comes_last(
    services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MOST", 2)
    job = give(services, *"abcde")
    services.library.jobs.cancel(job.id)
    async with asyncio.timeout(60):
        told = [event async for event in events_of(job.id, BEFORE_ALL, services)]

    items = [msgspec.json.decode(e.data)["key"] for e in told if e.event == "item"]
    assert items == list("abcde")
    assert [e.event for e in told].count("job") == 3
    assert told[-1].event == "job"
    assert told[-1].id == told[-2].id
