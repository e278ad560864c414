"""A library with its stories, on small engines."""

import asyncio
from pathlib import Path

from rag.domain import Collection, IngestJob, Source
from rag.pausing import Pause
from rag.ports import Embedders, Readers, Unpacker
from rag.retrieval.queries import Query
from rag.retrieval.searching import search
from rag.storage.library import Library
from rag.worker import Worker
from tests.fakes import HashingEmbedder, PlainReader


class House:
    """A library with its stories."""

    def __init__(self, folder: Path, database_url: str | None) -> None:
        self.reader = PlainReader()
        self.embedder = HashingEmbedder()
        self.unpacker: Unpacker | None = None
        self.readers = Readers(self.reader, {})
        self.embedders = Embedders({self.embedder.model: self.embedder})
        self.library = Library.open(folder, database_url=database_url)
        self.within: Collection = self.library.collections.create(
            "notes",
            embedding_model=self.embedder.model,
            dimension=self.embedder.dimension,
            chunk_tokens=self.embedder.max_tokens,
        )

    async def ingest(self, *, pause: Pause | None = None, **texts: str | bytes) -> IngestJob:
        sources = [
            Source(f"{key}.md", text.encode() if isinstance(text, str) else text)
            for key, text in texts.items()
        ]
        return await self.work_on(self.library.jobs.create(self.within, sources), pause)

    async def work_on(self, job: IngestJob, pause: Pause | None = None) -> IngestJob:
        """The job when it has ended."""
        worker = Worker(
            self.library, self.readers, self.embedders, lanes=2, pause=pause, unpacker=self.unpacker
        )
        working = asyncio.create_task(worker.run())
        async with asyncio.timeout(60):
            while (now := self.library.jobs.find(job.id)).state in ("queued", "running"):
                await asyncio.sleep(0.01)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        return now

    async def find(self, text: str, **query: object) -> list[str]:
        result = await search(
            Query(text, **query),  # type: ignore[arg-type]  # the tests' own keywords
            self.library.collections.find("notes"),
            embedders=self.embedders,
            library=self.library,
        )
        return [hit.key for hit in result.data]
