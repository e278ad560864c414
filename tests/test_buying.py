"""The batch lane: half the price, never twice, whatever happens in between."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_mistral.app import KEY, FakeMistral
from fake_mistral.clock import Clock
from fake_mistral.faults import Cut, Reply
from fake_mistral.jobs import Job
from sqlalchemy import select
from sqlalchemy.orm import Session

from rag.buying.buyer import Buyer
from rag.chunking.chunks import CHUNKER
from rag.domain import (
    Collection,
    Document,
    IngestJob,
    Page,
    Saved,
    Source,
    Survey,
    Version,
    document_id,
)
from rag.estimation import FEWEST, Estimate, estimate
from rag.mistral.batching.lane import MistralBatchLane
from rag.mistral.client import MistralClient
from rag.mistral.embedding.embedder import MistralEmbedder
from rag.mistral.ocr.reader import MistralReader
from rag.pausing import Pause
from rag.ports import Embedders, Readers
from rag.routing import RoutingReader
from rag.spending import NO_BUDGETS, NOTHING_SPENT, Budgets, Spent
from rag.storage.database import Database
from rag.storage.engines.sqlite import PRAGMAS
from rag.storage.ledger import SqlLedger
from rag.storage.library import Library, sqlite_url
from rag.storage.migrating import migrate
from rag.storage.rebuilding import Recipe
from rag.storage.tables import ReadingRow
from rag.worker import Worker
from tests.fakes import PlainReader
from tests.mistral.papers import PaperPages, pdf

pytestmark = pytest.mark.anyio

PDF = "application/pdf"
LETTERS = [
    Source(f"letter-{n}.pdf", pdf(f"Letter {n} speaks of the harbor, and of ship number {n}."), PDF)
    for n in range(4)
]
NOTES = [Source("note.md", b"# Whales\n\nThe blue whale eats krill.\n", "text/markdown")]
PAGE = Decimal("0.004")


class House:
    """A library, a provider, and what buys and works between them."""

    def __init__(
        self,
        folder: Path,
        fake: FakeMistral,
        budgets: Budgets = NO_BUDGETS,
        client: MistralClient | None = None,
    ) -> None:
        self.library = Library.open(folder, budgets=budgets)
        self.ledger = self.library.ledger
        self.client = client or client_of(fake, self.ledger)
        reader = MistralReader(self.client, ledger=self.ledger, pdf_pages=PaperPages(1))
        self.readers = Readers(PlainReader(), {PDF: reader})
        embedder = MistralEmbedder(self.client)
        self.embedders = Embedders({embedder.model: embedder})
        self.now = 0.0
        self.pause = Pause(clock=lambda: self.now)
        self.buyer = Buyer(
            self.library,
            self.readers,
            self.embedders,
            MistralBatchLane(self.client),
            pause=self.pause,
            clock=lambda: self.now,
            quiet=0.0,
        )
        if not self.library.collections.list().data:
            self.library.collections.create(
                "notes", embedding_model=embedder.model, dimension=1024, chunk_tokens=200
            )
        self.within = self.library.collections.find("notes")

    def hand_in(self, sources: Sequence[Source], job: IngestJob | None = None) -> IngestJob:
        id = job.id if job else None
        return self.library.jobs.queue(self.within, sources, job=id, lane="batch").job

    async def buy(self, rounds: int = 100) -> None:
        """Until nothing is left to be bought, or for so many rounds."""
        for _ in range(rounds):
            await self.buyer.order()
            await self.buyer.follow()
            self.now += 100.0
            if not (self.library.orders.queues() or self.library.orders.open_batches()):
                return

    async def finish(self, *jobs: IngestJob) -> IngestJob:
        """What the workers do with what was bought; the last of the jobs, when all have ended."""
        worker = Worker(self.library, self.readers, self.embedders, lanes=2)
        working = asyncio.create_task(worker.run())
        async with asyncio.timeout(60):
            while any(self.library.jobs.find(job.id).finished_at is None for job in jobs):
                await asyncio.sleep(0.01)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        return self.library.jobs.find(jobs[-1].id)

    def spent(self) -> Spent:
        return next(iter(self.ledger.spent()), NOTHING_SPENT)

    def lanes(self) -> dict[str | None, int]:
        """Calls that were billed, by lane."""
        return {each.group["lane"]: each.calls for each in self.ledger.spent(["lane"])}


def client_of(fake: FakeMistral, ledger: SqlLedger | None = None) -> MistralClient:
    transport = httpx.ASGITransport(fake.app)  # type: ignore[arg-type]  # two names of ASGI's types
    return MistralClient(KEY, ledger, transport=transport, clock=Clock(), chance=lambda: 0.5)


@pytest.fixture(scope="session")
def empty_library(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("migrated")
    migrate(sqlite_url(folder))
    return (folder / "library.db").read_bytes()


@pytest.fixture
def fake() -> Iterator[FakeMistral]:
    fake = FakeMistral()
    yield fake
    assert fake.mistakes == []


@asynccontextmanager
async def opened(
    folder: Path, fake: FakeMistral, empty: bytes, **more: Any
) -> AsyncIterator[House]:
    folder.mkdir(mode=0o700, exist_ok=True)
    if not (folder / "library.db").exists():
        (folder / "library.db").touch(mode=0o600)
        (folder / "library.db").write_bytes(empty)
    house = House(folder, fake, **more)
    try:
        yield house
    finally:
        house.library.close()
        if "client" not in more:
            await house.client.close()


@pytest.fixture
async def house(tmp_path: Path, fake: FakeMistral, empty_library: bytes) -> AsyncIterator[House]:
    async with opened(tmp_path / "library", fake, empty_library) as house:
        yield house


def texts_of(job: Job) -> list[str]:
    return [text for each in job.requests for text in each.body.get("input", ())]


async def test_a_job_in_the_batch_lane_is_bought_at_half_the_price(
    house: House, fake: FakeMistral
) -> None:
    job = house.hand_in(LETTERS + NOTES)

    await house.buy()
    done = await house.finish(job)

    assert (done.state, done.items.done, done.lane) == ("succeeded", 5, "batch")
    assert all(charge.in_batch for charge in fake.bill.charges)
    assert house.spent().usd == fake.bill.usd
    assert house.spent().lost_calls == 0
    assert fake.pages_billed == 4
    [ocr] = [each for each in house.ledger.spent(["operation"]) if each.group["operation"] == "ocr"]
    assert ocr.usd == 4 * PAGE / 2
    assert len(fake.jobs) == 3, "the letters' pages, their passages, and the note's"


async def test_a_file_carries_what_is_too_much_for_a_request(
    house: House, fake: FakeMistral, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.mistral.batching.lane._LARGEST_INLINE", 100)
    job = house.hand_in(LETTERS[:2])

    await house.buy()

    assert [bool(each.input_files) for each in fake.jobs.values()] == [True, True]
    assert fake.files.listed() == [], "nothing is left lying at the provider"
    assert (await house.finish(job)).state == "succeeded"
    assert house.spent().usd == fake.bill.usd


async def test_more_than_fits_in_memory_goes_in_several_batches(
    house: House, fake: FakeMistral, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.buying.buyer.LARGEST_BATCH", 40_000)  # one page, as it is reckoned
    job = house.hand_in(LETTERS)

    await house.buy()

    ocr = [each for each in fake.jobs.values() if each.endpoint == "/v1/ocr"]
    assert len(ocr) >= 2
    assert fake.pages_billed == 4
    assert (await house.finish(job)).items.done == 4


async def test_what_a_batch_fails_to_buy_is_bought_at_once(house: House, fake: FakeMistral) -> None:
    job = house.hand_in(LETTERS)
    fake.batch_refusals["1"] = (500, {"message": "no"})

    await house.buy()
    done = await house.finish(job)

    assert done.state == "succeeded"
    assert fake.pages_billed == 4
    assert [each.in_batch for each in fake.bill.charges if each.path == "/v1/ocr"] == [
        True,
        True,
        True,
        False,
    ]
    assert house.spent().usd == fake.bill.usd
    assert house.spent().lost_calls == 0


@pytest.mark.parametrize("ends", ["FAILED", "TIMEOUT_EXCEEDED"])
async def test_what_a_batch_did_before_it_failed_is_kept(
    house: House, fake: FakeMistral, ends: str
) -> None:
    fake.batch_ends = ends
    job = house.hand_in(LETTERS)

    await house.buy()
    done = await house.finish(job)

    assert done.state == "succeeded"
    assert fake.pages_billed == 4, "two in the batch, and two at once"
    assert house.spent().usd == fake.bill.usd
    assert house.spent().lost_calls == 0


async def test_every_index_that_takes_documents_is_bought_for(
    house: House, fake: FakeMistral
) -> None:
    paragraphs = (f"Ship {n} of the harbor sailed at dawn, in the year {n}." for n in range(40))
    long = Source("ships.md", "\n\n".join(paragraphs).encode(), "text/markdown")
    model = house.within.embedding_model
    building = house.library.indexes.begin(house.within, Recipe(model, 1024, 60, CHUNKER))
    job = house.hand_in([long])

    await house.buy()
    done = await house.finish(job)

    assert done.state == "succeeded"
    assert all(charge.in_batch for charge in fake.bill.charges)
    both = house.library.indexes.list(house.within)
    assert {one.id: one.state for one in both}[building.index] == "ready"
    assert both[1].chunks > 2 * both[0].chunks
    sent = [text for each in fake.jobs.values() for text in texts_of(each)]
    assert len(sent) == len(set(sent))


async def test_equal_bytes_and_equal_passages_are_bought_once(
    house: House, fake: FakeMistral
) -> None:
    same = [Source(f"{key}.pdf", LETTERS[0].content, PDF, title="A letter") for key in "abc"]
    first, second = house.hand_in(same[:2]), house.hand_in(same[2:])

    await house.buy()
    done = await house.finish(first, second)

    assert done.state == house.library.jobs.find(first.id).state == "succeeded"
    assert fake.pages_billed == 1
    assert len(fake.bill.charges) == 2
    assert house.spent().usd == fake.bill.usd


async def test_no_worker_has_an_item_before_it_is_bought_and_the_job_says_so(house: House) -> None:
    job = house.hand_in(LETTERS)
    await house.buy(rounds=1)

    assert house.library.jobs.claim(lease=60) is None
    waiting = house.library.jobs.find(job.id)
    assert (waiting.state, waiting.progress["waiting_for_batch"]) == ("running", 4)


async def test_handed_in_again_while_it_waits_it_waits_once(
    house: House, fake: FakeMistral
) -> None:
    job = house.hand_in(LETTERS)
    await house.buy(rounds=1)

    again = house.hand_in([*LETTERS, *NOTES], job)
    await house.buy()

    assert again.items.total == 5
    assert (await house.finish(job)).items.done == 5
    assert fake.pages_billed == 4


async def test_a_cancelled_job_is_cancelled_at_the_provider_and_what_was_done_is_paid(
    house: House, fake: FakeMistral
) -> None:
    job = house.hand_in(LETTERS)
    await house.buy(rounds=4)
    [running] = fake.jobs.values()
    assert running.status == "RUNNING"

    cancelled = house.library.jobs.cancel(job.id)
    await house.buy()

    assert cancelled.state == "cancelled"
    assert running.status == "CANCELLED"
    assert fake.pages_billed == 2
    assert house.spent().usd == fake.bill.usd
    assert house.spent().lost_calls == 0
    assert len(fake.jobs) == 1


async def test_another_job_that_waits_for_a_cancelled_one_orders_for_itself(
    house: House, fake: FakeMistral
) -> None:
    house.hand_in(LETTERS)
    await house.buy(rounds=1)
    [batch] = house.library.orders.open_batches()
    other = house.hand_in([Source("other.pdf", LETTERS[3].content, PDF)])
    await house.buy(rounds=1)

    assert [each.id for each in house.library.orders.open_batches()] == [batch.id]
    await house.buy()

    assert (await house.finish(other)).state == "succeeded"
    assert fake.pages_billed == 4


async def test_of_a_document_that_was_deleted_nothing_is_kept_though_it_is_paid(
    house: House, fake: FakeMistral
) -> None:
    house.library.jobs.queue(house.within, NOTES)
    worker = asyncio.create_task(
        Worker(house.library, house.readers, house.embedders, lanes=1).run()
    )
    while not (found := house.library.documents.list(house.within).data):
        await asyncio.sleep(0.01)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    before = fake.bill.usd
    changed = Source("note.md", b"# Whales\n\nThey sing a secret.\n", "text/markdown")
    house.hand_in([changed, *LETTERS[:1]])
    await house.buy(rounds=2)

    house.library.documents.delete(found[0].id)
    await house.buy()

    assert fake.bill.usd > before
    assert house.spent().usd == fake.bill.usd
    sent = [text for each in fake.jobs.values() for text in texts_of(each)]
    secret = [text for text in sent if "secret" in text]
    assert secret != []
    assert house.library.purchases.embeddings("mistral-embed", "passage", secret) == {}
    assert house.library.purchases.embeddings("mistral-embed", "passage", sent) != {}


async def test_a_budget_that_is_used_up_fails_the_document_and_sends_nothing(
    tmp_path: Path, fake: FakeMistral, empty_library: bytes
) -> None:
    budgets = Budgets(job=2 * PAGE / 2)
    async with opened(tmp_path / "library", fake, empty_library, budgets=budgets) as house:
        job = house.hand_in(LETTERS)

        await house.buy()
        done = await house.finish(job)

    assert done.state == "failed"
    assert done.last_error is not None
    assert done.last_error.code == "budget_exhausted"
    assert done.last_error.stage == "batch", "a worker would pay twice as much, as far as it goes"
    assert fake.bill.usd <= 2 * PAGE / 2


async def test_a_batch_whose_creation_was_not_heard_of_is_found_by_its_mark(
    house: House, fake: FakeMistral, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = house.hand_in(LETTERS)
    fake.faults = [Cut(after=10)]  # the job exists; the reply does not arrive

    await house.buy()

    assert len([each for each in fake.jobs.values() if each.endpoint == "/v1/ocr"]) == 1
    assert (await house.finish(job)).state == "succeeded"
    assert fake.pages_billed == 4
    assert house.spent().usd == fake.bill.usd
    assert house.spent().lost_calls == 0


async def test_a_batch_that_is_nowhere_is_given_up_and_ordered_again(
    house: House, fake: FakeMistral
) -> None:
    job = house.hand_in(LETTERS)
    fake.faults = [Cut(after=10)]
    await house.buyer.order()
    fake.jobs.clear()

    await house.buy()

    assert (await house.finish(job)).state == "succeeded"
    assert fake.pages_billed == 4
    assert house.spent().usd == fake.bill.usd
    assert house.spent().lost_calls == 4, "nobody can know: they count as if they were billed"


@pytest.mark.parametrize("status", [503, 429])
async def test_a_provider_that_is_down_makes_the_batch_wait(
    house: House, fake: FakeMistral, status: int
) -> None:
    job = house.hand_in(LETTERS)
    fake.faults = [Reply(status, {"message": "later"})]

    await house.buyer.order()

    assert house.pause.reason is not None
    assert house.library.orders.open_batches() == []
    assert house.spent().lost_calls == 0
    await house.buy()
    assert (await house.finish(job)).state == "succeeded"
    assert house.spent().usd == fake.bill.usd


async def test_a_batch_that_is_refused_fails_its_documents_and_says_what_to_do(
    house: House, fake: FakeMistral
) -> None:
    job = house.hand_in(LETTERS[:1])
    fake.faults = [Reply(400, {"message": "batches are not for you"})]

    await house.buy()

    failed = house.library.jobs.find(job.id)
    assert (failed.state, failed.items.failed) == ("failed", 1)
    assert failed.last_error is not None
    assert "without the batch lane" in failed.last_error.message
    assert fake.bill.charges == []
    assert house.ledger.spent() == ()


async def test_after_a_refused_key_no_other_batch_is_looked_at(
    house: House, fake: FakeMistral, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.buying.buyer.LARGEST_BATCH", 40_000)
    house.hand_in(LETTERS)
    while house.library.orders.queues():
        await house.buyer.order()
    assert len(house.library.orders.open_batches()) >= 2
    before = len(fake.received)
    fake.keys.clear()
    house.now += 100.0

    await house.buyer.follow()

    assert len(fake.received) == before + 1
    assert len(house.library.orders.open_batches()) >= 2


async def test_a_refused_key_ends_nothing_and_costs_nothing(
    house: House, fake: FakeMistral
) -> None:
    job = house.hand_in(LETTERS)
    fake.keys.clear()

    await house.buyer.order()

    assert len(fake.received) == 1
    assert house.pause.reason is not None
    assert house.library.jobs.find(job.id).items.failed == 0


async def test_results_that_are_gone_count_as_lost_and_are_bought_at_once(
    house: House, fake: FakeMistral
) -> None:
    job = house.hand_in(LETTERS[:1])
    await house.buy(rounds=4)
    monkey = fake.files.get

    def gone(file_id: str) -> object:
        fake.files._files.clear()
        return monkey(file_id)

    fake.files.get = gone  # type: ignore[method-assign, assignment]
    await house.buy()
    done = await house.finish(job)

    assert done.state == "succeeded"
    assert fake.pages_billed == 2, "the only way to have it"
    assert house.spent().lost_calls >= 1


async def test_an_open_call_of_a_batch_is_not_lost_when_the_library_opens_again(
    tmp_path: Path, fake: FakeMistral, empty_library: bytes
) -> None:
    async with opened(tmp_path / "library", fake, empty_library) as first:
        job = first.hand_in(LETTERS)
        await first.buy(rounds=1)

    async with opened(tmp_path / "library", fake, empty_library) as again:
        await again.buyer.recover()
        await again.buy()

        assert (await again.finish(job)).state == "succeeded"
        assert again.spent().lost_calls == 0
        assert again.spent().usd == fake.bill.usd


# --- newer bytes --------------------------------------------------------------------------------


NEWER = Source(LETTERS[0].key, b"# Letter 0\n\nIt was written anew.\n", "text/markdown")


async def test_newer_bytes_do_not_wait_behind_a_batch_and_the_old_request_is_paid(
    house: House, fake: FakeMistral
) -> None:
    job = house.hand_in(LETTERS)
    await house.buy(rounds=4)
    [running] = fake.jobs.values()

    newer = house.library.jobs.queue(house.within, [NEWER]).job
    done = await house.finish(newer)

    assert (done.state, running.status) == ("succeeded", "RUNNING")
    content, _ = house.library.documents.content(document_id(house.within.id, NEWER.key))
    assert content == NEWER.content
    await house.buy()
    assert (await house.finish(job)).state == "succeeded"
    [older, *others] = house.library.jobs.items(job.id).data
    assert (older.state, {each.state for each in others}) == ("superseded", {"indexed"})
    assert older.error is not None
    assert "newer bytes" in older.error.message
    assert fake.pages_billed == 4
    assert house.spent().usd == fake.bill.usd
    assert house.spent().lost_calls == 0


async def test_a_batch_for_superseded_bytes_alone_is_cancelled_and_leaves_no_text(
    house: House, fake: FakeMistral
) -> None:
    job = house.hand_in(LETTERS[:1])
    await house.buy(rounds=4)
    [running] = fake.jobs.values()

    newer = house.library.jobs.queue(house.within, [NEWER], lane="batch").job
    await house.buy()
    await house.finish(newer)

    assert house.library.jobs.find(job.id).items.done == 1
    assert running.status == "CANCELLED"
    assert house.spent().usd == fake.bill.usd
    assert house.spent().lost_calls == 0
    assert kept(house, LETTERS[0].version) == []


async def test_a_batch_that_another_buyer_dissolved_is_not_sent(
    house: House, fake: FakeMistral, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by one that slept while it put the batch together, and another took over."""
    sending = house.library.orders.sending

    def late(batch: str) -> None:
        house.library.orders.dissolve(batch)
        sending(batch)

    job = house.hand_in(LETTERS[:1])
    with monkeypatch.context() as patch:
        patch.setattr(house.library.orders, "sending", late)
        await house.buyer.order()
    assert fake.jobs == {}

    await house.buy()
    assert (await house.finish(job)).state == "succeeded"
    assert fake.pages_billed == 1
    assert house.spent().usd == fake.bill.usd


