"""Changing the model serves all the while."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import HashingEmbedder, PlainReader

from rag.chunking.chunks import CHUNKER
from rag.comparing import Probe, compare
from rag.domain import Collection, IngestJob, Source
from rag.pausing import Pause
from rag.ports import Embedders, Readers
from rag.reindexing import foresee
from rag.retrieval.queries import Query, SearchResult
from rag.retrieval.searching import search
from rag.storage.library import Library
from rag.storage.rebuilding import Recipe
from rag.storage.stores import collections as stores
from rag.worker import Worker

pytestmark = pytest.mark.anyio

TEXTS = {
    f"{animal}.md": f"# {animal}\n\nThe {animal} lives in the {place} and eats {food}."
    for animal, place, food in (
        ("whale", "sea", "krill"),
        ("bear", "forest", "honey"),
        ("eagle", "sky", "rabbits"),
        ("camel", "desert", "thorns"),
        ("carp", "pond", "weed"),
        ("mole", "meadow", "worms"),
    )
}


class ShortEmbedder(HashingEmbedder):
    """Another model, of another width: vectors of the first could not even be compared."""

    model = "short/32"
    dimension = 32

    async def embed(self, texts, input_type):
        vectors = (await super().embed(texts, input_type))[:, :32]
        return vectors / ((vectors**2).sum(axis=1, keepdims=True) ** 0.5)


class House:
    """A library with two models, and a worker that runs while it is used."""

    def __init__(self, folder: Path, database_url: str | None) -> None:
        self.library = Library.open(folder, database_url=database_url)
        self.reader = PlainReader()
        self.first, self.second = HashingEmbedder(), ShortEmbedder()
        self.embedders = Embedders(
            {embedder.model: embedder for embedder in (self.first, self.second)}
        )
        self.within = self.library.collections.create(
            "notes",
            embedding_model=self.first.model,
            dimension=self.first.dimension,
            chunk_tokens=128,
        )

    def worker(self) -> Worker:
        readers = Readers(self.reader, {})
        return Worker(self.library, readers, self.embedders, lanes=2, pause=Pause())

    async def ended(self, *jobs: IngestJob) -> IngestJob:
        """The first of them, when all have ended."""
        working = asyncio.create_task(self.worker().run())
        async with asyncio.timeout(60):
            while any(self.library.jobs.find(job.id).finished_at is None for job in jobs):
                await asyncio.sleep(0.01)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        return self.library.jobs.find(jobs[0].id)

    def hand_in(self, **texts: str) -> IngestJob:
        sources = [Source(f"{key}.md", text.encode()) for key, text in texts.items()]
        return self.library.jobs.create(self.within, sources)

    async def ingest(self, **texts: str) -> IngestJob:
        return await self.ended(self.hand_in(**texts))

    def begin(self) -> IngestJob:
        recipe = Recipe(self.second.model, self.second.dimension, 64, CHUNKER)
        return self.library.indexes.begin(self.within, recipe)

    async def ask(self, text: str, within: Collection, **query: object) -> SearchResult:
        return await search(
            Query(text, **query),  # type: ignore[arg-type]  # the tests' own keywords
            within,
            embedders=self.embedders,
            library=self.library,
        )


@pytest.fixture
def house(tmp_path: Path, database_url: str | None) -> Iterator[House]:
    house = House(tmp_path / "library", database_url)
    yield house
    house.library.close()


@pytest.fixture
async def full(house: House) -> House:
    await house.ingest(**{key.removesuffix(".md"): text for key, text in TEXTS.items()})
    return house


async def test_an_index_is_built_beside_a_stream_of_documents_that_does_not_end(
    full: House,
) -> None:
    job = full.begin()
    stream = full.hand_in(**{f"news{n}": f"# News {n}\n\nOf the day {n}." for n in range(60)})
    working = asyncio.create_task(full.worker().run())
    async with asyncio.timeout(60):
        while full.library.jobs.find(job.id).finished_at is None:
            await asyncio.sleep(0.01)
        came = full.library.jobs.find(stream.id).items.done
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)

    assert came < 60, "the documents had their turns too, and were not done before"
    assert full.library.jobs.find(job.id).state == "succeeded"
    assert came >= 10, "three of four"


async def test_nothing_is_read_again_and_nothing_embedded_twice(full: House) -> None:
    reads = full.reader.reads
    job = await full.ended(full.begin())
    embedded = len(full.second.embedded)

    assert job.state == "succeeded"
    assert full.reader.reads == reads
    assert embedded == len(TEXTS)
    full.library.indexes.switch(full.within, job.index)
    back = full.library.indexes.switch(full.within, full.within.index)
    again = await full.ended(full.begin())
    assert (again.items.total, len(full.second.embedded)) == (0, embedded)
    assert back.embedding_model == full.first.model


async def test_other_defaults_of_cutting_embed_nothing_anew_until_somebody_asks_for_it(
    tmp_path: Path, database_url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = "blocks/0 target=100 overlap=0"
    with monkeypatch.context() as older:
        older.setattr(stores, "CHUNKER", former)
        house = House(tmp_path / "library", database_url)
    await house.ingest(whale=TEXTS["whale.md"])
    embedded = len(house.first.embedded)

    again = await house.ingest(whale=TEXTS["whale.md"])
    assert [item.state for item in house.library.jobs.items(again.id).data] == ["unchanged"]
    assert (await house.ask("krill in the sea", house.within)).data[0].key == "whale.md"
    [serving] = house.library.indexes.list(house.within)
    assert serving.chunker == former

    recipe = Recipe(house.first.model, house.first.dimension, 128, CHUNKER)
    anew = await house.ended(house.library.indexes.begin(house.within, recipe))
    assert [index.chunker for index in house.library.indexes.list(house.within)] == [
        former,
        CHUNKER,
    ]
    assert anew.state == "succeeded"
    assert len(house.first.embedded) == embedded, "texts that were cut alike are known"
    house.library.close()


async def test_a_question_is_embedded_with_the_model_of_the_index_that_is_asked(
    full: House,
) -> None:
    job = await full.ended(full.begin())
    now = full.library.indexes.switch(full.within, job.index)

    for view in (full.within, now):
        result = await full.ask("krill in the sea", view, mode="dense", explain=True)
        assert result.data[0].key == "whale.md"
        assert result.explain.index == view.index


async def test_who_saw_an_index_that_was_dropped_is_answered_from_the_one_that_serves(
    full: House,
) -> None:
    job = await full.ended(full.begin())
    now = full.library.indexes.switch(full.within, job.index)
    full.library.indexes.drop(now, full.within.index)

    result = await full.ask("krill in the sea", full.within, mode="dense", explain=True)

    assert result.data[0].key == "whale.md"
    assert result.explain.index == now.index


async def test_what_is_ingested_while_an_index_is_built_is_in_both(full: House) -> None:
    begun = full.begin()
    handed_in = full.hand_in(yak="# Yak\n\nThe yak lives on the mountain and eats grass.")
    await full.ended(begun, handed_in)

    for view in full.library.indexes.views(full.within.id):
        result = await full.ask("yak on the mountain", view, mode="dense")
        assert [hit.key for hit in result.data].count("yak.md") == 1
        assert result.data[0].key == "yak.md"


async def test_an_index_whose_model_is_gone_is_left_out_and_says_so(full: House) -> None:
    job = await full.ended(full.begin())
    del full.embedders[full.second.model]

    assert (await full.ingest(yak="# Yak\n\nA yak.")).state == "succeeded"
    [_, other] = full.library.indexes.list(full.within)
    assert (other.id, other.state) == (job.index, "building")
    assert other.documents == other.documents_total - 1


async def test_a_collection_whose_model_is_gone_is_searched_by_words_and_says_what_to_do(
    full: House,
) -> None:
    del full.embedders[full.first.model]
    result = await full.ask("krill in the sea", full.within)

    assert (result.mode, result.data[0].key) == ("words", "whale.md")
    assert "rag reindex" in (result.degraded or "")
    job = await full.ended(full.begin())
    now = full.library.indexes.switch(full.within, job.index)
    assert (await full.ask("krill in the sea", now)).degraded is None


async def test_the_forecast_is_what_comes(full: House) -> None:
    planned = full.library.collections.find("notes")
    planned = Collection(planned.id, planned.name, full.second.model, 32, 64, 0.5)
    before = await foresee(planned, full.second, full.library)
    await full.ended(full.begin())
    [_, other] = full.library.indexes.list(full.within)
    after = await foresee(planned, full.second, full.library)

    assert (before.documents, before.chunks) == (len(TEXTS), other.chunks)
    assert before.tokens.most == sum(full.second.count_tokens(full.second.embedded))
    assert (after.tokens.most, after.saved.tokens) == (0, before.tokens.most)


async def test_two_indexes_are_compared_on_questions(full: House) -> None:
    await full.ended(full.begin())
    one, two = full.library.indexes.views(full.within.id)
    probes = [
        Probe("krill in the sea", relevant={"whale.md": 1.0}),
        Probe("honey of the forest", relevant={"bear.md": 1.0}),
        Probe("desert"),
    ]
    found = await compare(probes, one, two, k=1, embedders=full.embedders, library=full.library)

    assert (found.current, found.other, found.judged) == (one.index, two.index, 2)
    assert found.current_judged is not None
    assert (found.current_judged.recall, found.current_judged.ndcg_10) == (1.0, 1.0)
    assert found.overlap == 1.0
    assert found.rank_difference == 0
    [hit] = found.queries[2].other
    assert (hit.key, hit.other_rank) == ("camel.md", 1)


async def test_no_query_fails_while_an_index_is_built_switched_rolled_back_and_dropped(
    full: House,
) -> None:
    """Searchers on threads of their own, some of which see the collection as it was before."""
    failures: list[str] = []
    asked = 0
    over = threading.Event()
    questions = {"krill in the sea": "whale.md", "honey of the forest": "bear.md"}

    def searching(within: Collection | None) -> None:
        async def ask_on() -> None:
            nonlocal asked
            while not over.is_set():
                for text, key in questions.items():
                    view = within or full.library.collections.find("notes")
                    try:
                        result = await full.ask(text, view)
                    except Exception as error:
                        failures.append(repr(error))
                        continue
                    if not result.data or result.data[0].key != key or result.degraded:
                        failures.append(f"{text}: {result}")
                    asked += 1

        asyncio.run(ask_on())

    threads = [threading.Thread(target=searching, args=(view,)) for view in (None, full.within)]
    for thread in threads:
        thread.start()
    try:
        job = await full.ended(full.begin())
        library, former = full.library, full.within
        now = await asyncio.to_thread(library.indexes.switch, former, job.index)
        await full.ingest(yak="# Yak\n\nThe yak lives on the mountain.")
        back = await asyncio.to_thread(library.indexes.switch, now, former.index)
        now = await asyncio.to_thread(library.indexes.switch, back, job.index)
        await asyncio.to_thread(library.indexes.drop, now, former.index)
        await asyncio.sleep(0.2)
    finally:
        over.set()
        for thread in threads:
            thread.join()

    assert failures == []
    assert asked > 20
    assert [one.id for one in full.library.indexes.list(full.within)] == [job.index]
