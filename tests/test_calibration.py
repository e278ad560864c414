"""When a collection tries itself, what that costs, and what comes of it."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rag.calibration import PAID_SAMPLE, SelfCheck, calibrate, foreseen, is_due
from rag.domain import Collection, DocumentSummary, IngestJob, InputType, Lane, Source, Vectors
from rag.errors import ProviderUnavailable
from rag.ports import Embedders, Readers
from rag.ranking.selfcheck import FEWEST
from rag.spending import Errand
from rag.storage.library import Library
from rag.worker import Worker
from tests.fakes import HashingEmbedder, PlainReader

pytestmark = pytest.mark.anyio

CHUNK_TOKENS = 80
"""So few that each note is a chunk."""


class PaidEmbedder(HashingEmbedder):
    """Counts what a self-check embeds: its questions, and as many remainders."""

    model = "paid/64"

    def __init__(self) -> None:
        super().__init__()
        self.questions: list[str] = []
        self.is_down = False
        self.latency = 0.0

    async def embed(self, texts: Sequence[str], input_type: InputType) -> Vectors:
        if input_type == "query":
            await asyncio.sleep(self.latency)
            if self.is_down:
                raise ProviderUnavailable("paid", "cannot be reached")
            self.questions += texts
        return await super().embed(texts, input_type)

    def cost(self, tokens: int, lane: Lane = "direct") -> Decimal:
        return Decimal(tokens)

    def most_tokens(self, texts: Sequence[str]) -> int:
        return sum(self.count_tokens(texts))

    def errands(self, texts: Sequence[str]) -> Iterator[Errand]:
        raise AssertionError("a self-check goes at once")


class House:
    def __init__(self, folder: Path) -> None:
        self.library = Library.open(folder)
        self.embedder = PaidEmbedder()
        self.embedders = Embedders({self.embedder.model: self.embedder})
        self.within: Collection = self.library.collections.create(
            "notes",
            embedding_model=self.embedder.model,
            dimension=self.embedder.dimension,
            chunk_tokens=CHUNK_TOKENS,
        )

    def hand_in(self, notes: range) -> IngestJob:
        text = "\n\n".join(note(n) for n in notes)
        return self.library.jobs.create(self.within, [Source(f"{notes}.md", text.encode())])

    @property
    def now(self) -> Collection:
        return self.library.collections.find(self.within.id)

    async def run(self, notes: range) -> None:
        """One process that reads a document of these notes, and stops when all is done."""
        job = self.hand_in(notes)
        readers = Readers(PlainReader(), {})
        worker = Worker(self.library, readers, self.embedders, lanes=2)
        work = asyncio.create_task(worker.run())
        while self.library.jobs.find(job.id).finished_at is None:
            await asyncio.sleep(0.01)
        await worker.settled()
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "library")
    yield house
    house.library.close()


def note(number: int) -> str:
    return (
        f"The barnacle number {number} settles on the hull of a vessel named ship{number}."
        f" Copper paint number {number} keeps the weight of boat{number} down in spring."
        f" Scraping took the crew of captain{number} some {number} days altogether."
    )


def test_stages_are_the_same_wherever_counting_begins() -> None:
    one_by_one = [n for n in range(1, 400) if is_due(n, before=n - 1)]

    assert one_by_one == [40, 80, 160, 320]
    assert is_due(400, before=0)


async def test_a_collection_too_small_to_tell_pays_nothing_for_it(house: House) -> None:
    await house.run(range(FEWEST - 1))

    assert house.now.chunks == FEWEST - 1
    await calibrate(house.now, embedders=house.embedders, library=house.library)
    assert house.embedder.questions == []


async def test_a_collection_that_grew_is_tried_once_for_each_stage(house: House) -> None:
    await house.run(range(FEWEST))
    assert len(house.embedder.questions) == FEWEST

    for n in range(FEWEST, FEWEST + 4):  # each in a process of its own
        await house.run(range(n, n + 1))
    assert len(house.embedder.questions) == FEWEST


async def test_a_self_check_is_not_cut_off_when_its_documents_are_done(house: House) -> None:
    house.embedder.latency = 0.2
    house.library.collections.set_dense_weight(house.now, 0.123)
    await house.run(range(FEWEST))

    assert house.now.dense_weight != 0.123


async def test_a_job_that_ends_before_the_last_step_of_its_document_is_no_reason_to_leave(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = house.library.documents.publish

    def slowly(*given: Any, **more: Any) -> DocumentSummary:
        published = publish(*given, **more)
        time.sleep(0.5)
        return published

    monkeypatch.setattr(house.library.documents, "publish", slowly)
    await house.run(range(FEWEST))

    assert len(house.embedder.questions) == FEWEST


async def test_a_self_check_that_failed_is_made_up_for(house: House) -> None:
    house.embedder.is_down = True
    house.hand_in(range(FEWEST))
    worker = Worker(house.library, Readers(PlainReader(), {}), house.embedders, lanes=1)
    work = asyncio.create_task(worker.run())
    while house.now.chunks < FEWEST:
        await asyncio.sleep(0.01)
    await worker.settled()
    assert house.embedder.questions == []

    house.embedder.is_down = False
    house.hand_in(range(FEWEST, FEWEST + 1))
    worker.wake()
    while house.now.chunks == FEWEST:
        await asyncio.sleep(0.01)
    await worker.settled()
    work.cancel()
    assert len(house.embedder.questions) == FEWEST + 1


async def test_what_it_may_cost_is_known_beforehand(house: House) -> None:
    empty = house.now
    await house.run(range(200))
    remainders = house.embedder.embedded[-len(house.embedder.questions) :]
    paid = sum(house.embedder.count_tokens([*house.embedder.questions, *remainders]))

    told = foreseen(empty, house.embedder, coming=200)
    assert 0 < len(house.embedder.questions) <= PAID_SAMPLE
    assert paid <= told.tokens == told.usd == PAID_SAMPLE * CHUNK_TOKENS
    assert foreseen(house.now, house.embedder, coming=1).usd == 0
    assert foreseen(empty, HashingEmbedder(), coming=200) == SelfCheck()


def test_it_is_the_same_for_files_by_themselves_and_together(house: House) -> None:
    by_themselves = [foreseen(house.within, house.embedder, coming=13) for _ in range(4)]

    assert [each.tokens for each in by_themselves] == [0] * 4
    together = sum(by_themselves, SelfCheck())
    assert together == foreseen(house.within, house.embedder, coming=52)
    assert together.tokens == 52 * CHUNK_TOKENS
