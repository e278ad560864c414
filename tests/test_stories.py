"""The stories, told with a real library and small engines."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rag.answering import Question, answer
from rag.domain import (
    Document,
    Draft,
    DraftClaim,
    InputType,
    Quotation,
    Source,
    Vectors,
)
from rag.errors import (
    InputRefused,
    KeyRefused,
    MalformedReply,
    ModelUnavailable,
    ProviderUnavailable,
)
from rag.pausing import Pause
from rag.retrieval.queries import Query
from rag.retrieval.searching import search
from rag.storage.library import Library
from rag.worker import Worker
from tests.fakes import FirstBlockAnswerer
from tests.houses import House

pytestmark = pytest.mark.anyio

WHALES = "# Whales\n\nThe blue whale is the largest animal. It eats krill.\n"
BREAD = "# Bread\n\nSourdough needs flour, water and salt. It rises over night.\n"


@pytest.fixture
def house(tmp_path: Path, database_url: str | None) -> Iterator[House]:
    house = House(tmp_path / "library", database_url)
    yield house
    house.library.close()


async def test_what_was_ingested_is_found_by_meaning_and_by_words(house: House) -> None:
    job = await house.ingest(whales=WHALES, bread=BREAD)

    assert job.state == "succeeded"
    assert (await house.find("largest animal"))[0] == "whales.md"
    assert (await house.find("largest animal", mode="dense"))[0] == "whales.md"
    assert await house.find("sourdough", mode="words") == ["bread.md"]


async def test_the_same_bytes_again_cost_nothing(house: House) -> None:
    await house.ingest(whales=WHALES)
    before = len(house.embedder.embedded)

    job = await house.ingest(whales=WHALES)

    assert job.state == "succeeded"
    assert house.library.jobs.items(job.id).data[0].state == "unchanged"
    assert len(house.embedder.embedded) == before
    assert await house.find("krill", mode="words") == ["whales.md"]


async def test_a_new_version_replaces_the_old_and_embeds_only_what_is_new(house: House) -> None:
    await house.ingest(whales=WHALES)
    await house.ingest(whales=WHALES.replace("krill", "plankton"))

    assert await house.find("krill", mode="words") == []
    assert await house.find("plankton", mode="words") == ["whales.md"]


async def test_a_text_embedded_once_is_not_embedded_again_under_another_key(house: House) -> None:
    await house.ingest(one=WHALES)
    await house.ingest(two=WHALES)

    assert len(house.embedder.embedded) == 1
    assert house.reader.reads == 1
    assert len(house.library.documents.list(house.within).data) == 2


async def test_what_another_reader_made_of_the_same_bytes_is_not_used(house: House) -> None:
    await house.ingest(one=WHALES)
    house.reader.fingerprint = "plain/2"
    await house.ingest(two=WHALES)
    assert house.reader.reads == 2

    await house.ingest(three=WHALES)
    assert house.reader.reads == 2, "as the second reader read it"


async def test_the_same_content_under_two_keys_is_found_once_and_shows_both(house: House) -> None:
    await house.ingest(one=WHALES, bread=BREAD)
    await house.ingest(two=WHALES)
    result = await search(
        Query("largest animal", k=2),
        house.library.collections.find("notes"),
        embedders=house.embedders,
        library=house.library,
    )

    whales, bread = result.data
    assert {whales.key, *(other.key for other in whales.also)} == {"one.md", "two.md"}
    assert (bread.key, bread.also) == ("bread.md", ())


async def test_a_file_in_every_folder_does_not_crowd_out_the_others(house: House) -> None:
    copies = {f"copy{n}": WHALES for n in range(40)}
    await house.ingest(bread=BREAD, **copies)

    assert len(await house.find("largest animal", k=2)) == 2


async def test_what_a_caller_says_of_a_document_is_not_said_of_another_with_the_same_bytes(
    house: House,
) -> None:
    mine = Source("mine.md", WHALES.encode(), None, "My whales", {"owner": "me"})
    await house.work_on(house.library.jobs.create(house.within, [mine]))
    await house.ingest(other=WHALES)

    other = house.library.documents.find_by_key(house.within, "other.md")
    assert other is not None
    assert (other.title, other.attributes) == ("Whales", {})


async def test_a_document_that_says_something_of_itself_is_unchanged_when_handed_in_again(
    house: House,
) -> None:
    house.reader.attributes = {"author": "Ishmael"}
    await house.ingest(whales=WHALES)
    again = house.library.jobs.create(house.within, [Source("whales.md", WHALES.encode())])
    said = Source("whales.md", WHALES.encode(), attributes={"year": 1851})
    told = await house.work_on(house.library.jobs.create(house.within, [said]))

    assert again.state == "succeeded"
    assert house.library.jobs.items(told.id).data[0].state == "indexed"
    whales = house.library.documents.find_by_key(house.within, "whales.md")
    assert whales is not None
    assert whales.attributes == {"author": "Ishmael", "year": 1851}


async def test_one_bad_file_is_refused_with_its_reason_and_the_others_go_on(house: House) -> None:
    job = await house.ingest(good=WHALES, bad=b"\xff\xfe\xfa", empty="  \n")

    items = {item.key: item for item in house.library.jobs.items(job.id).data}
    assert items["good.md"].state == "indexed"
    assert items["bad.md"].state == "refused"
    assert items["bad.md"].error is not None
    assert items["bad.md"].error.code == "unsupported_media_type"
    assert items["empty.md"].error is not None
    assert items["empty.md"].error.code == "empty_document"
    assert job.state == "failed"
    assert await house.find("whale") == ["good.md"]


async def test_a_refused_file_is_not_read_again(house: House) -> None:
    await house.ingest(bad=b"\xff\xfe\xfa")
    again = await house.ingest(bad=b"\xff\xfe\xfa")

    [item] = house.library.jobs.items(again.id).data
    assert item.state == "refused"
    assert item.error is not None
    assert item.error.code == "unsupported_media_type"
    assert house.reader.reads == 1


async def test_a_collection_without_a_model_is_searched_by_words_and_says_so(house: House) -> None:
    house.within = house.library.collections.create(
        "plain", embedding_model=None, dimension=None, chunk_tokens=100
    )
    await house.ingest(whales=WHALES)

    result = await search(
        Query("krill"), house.within, embedders=house.embedders, library=house.library
    )

    assert [hit.key for hit in result.data] == ["whales.md"]
    assert result.mode == "words"
    assert "by words alone" in (result.degraded or "")


async def test_a_model_that_is_down_leaves_the_words(house: House) -> None:
    await house.ingest(whales=WHALES)

    async def down(texts: object, input_type: object) -> object:
        raise ProviderUnavailable("hashing", "it is down")

    house.embedder.embed = down  # type: ignore[method-assign, assignment]
    result = await search(
        Query("krill"), house.within, embedders=house.embedders, library=house.library
    )

    assert [hit.key for hit in result.data] == ["whales.md"]
    assert "it is down" in (result.degraded or "")
    with pytest.raises(ProviderUnavailable):
        await house.find("krill", mode="dense")

    answered = await answer(
        Question("What do whales eat?"),
        [house.within],
        embedders=house.embedders,
        answerer=FirstBlockAnswerer(),
        library=house.library,
    )
    assert "it is down" in (answered.degraded or "")
    assert house.library.answers.find(answered.id) == answered


async def test_a_model_that_is_not_configured_fails_the_item_and_says_what_to_do(
    house: House,
) -> None:
    house.embedders.clear()
    job = await house.ingest(whales=WHALES)

    [item] = house.library.jobs.items(job.id).data
    assert item.state == "failed"
    assert item.error is not None
    assert item.error.code == ModelUnavailable.code
    assert "rag reindex" in item.error.message


async def test_an_answer_quotes_the_stored_text(house: House) -> None:
    await house.ingest(whales=WHALES, bread=BREAD)
    within = [house.library.collections.find("notes")]

    answered = await answer(
        Question("What is the largest animal?"),
        within,
        embedders=house.embedders,
        answerer=FirstBlockAnswerer(),
        library=house.library,
    )

    assert answered.outcome == "answered"
    [citation] = answered.citations
    stored = house.library.documents.text(citation.document_id)
    assert stored.text[citation.source.start : citation.source.end] == citation.quote
    assert house.library.answers.find(answered.id) == answered
    assert house.library.answers.citation(citation.id) == citation


async def test_an_invented_quotation_ends_in_a_refusal(house: House) -> None:
    await house.ingest(whales=WHALES)
    invented = Draft(True, (DraftClaim("Whales sing.", (Quotation(1, "Whales sing at dawn."),)),))

    answered = await answer(
        Question("Do whales sing?"),
        [house.within],
        embedders=house.embedders,
        answerer=FirstBlockAnswerer(invented),
        library=house.library,
    )

    assert answered.outcome == "insufficient"
    assert answered.citations == ()
    assert "Whales sing at dawn." in {dropped.text for dropped in answered.dropped}
    assert answered.nearest


async def test_an_empty_library_answers_no_evidence(house: House) -> None:
    answered = await answer(
        Question("Do whales sing?"),
        [house.within],
        embedders=house.embedders,
        answerer=FirstBlockAnswerer(),
        library=house.library,
    )

    assert answered.outcome == "no_evidence"


async def test_a_stop_in_the_middle_leaves_the_item_in_the_queue(house: House) -> None:
    reading = asyncio.Event()

    async def never(source: Source) -> None:
        reading.set()
        await asyncio.Event().wait()

    house.reader.read = never  # type: ignore[method-assign, assignment]
    job = house.library.jobs.create(house.within, [Source("whales.md", WHALES.encode())])
    working = asyncio.create_task(
        Worker(house.library, house.readers, house.embedders, lanes=1).run()
    )
    await asyncio.wait_for(reading.wait(), 20)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

    assert house.library.jobs.items(job.id).data[0].state == "queued"
    claimed = house.library.jobs.claim(lease=60)
    assert claimed is not None
    assert claimed.attempts == 1


async def test_a_stop_after_the_last_step_is_a_stop(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish, published = house.library.documents.publish, asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(*given: object, **named: object) -> object:
        result = publish(*given, **named)  # type: ignore[arg-type]  # handed through
        loop.call_soon_threadsafe(published.set)
        time.sleep(0.2)  # on its thread, after the commit: the stop comes now
        return result

    monkeypatch.setattr(house.library.documents, "publish", slow)
    house.library.jobs.create(house.within, [Source("whales.md", WHALES.encode())])
    working = asyncio.create_task(
        Worker(house.library, house.readers, house.embedders, lanes=1).run()
    )
    await asyncio.wait_for(published.wait(), 20)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

    assert await house.find("krill", mode="words") == ["whales.md"]


async def test_what_a_dead_owner_had_claimed_is_free_when_the_library_opens_again(
    tmp_path: Path, database_url: str | None
) -> None:
    first = House(tmp_path / "library", database_url)
    first.library.jobs.create(first.within, [Source("whales.md", WHALES.encode())])
    assert first.library.jobs.claim(lease=9_999) is not None
    assert first.library.jobs.claim(lease=9_999) is None
    first.library.close()

    with Library.open(tmp_path / "library", database_url=database_url) as again:
        claimed = again.jobs.claim(lease=60)

    assert claimed is not None
    assert claimed.attempts == 2


async def test_a_passage_the_model_refuses_is_found_by_its_words(house: House) -> None:
    sound = house.embedder.embed

    async def embed(texts: Sequence[str], input_type: InputType) -> Vectors:
        bad = {n: MalformedReply("m", "no") for n, text in enumerate(texts) if "krill" in text}
        good = [text for text in texts if "krill" not in text]
        if not bad:
            return await sound(texts, input_type)
        house.library.purchases.keep_embeddings(
            house.embedder.model, "passage", good, await sound(good, "passage")
        )
        raise InputRefused("m", bad, len(texts))

    house.embedder.embed = embed  # type: ignore[method-assign]
    paragraphs = [f"Paragraph {n} speaks of bread, {'flour ' * 90}." for n in range(4)]

    job = await house.ingest(mixed="\n\n".join([*paragraphs, "Whales eat krill. " * 12]))
    [item] = house.library.jobs.items(job.id).data

    assert (item.state, job.state) == ("indexed", "succeeded")
    assert item.error is not None
    assert item.error.message.startswith("the embedding model refuses 1 of ")
    assert await house.find("krill", mode="words") == ["mixed.md"]
    assert await house.find("bread flour", mode="dense")


async def test_an_outage_of_the_provider_costs_time_and_no_document(house: House) -> None:
    sound, outage = house.reader.read, iter(range(5))

    async def read(source: Source) -> Document:
        if next(outage, None) is not None:
            raise ProviderUnavailable("mistral", "cannot be reached")
        return await sound(source)

    async def shortly(seconds: float) -> None:
        await asyncio.sleep(0.001)

    clock = itertools.count(step=5.0)
    house.reader.read = read  # type: ignore[method-assign]

    job = await house.ingest(
        pause=Pause(clock=lambda: next(clock), sleep=shortly), whales=WHALES, bread=BREAD
    )

    assert job.state == "succeeded"
    assert job.items.done == 2


async def test_a_refused_key_stops_the_work_and_keeps_it_queued(house: House) -> None:
    calls = []

    async def read(source: Source) -> Document:
        calls.append(source.key)
        raise KeyRefused("mistral", "refuses the key")

    sound, house.reader.read = house.reader.read, read  # type: ignore[method-assign]
    sources = [Source(f"{n}.md", WHALES.encode() + bytes([48 + n])) for n in range(9)]
    job = house.library.jobs.create(house.within, sources)
    worker = Worker(house.library, house.readers, house.embedders, lanes=2)
    working = asyncio.create_task(worker.run())
    async with asyncio.timeout(60):
        while worker.paused is None:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)

    assert len(calls) <= 2, "one for each lane, and none after"
    assert house.library.jobs.find(job.id).items.failed == 0

    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    house.reader.read = sound  # type: ignore[method-assign]
    await house.ingest(more=BREAD)
    assert house.library.jobs.find(job.id).items.done == 9