async def test_equal_bytes_put_again_wait_for_what_is_bought_for_them(
    house: House, fake: FakeMistral
) -> None:
    first = house.hand_in(LETTERS[:1])
    await house.buy(rounds=1)

    again = house.library.jobs.queue(house.within, LETTERS[:1]).job
    assert house.library.jobs.claim(lease=60) is None
    await house.buy()
    await house.finish(first, again)

    assert [house.library.jobs.find(job.id).state for job in (first, again)] == ["succeeded"] * 2
    assert fake.pages_billed == 1


def kept(house: House, version: Version) -> list[str]:
    """Kinds of the readings of these bytes."""
    with house.library._database.read() as session:
        kinds = select(ReadingRow.kind).where(ReadingRow.sha256 == version)
        return list(session.scalars(kinds))


# --- read once ----------------------------------------------------------------------------------


class Surveyed(PlainReader):
    """Leaves one page of every PDF to OCR."""

    fingerprint = "surveyed/1"

    async def survey(self, source: Source) -> Survey:
        if source.media_type != PDF:
            return Survey(await self.read(source))
        self.reads += 1
        page = Page(1, 0, 0, "none", "no text layer")
        return Survey(Document(source.key, source.version, PDF, "", "", (), (page,)), (1,))


async def test_a_file_is_parsed_once_however_long_its_batches_take(
    house: House, fake: FakeMistral
) -> None:
    surveyor = Surveyed()
    routing = RoutingReader(surveyor, house.readers[PDF])
    house.readers.update({PDF: routing, "text/markdown": routing})
    job = house.hand_in(LETTERS[:2] + NOTES)

    await house.buy(rounds=1)
    assert kept(house, LETTERS[0].version) == ["survey"]
    await house.buy()
    done = await house.finish(job)

    assert (done.state, fake.pages_billed) == ("succeeded", 2)
    assert surveyor.reads == 3
    assert kept(house, NOTES[0].version) == [], "any parser can read it again"
    assert sorted(kept(house, LETTERS[0].version)) == ["document", "reply"]


