"""`rag ingest --batch`, through the API of a real service, with a provider that takes batches."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec
import pytest
from fake_mistral.app import KEY, FakeMistral
from fake_mistral.serving import served

from rag.api.app import create_app
from rag.buying.buyer import Buyer
from rag.cli.batched import ingest_in_batches
from rag.cli.bulk import ingest_files
from rag.cli.door import Door, Refused
from rag.cli.foresight import foresee
from rag.cli.outcomes import Outcome, Summary
from rag.domain import Saved
from rag.errors import InvalidSettings
from rag.settings import Settings
from rag.sources.folder import find
from rag.wiring import Services

pytestmark = pytest.mark.anyio

TEXTS = {f"note-{n}.md": f"# Note {n}\n\nWhale number {n} eats krill.\n" for n in range(5)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeMistral:
    """Its batches take a moment."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("rag.buying.buyer.POLL", 0.02)
    monkeypatch.setattr("rag.cli.batched.WATCH", 0.02)
    monkeypatch.setattr("rag.mistral.batching.lane.wait_before_look", lambda looks: 0.02)
    return FakeMistral()


@asynccontextmanager
async def door_of(settings: Settings) -> AsyncIterator[tuple[Door, Services]]:
    services = await asyncio.to_thread(Services, settings)
    await services.start()
    transport = httpx.ASGITransport(cast(Any, create_app(services)))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            yield Door(http, None), services
    finally:
        await services.stop()


def settings_of(tmp_path: Path, url: str) -> Settings:
    return Settings(
        data_dir=str(tmp_path / "library"),
        mistral_api_key=KEY,
        mistral_base_url=url,
        ocr_provider="local",
        workers=1,
    )


async def ingest(folder: Path, door: Door) -> tuple[Summary, list[Outcome]]:
    files = list(find([str(folder)]))
    return await ingest_in_batches(files, "notes", door, told=lambda _: None)


async def test_an_interrupted_command_goes_on_with_its_job_and_pays_once(
    tmp_path: Path, folder: Path, fake: FakeMistral, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.wiring.Buyer", partial(Buyer, quiet=0.2))
    fake.batch_polls = 1_000_000
    with served(fake) as url:
        async with door_of(settings_of(tmp_path, url)) as (door, services):
            interrupted = asyncio.create_task(ingest(folder, door))
            while not fake.jobs:
                await asyncio.sleep(0.02)
            interrupted.cancel()
            with suppress(asyncio.CancelledError):
                await interrupted
            [job] = services.library.jobs.list().data
            shown = await door.call("GET", f"/v1/jobs/{job.id}")
        assert (shown["lane"], shown["progress"]["waiting_for_batch"]) == ("batch", 5)

        fake.batch_polls = 0
        (folder / "late.md").write_text("# Late\n\nThis one came between the two.\n")
        async with door_of(settings_of(tmp_path, url)) as (door, services):
            done, outcomes = await ingest(folder, door)
            [again] = services.library.jobs.list().data
            usd = services.library.ledger.spent(["lane"])
            nothing, _ = await ingest(folder, door)

    assert done.complete
    assert {outcome.state for outcome in outcomes} == {"indexed"}
    assert (again.id, again.items.total) == (job.id, 6)
    [batch] = [each for each in usd if each.group["lane"] == "batch"]
    assert batch.usd == sum(each.usd for each in fake.bill.charges if each.in_batch)
    assert sum(each.in_batch for each in fake.bill.charges) == len(TEXTS) + 1
    assert nothing.unchanged == 6


async def test_a_dry_run_of_the_batch_lane_tells_half_the_price(
    tmp_path: Path, folder: Path, fake: FakeMistral
) -> None:
    files = list(find([str(folder)]))
    with served(fake) as url:
        async with door_of(settings_of(tmp_path, url)) as (door, _):
            direct = await foresee(files, "notes", "direct", door, told=lambda _: None)
            batch = await foresee(files, "notes", "batch", door, told=lambda _: None)

    assert batch.files == len(TEXTS)
    assert batch.usd.most * 2 == direct.usd.most > 0
    assert batch.saved == Saved()
    assert fake.bill.charges == []


async def test_a_second_run_tells_what_the_first_one_spares_it(
    tmp_path: Path, folder: Path, fake: FakeMistral, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.wiring.Buyer", partial(Buyer, quiet=0.2))
    fake.batch_polls = 0
    files = list(find([str(folder)]))
    with served(fake) as url:
        async with door_of(settings_of(tmp_path, url)) as (door, _):
            expected = await foresee(files, "notes", "batch", door, told=lambda _: None)
            first, _ = await ingest(folder, door)
            again = await foresee(files, "notes", "batch", door, told=lambda _: None)
            second, _ = await ingest(folder, door)
            elsewhere, _ = await ingest_files(files, "other", door, told=lambda _: None)

    assert first.saved == Saved()
    assert second.saved == again.saved
    assert second.saved.tokens == expected.tokens.most
    assert expected.usd.least <= second.saved.usd == expected.usd.most
    assert (elsewhere.indexed, elsewhere.saved.tokens) == (5, second.saved.tokens)
    assert elsewhere.saved.usd == 2 * second.saved.usd, "at the price of the direct lane"


async def test_without_a_provider_it_is_refused_before_anything_is_sent(
    tmp_path: Path, folder: Path
) -> None:
    async with door_of(Settings(data_dir=str(tmp_path / "library"), workers=1)) as (door, services):
        with pytest.raises(InvalidSettings, match="MISTRAL_API_KEY"):
            await ingest(folder, door)
        with pytest.raises(InvalidSettings, match="MISTRAL_API_KEY"):
            await foresee([], "notes", "batch", door, told=lambda _: None)
        with pytest.raises(Refused, match="leave the batch lane out"):
            await door.call(
                "POST",
                "/v1/collections/default/documents?lane=batch",
                json={"key": "a.md", "text": "Whales."},
            )

        assert services.library.jobs.list().data == ()


async def test_a_job_stays_in_its_lane(tmp_path: Path, fake: FakeMistral) -> None:
    path = "/v1/collections/default/documents"
    with served(fake) as url:
        async with door_of(settings_of(tmp_path, url)) as (door, _):
            text = {"key": "a.md", "text": "Whales eat krill."}
            first = await door.call("POST", f"{path}?lane=batch", json=text)
            joined = await door.call("POST", f"{path}?job={first['job_id']}", json=text)
            with pytest.raises(Refused, match="in the batch lane"):
                await door.call("POST", f"{path}?lane=direct&job={first['job_id']}", json=text)

            job = await door.call("GET", f"/v1/jobs/{first['job_id']}")

    assert joined["job_id"] == first["job_id"]
    assert (job["lane"], job["items"]["total"]) == ("batch", 1)


async def test_what_goes_at_full_price_although_batches_were_asked_for_is_told(
    tmp_path: Path, fake: FakeMistral, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(fake) as url:
        settings = settings_of(tmp_path, url)
        elsewhere = msgspec.structs.replace(settings, ocr_provider=None, embedding_api_key="other")
        async with door_of(elsewhere) as (door, _):
            await foresee([], "notes", "batch", door, told=lambda _: None)
    assert "embeddings have another account, and go at once, at full price" in " ".join(
        capsys.readouterr().err.split()
    )
