"""Each account has one client, and a role that goes elsewhere is nobody else's trouble."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fake_mistral.app import KEY, FakeMistral
from fake_mistral.foreign import EMBEDDER, ROOT, WIDTH, ForeignHost
from fake_mistral.foreign import KEY as FOREIGN_KEY
from fake_mistral.serving import served

from rag.answering import Question
from rag.cli.doctor import examine
from rag.domain import Answer, IngestItem, Source
from rag.errors import InvalidSettings, KeyRefused, ModelUnavailable
from rag.ports import Ledger
from rag.providers import Providers, accounts
from rag.retrieval.queries import Query
from rag.settings import Role, Settings
from rag.storage.library import Library
from rag.wiring import DEFAULT_COLLECTION, Services

HEADERS = {"api-key": FOREIGN_KEY}
TEXT = "# Whales\n\nThe blue whale eats four tonnes of krill a day.\n"
PATIENCE = 30.0  # seconds


@pytest.fixture(autouse=True)
def past_any_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def fake() -> FakeMistral:
    return FakeMistral()


@pytest.fixture
def foreign() -> ForeignHost:
    return ForeignHost()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    library = Library.open(tmp_path)
    yield library.ledger
    library.close()


@pytest.fixture
def urls(fake: FakeMistral, foreign: ForeignHost) -> Iterator[dict[str, Any]]:
    with served(fake) as own, served(foreign) as other:
        yield {"mistral_base_url": own, "mistral_api_key": KEY, "other": f"{other}{ROOT}/v1"}


def chat_elsewhere(folder: Path, urls: dict[str, Any], **more: Any) -> Settings:
    return Settings(
        data_dir=str(folder),
        mistral_base_url=urls["mistral_base_url"],
        mistral_api_key=urls["mistral_api_key"],
        chat_base_url=urls["other"],
        chat_headers=HEADERS,
        chat_model="gpt-9",
        workers=1,
        **more,
    )


def embeddings_elsewhere(folder: Path, urls: dict[str, Any], **more: Any) -> Settings:
    told = {"embedding_dimension": WIDTH, **more}
    return Settings(
        data_dir=str(folder),
        mistral_base_url=urls["mistral_base_url"],
        mistral_api_key=urls["mistral_api_key"],
        embedding_base_url=urls["other"],
        embedding_headers=HEADERS,
        embedding_model=EMBEDDER,
        embedding_max_tokens=512,
        workers=1,
        **told,
    )


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Services]:
    services = await asyncio.to_thread(Services, settings)
    await services.start()
    try:
        yield services
    finally:
        await services.stop()


async def ingested(services: Services, key: str = "whales.md", text: str = TEXT) -> IngestItem:
    """How it ended."""
    within = services.library.collections.find(DEFAULT_COLLECTION)
    job = services.library.jobs.create(within, [Source(key, text.encode(), "text/markdown")])
    services.wake_worker()
    async with asyncio.timeout(PATIENCE):
        while services.job(job.id).finished_at is None:
            await asyncio.sleep(0.02)
    [item] = services.library.jobs.items(job.id).data
    return item


async def asked(services: Services) -> Answer:
    within = services.library.collections.find(DEFAULT_COLLECTION)
    return await services.answer(Question("How much krill does the blue whale eat?"), [within])


# --- over two hosts ------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_question_is_answered_over_two_hosts_and_each_call_is_in_the_ledger(
    tmp_path: Path, urls: dict[str, Any], fake: FakeMistral, foreign: ForeignHost
) -> None:
    prices: dict[str, Any] = {"chat_input_price": Decimal(2), "chat_output_price": Decimal(8)}
    async with running(chat_elsewhere(tmp_path, urls, **prices, budget_day=Decimal(1))) as services:
        item = await ingested(services)
        answer = await asked(services)
        spent = {
            each.group["operation"]: each for each in services.library.ledger.spent(["operation"])
        }

    assert item.state == "indexed"
    assert (answer.outcome, answer.answerer) == ("answered", "gpt-9")
    assert answer.citations[0].quote in TEXT
    assert {path for path, _, _ in foreign.received} == {f"{ROOT}/v1/chat/completions"}
    assert all("authorization" not in headers for _, _, headers in foreign.received)
    assert not any(KEY in str(headers) for _, _, headers in foreign.received)
    assert {each.path for each in fake.received} == {"/v1/embeddings"}
    usd = (2 * foreign.prompt_tokens + 8 * foreign.written_tokens) / Decimal(1_000_000)
    assert answer.usage is not None
    assert spent["answer"].usd == usd == Decimal(answer.usage.cost_usd)
    assert spent["embed"].usd == sum(each.usd for each in fake.bill.charges)


@pytest.mark.anyio
async def test_vectors_of_another_host_are_named_after_it_and_never_meet_others(
    tmp_path: Path, urls: dict[str, Any], foreign: ForeignHost
) -> None:
    settings = embeddings_elsewhere(tmp_path, urls, ocr_provider="local")
    async with running(settings) as services:
        item = await ingested(services)
        answer = await asked(services)
        model = services.library.collections.find(DEFAULT_COLLECTION).embedding_model
        has_batch_lane = services.has_batch_lane
    moved = ForeignHost()
    with served(moved) as url:
        elsewhere = msgspec.structs.replace(settings, embedding_base_url=f"{url}{ROOT}")
        async with running(elsewhere) as services:
            within = services.library.collections.find(DEFAULT_COLLECTION)
            with pytest.raises(ModelUnavailable, match="not configured here"):
                await services.search(Query("krill", mode="dense"), within)

    assert moved.received == []
    assert item.state == "indexed"
    assert answer.outcome == "answered"
    place = urls["other"].removeprefix("http://").removesuffix("/v1")
    assert model == f"{EMBEDDER}@{WIDTH}@{place}"
    assert {path for path, _, _ in foreign.received} == {f"{ROOT}/v1/embeddings"}
    assert not has_batch_lane


@pytest.mark.anyio
async def test_a_chat_host_that_refuses_its_key_does_not_pause_ingestion(
    tmp_path: Path, urls: dict[str, Any], foreign: ForeignHost
) -> None:
    async with running(chat_elsewhere(tmp_path, urls)) as services:
        await ingested(services)
        foreign.key = "another"
        with pytest.raises(KeyRefused, match="RAG_CHAT_HEADERS"):
            await asked(services)
        item = await ingested(services, "more.md", "# More\n\nKrill are small.\n")

    assert item.state == "indexed"


@pytest.mark.anyio
async def test_a_width_that_the_settings_have_wrong_fails_the_document_in_words(
    tmp_path: Path, urls: dict[str, Any], foreign: ForeignHost
) -> None:
    async with running(embeddings_elsewhere(tmp_path, urls, embedding_dimension=1_024)) as services:
        item = await ingested(services)
        calls = len(foreign.received)
        again = await ingested(services, "more.md", "# More\n\nKrill are small.\n")

    assert item.error is not None
    assert again.error is not None
    assert "set RAG_EMBEDDING_DIMENSION to 96" in item.error.message
    assert again.error.message == item.error.message
    assert len(foreign.received) == calls


# --- accounts ------------------------------------------------------------------------------------


def test_roles_of_one_account_share_a_client_and_others_have_their_own() -> None:
    def sharing(**own: Any) -> list[tuple[str, ...]]:
        return list(accounts(Settings(mistral_api_key="m", **own)).values())

    assert sharing() == [("ocr", "embedding", "answer")]
    assert sharing(chat_api_key="c") == [("ocr", "embedding"), ("answer",)]
    assert sharing(embedding_headers={"X-Team": "a"}) == [("ocr", "answer"), ("embedding",)]
    other = {"base_url": "https://h.example.org/v1", "api_key": "h"}
    both: dict[str, Any] = {
        f"{role}_{name}": value for role in ("chat", "embedding") for name, value in other.items()
    }
    shared = accounts(Settings(mistral_api_key="m", **both))
    assert list(shared.values()) == [("ocr",), ("embedding", "answer")]
    assert [host.key_setting for host in shared] == [
        "MISTRAL_API_KEY",
        "RAG_EMBEDDING_API_KEY and RAG_CHAT_API_KEY",
    ]


def test_a_batch_belongs_to_one_account(ledger: Ledger) -> None:
    def embeds_in_batches(**own: Any) -> bool:
        providers = Providers(Settings(mistral_api_key="m", **own), ledger)
        embedder = providers.embedder()
        assert embedder is not None
        assert providers.batch_lane() is not None
        return bool(list(embedder.errands(["a whale"])))

    assert embeds_in_batches()
    assert embeds_in_batches(ocr_provider="local", embedding_api_key="e")
    assert not embeds_in_batches(embedding_api_key="e")


def test_what_is_left_out_of_batches_is_named(ledger: Ledger) -> None:
    def left_out(**own: Any) -> tuple[Role, ...]:
        return Providers(Settings(**own), ledger).left_out_of_batches()

    assert left_out(mistral_api_key="m", embedding_api_key="e") == ("embedding",)
    assert left_out(mistral_api_key="m") == left_out() == ()
    assert left_out(mistral_api_key="m", embedding_provider="local") == ()


# --- budgets -------------------------------------------------------------------------------------

ELSEWHERE: dict[str, Any] = {
    "chat_base_url": "https://h.example.org",
    "chat_api_key": "h",
    "chat_model": "gpt-9",
}


@pytest.mark.parametrize(
    ("unpriced", "said"),
    [
        (ELSEWHERE, "set RAG_CHAT_INPUT_PRICE and RAG_CHAT_OUTPUT_PRICE"),
        ({**ELSEWHERE, "chat_model": "mistral-large-2512"}, "at h.example.org"),
        ({"mistral_chat_model": "brand-new"}, "brand-new at mistral"),
        ({"mistral_ocr_model": "brand-new"}, "RAG_MISTRAL_OCR_MODEL"),
        (
            {
                "embedding_base_url": "https://h.example.org",
                "embedding_api_key": "h",
                "embedding_model": "m@96",
                "embedding_max_tokens": 512,
            },
            "set RAG_EMBEDDING_PRICE",
        ),
    ],
)
@pytest.mark.parametrize("budget", ["budget_day", "budget_job"])
def test_a_budget_is_refused_that_could_not_be_held(
    unpriced: dict[str, Any], said: str, budget: str, ledger: Ledger
) -> None:
    settings = Settings(mistral_api_key="m", **unpriced)

    Providers(settings, ledger)
    with pytest.raises(InvalidSettings, match=said):
        Providers(msgspec.structs.replace(settings, **{budget: Decimal(5)}), ledger)


def test_a_host_of_ones_own_costs_nothing_once_that_is_said(ledger: Ledger) -> None:
    free: dict[str, Any] = {"chat_input_price": Decimal(0), "chat_output_price": Decimal(0)}

    Providers(Settings(mistral_api_key="m", budget_day=Decimal(5), **ELSEWHERE, **free), ledger)


# --- the doctor ----------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_the_doctor_looks_at_every_host(
    tmp_path: Path, urls: dict[str, Any], foreign: ForeignHost
) -> None:
    place = urls["other"].removeprefix("http://").removesuffix("/v1")

    checks = {each.name: each for each in await examine(chat_elsewhere(tmp_path, urls))}
    foreign.key = "another"
    refused = {each.name: each for each in await examine(chat_elsewhere(tmp_path, urls))}

    assert checks["mistral key"].ok
    assert checks["mistral ocr model"].ok
    assert "mistral answer model" not in checks
    assert checks[f"{place} host"].detail == f"{place} lists 2 models"
    assert checks[f"{place} answer model"].detail == "gpt-9"
    assert refused["mistral key"].ok
    assert not refused[place].ok
    assert "set RAG_CHAT_HEADERS" in refused[place].detail