async def test_what_was_read_for_a_cancelled_job_is_gone(house: House) -> None:
    job = house.hand_in(NOTES)
    await house.buy(rounds=2)
    assert kept(house, NOTES[0].version) == ["passing"]

    house.library.jobs.cancel(job.id)

    assert kept(house, NOTES[0].version) == []


async def test_what_was_bought_for_superseded_bytes_goes_with_the_document(house: House) -> None:
    old = house.hand_in(LETTERS[:1])
    while not kept(house, LETTERS[0].version):
        await house.buy(rounds=1)  # until the pages are bought, and passages are on their way
    newer = house.library.jobs.queue(house.within, [NEWER]).job
    await house.finish(old, newer)
    assert "reply" in kept(house, LETTERS[0].version)

    house.library.documents.delete(document_id(house.within.id, NEWER.key))

    assert kept(house, LETTERS[0].version) == []


# --- what was not paid --------------------------------------------------------------------------


async def test_what_was_bought_before_is_told_as_saved_and_as_the_dry_run_said(
    house: House, fake: FakeMistral
) -> None:
    job = house.hand_in(LETTERS)
    await house.buy()
    first = await house.finish(job)
    bought = sum(each.units.prompt for each in fake.bill.charges)
    other = house.library.collections.create(
        "other", embedding_model="mistral-embed", dimension=1024, chunk_tokens=200
    )
    predicted = await foreseen(house, other)

    again = house.library.jobs.queue(other, LETTERS, lane="batch").job
    await house.buy()
    second = await house.finish(again)

    assert first.saved == Saved()
    assert second.saved == predicted.saved
    assert (second.saved.pages, predicted.pages_to_ocr) == (4, 0)
    assert bought * FEWEST <= second.saved.tokens
    assert second.saved.usd > 4 * PAGE / 2
    assert fake.pages_billed == 4


