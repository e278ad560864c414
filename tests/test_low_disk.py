"""Work waits for room on the disk, and goes on by itself."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.domain import Failure, Source
from rag.errors import OutOfSpace
from rag.pausing import FULL_DISK_WAIT, Pause
from rag.ports import Embedders, Readers
from rag.storage.library import Library
from rag.worker import Worker
from tests.fakes import HashingEmbedder, PlainReader

FASTER = 1_000  # times, than the clock on the wall


def failing_twice(method: Callable[..., object]) -> Callable[..., object]:
    left = [1, 2]

    def called(*args: object, **kwargs: object) -> object:
        if left:
            left.pop()
            raise OutOfSpace("the disk is full")
        return method(*args, **kwargs)

    return called


async def soon(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():
            await asyncio.sleep(0.002)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "full", [["jobs.claim"], ["documents.publish"], ["documents.publish", "jobs.release"]], ids=str
)
async def test_items_wait_for_room_and_are_read_when_there_is_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: list[str]
) -> None:
    """Whatever it was that found the disk full: it is tried again, and nothing has failed."""
    monkeypatch.setattr("rag.worker.RETRY", 0.01)
    embedder = HashingEmbedder()
    pause = Pause(
        clock=lambda: time.monotonic() * FASTER, sleep=lambda s: asyncio.sleep(s / FASTER)
    )
    with Library.open(tmp_path / "library") as library:
        within = library.collections.create(
            "notes",
            embedding_model=embedder.model,
            dimension=embedder.dimension,
            chunk_tokens=embedder.max_tokens,
        )
        job = library.jobs.queue(within, [Source("a.md", b"# Whales\n\nThey eat krill.\n")]).job
        for step in full:
            noun, name = step.split(".")
            store = getattr(library, noun)
            monkeypatch.setattr(store, name, failing_twice(getattr(store, name)))
        worker = Worker(
            library,
            Readers(PlainReader(), {}),
            Embedders({embedder.model: embedder}),
            lanes=1,
            pause=pause,
        )
        working = asyncio.create_task(worker.run())

        reasons: list[Failure] = []
        await soon(lambda: bool(reasons) or reasons.extend(filter(None, [worker.paused])))
        await soon(lambda: library.jobs.find(job.id).state not in ("queued", "running"))
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

        assert [(r.code, r.stage) for r in reasons] == [("out_of_space", "storage")]
        assert library.jobs.find(job.id).state == "succeeded"


def test_a_full_disk_is_looked_at_again_after_the_same_short_while() -> None:
    now = [0.0]
    pause = Pause(clock=lambda: now[0])
    for _ in range(5):
        assert pause.begin(OutOfSpace("full"))
        now[0] += FULL_DISK_WAIT

        assert pause.reason is None
