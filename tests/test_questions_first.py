"""However much is ingested, a question is answered."""

import asyncio
import threading
from pathlib import Path

import pytest

from rag.retrieval.queries import Query
from rag.settings import Settings
from rag.wiring import DEFAULT_COLLECTION, Services

pytestmark = pytest.mark.anyio

BUSY = 40
"""More threads than there are by default on any machine."""


async def test_a_question_finds_a_thread_though_many_documents_are_under_way(
    tmp_path: Path,
) -> None:
    services = await asyncio.to_thread(Services, Settings(data_dir=str(tmp_path), workers=1))
    await services.start()
    ended = threading.Event()
    working = [asyncio.create_task(asyncio.to_thread(ended.wait, 30)) for _ in range(BUSY)]
    try:
        within = services.library.collections.find(DEFAULT_COLLECTION)
        async with asyncio.timeout(60):
            found = await services.search(Query("What do whales eat?"), within)
        assert found.data == ()
        assert not ended.is_set()
    finally:
        ended.set()
        await asyncio.gather(*working)
        await services.stop()