async def test_of_documents_that_are_there_everything_is_saved_also_after_a_restart(
    tmp_path: Path, fake: FakeMistral, empty_library: bytes
) -> None:
    async with opened(tmp_path / "library", fake, empty_library) as house:
        before = await foreseen(house, house.within)
        job = house.hand_in(LETTERS)
        await house.buy()
        await house.finish(job)

    async with opened(tmp_path / "library", fake, empty_library) as house:
        again = house.hand_in(LETTERS)

        assert again.state == "succeeded"
        assert again.saved.pages == before.pages_to_ocr == 4
        assert before.ocr_usd.least < again.saved.usd <= before.usd.most
        assert house.library.jobs.find(again.id).saved == again.saved
        assert (await foreseen(house, house.within)).saved == again.saved


async def foreseen(house: House, within: Collection) -> Estimate:
    return await estimate(
        LETTERS,
        within,
        readers=house.readers,
        embedders=house.embedders,
        library=house.library,
        lane="batch",
    )


async def test_what_two_documents_share_is_saved_once(house: House, fake: FakeMistral) -> None:
    same = [Source(f"{key}.pdf", LETTERS[0].content, PDF, title="A letter") for key in "ab"]
    job = house.hand_in(same)

    await house.buy()
    done = await house.finish(job)

    assert (fake.pages_billed, done.saved.pages) == (1, 1)
    assert done.saved.tokens > 0


