"""What a process has claimed is kept while it lives, and dropped when it is its own no more."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import holding
from rag.domain import Source
from rag.errors import Conflict
from rag.holding import Holding
from rag.ports import Embedders, Readers
from rag.storage.library import Library
from rag.worker import Worker
from tests.fakes import HashingEmbedder, PlainReader

pytestmark = pytest.mark.anyio


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as opened:
        embedder = HashingEmbedder()
        opened.collections.create(
            "notes", embedding_model=embedder.model, dimension=embedder.dimension, chunk_tokens=200
        )
        yield opened


def give(library: Library, *keys: str):
    notes = library.collections.find("notes")
    return library.jobs.create(notes, [Source(key, f"# {key}\n".encode()) for key in keys])


class Stuck(PlainReader):
    """Never ends, unless it is told to stop."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.stopped = asyncio.Event(), asyncio.Event()

    async def read(self, source: Source):
        if source.key != "stuck.md":
            return await super().read(source)
        self.began.set()
        try:
            return await asyncio.Event().wait()
        finally:
            self.stopped.set()


async def test_a_cancelled_document_is_dropped_where_it_is_and_the_next_one_begins(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "BEAT", 0.05)
    reader, embedder = Stuck(), HashingEmbedder()
    job = give(library, "stuck.md", "next.md")
    worker = Worker(library, Readers(reader, {}), Embedders({embedder.model: embedder}), lanes=1)
    working = asyncio.create_task(worker.run())
    async with asyncio.timeout(60):
        await reader.began.wait()
        library.jobs.cancel(job.id, ["stuck.md"])
        await reader.stopped.wait()
        while library.jobs.find(job.id).finished_at is None:
            await asyncio.sleep(0.01)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)

    assert [item.state for item in library.jobs.items(job.id).data] == ["cancelled", "indexed"]


async def test_only_the_block_of_a_lost_item_is_left(library: Library) -> None:
    job = give(library, "lost.md", "kept.md")
    hands = Holding(library, lambda: None)
    lost, kept = library.jobs.claim(lease=60), library.jobs.claim(lease=60)

    beaten = asyncio.Event()

    async def work(claimed) -> str:
        async with hands.working_on(claimed):
            await beaten.wait()
        return "done"

    working = [asyncio.create_task(work(each)) for each in (lost, kept)]
    await asyncio.sleep(0)
    library.jobs.cancel(job.id, ["lost.md"])
    await hands.beat()
    asyncio.get_running_loop().call_soon(beaten.set)
    first, second = await asyncio.gather(*working, return_exceptions=True)

    assert isinstance(first, Conflict)
    assert second == "done"
    assert hands.ids == frozenset()


async def test_a_timeout_of_the_work_itself_is_not_taken_for_a_loss(library: Library) -> None:
    give(library, "slow.md")
    with pytest.raises(TimeoutError):
        async with Holding(library, lambda: None).working_on(library.jobs.claim(lease=60)):
            raise TimeoutError


async def test_a_database_that_does_not_answer_costs_no_item(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(library, "one.md")
    claimed = library.jobs.claim(lease=60)
    hands = Holding(library, lambda: None)
    hands.take(claimed)
    with monkeypatch.context() as patch:
        patch.setattr(library.jobs, "show_life", lambda *_, **__: 1 / 0)
        await hands.beat()

    assert hands.ids == {claimed.item_id}