# --- a process that dies ------------------------------------------------------------------------


class Killed(BaseException):
    """Nothing this process does has an effect any more."""


@contextmanager
def dying(
    monkeypatch: pytest.MonkeyPatch, folder: Path, at: int, *, committed: bool
) -> Iterator[list[int]]:
    """The process dies at its `at`-th write to a database below `folder`, before or after the
    commit. Others, of services that other tests keep open, are left alone."""
    writes = [0]
    write = Database.write

    @contextmanager
    def counted(self: Database) -> Iterator[Session]:
        if str(folder) not in self.url:
            with write(self) as session:
                yield session
            return
        writes[0] += 1
        if writes[0] > at:
            raise Killed
        with write(self) as session:
            yield session
            if writes[0] == at and not committed:
                raise Killed
        if writes[0] == at:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", counted)
        yield writes


async def test_wherever_the_process_dies_everything_is_paid_once(
    tmp_path: Path, fake: FakeMistral, empty_library: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.batch_polls = 0
    monkeypatch.setitem(PRAGMAS, "synchronous", "OFF")  # a process dies here, not the machine
    client = client_of(fake)  # shared, for making one takes longer than all the rest
    async with opened(tmp_path / "whole", fake, empty_library, client=client) as house:
        house.hand_in(LETTERS[:1])
        with dying(monkeypatch, tmp_path, 1_000, committed=True) as writes:
            await house.buy()
    whole = [charge.path for charge in fake.bill.charges]
    assert whole == ["/v1/ocr", "/v1/embeddings"]
    assert writes[0] > 15, "there are many places to die in"

    half = range(1, writes[0] // 2 + 1)  # the second batch is written as the first
    deaths = [*((at, False) for at in range(1, writes[0] + 1)), *((at, True) for at in half)]
    for at, committed in deaths:
        folder = tmp_path / f"{at}{committed}"
        fake.bill.charges.clear()
        async with opened(folder, fake, empty_library, client=client) as first:
            first.hand_in(LETTERS[:1])
            with dying(monkeypatch, folder, at, committed=committed), pytest.raises(Killed):
                await first.buy()
        async with opened(folder, fake, empty_library, client=client) as again:
            await again.buyer.recover()
            await again.buy()

            where = f"killed at write {at}, {committed=}"
            assert again.library.jobs.claim(lease=60) is not None, where
            assert [charge.path for charge in fake.bill.charges] == whole, where
            assert again.spent().usd == fake.bill.usd, where
            assert again.spent().calls == len(whole), where
    await client.close()
