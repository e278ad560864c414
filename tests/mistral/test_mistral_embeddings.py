"""One sound vector for each text, paid for once, or an error that says why not."""

import asyncio
import math
import random
import zlib
from collections import Counter
from contextlib import suppress
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
from account_book import AccountBook
from fake_mistral.app import KEY, FakeMistral
from fake_mistral.clock import Clock
from fake_mistral.faults import Changed, Reply, edited

from rag.domain import JobId
from rag.errors import (
    BudgetExhausted,
    InputRefused,
    InvalidRequest,
    InvalidSettings,
    KeyRefused,
    MalformedReply,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
)
from rag.mistral.client import MistralClient
from rag.mistral.embedding.embedder import MistralEmbedder
from rag.mistral.embedding.packing import most_tokens
from rag.ports import Embedder
from rag.spending import EmbeddedTexts, Purpose, spending_for

pytestmark = pytest.mark.anyio

FOX, DOG, CASH = "the quick brown fox", "the quick brown dog", "cash flow statement of 2018"


def numbered(n: int) -> list[str]:
    """Texts whose vectors differ also at a provider that hashes their words."""
    return [f"text {i} of {i * i + 7} with {i**3 + 11}" for i in range(n)]


@pytest.fixture
async def embedder(client: MistralClient) -> MistralEmbedder:
    return MistralEmbedder(client)


def sizes(fake: FakeMistral) -> list[int]:
    """Inputs of each request that was answered."""
    return [len(body["input"]) for body in fake.answered("/v1/embeddings")]


async def test_it_is_an_embedder(embedder: MistralEmbedder) -> None:
    assert isinstance(embedder, Embedder)
    assert (embedder.model, embedder.dimension) == ("mistral-embed", 1024)
    assert embedder.max_tokens == 8192


async def test_vectors_are_in_order_of_length_one_and_near_where_texts_are(
    embedder: MistralEmbedder,
) -> None:
    vectors = await embedder.embed([FOX, CASH, DOG], "passage")

    assert vectors.shape == (3, 1024)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-6)
    assert vectors[0] @ vectors[2] > vectors[0] @ vectors[1] + 0.5


async def test_nothing_to_embed_is_no_request(embedder: MistralEmbedder, fake: FakeMistral) -> None:
    assert (await embedder.embed([], "passage")).shape == (0, 1024)
    assert (await embedder.embed([], "query")).shape == (0, 1024)

    assert fake.received == []


async def test_many_texts_go_in_several_requests_and_come_back_in_order(
    embedder: MistralEmbedder, fake: FakeMistral
) -> None:
    texts = numbered(150)

    vectors = await embedder.embed(texts, "passage")

    alone = [await embedder.embed([text], "passage") for text in (texts[0], texts[77], texts[149])]
    assert np.array_equal(vectors[[0, 77, 149]], np.concatenate(alone))
    assert sorted(sizes(fake)) == [1, 1, 1, 22, 64, 64]


async def test_numbers_are_asked_for_in_so_many_words(
    embedder: MistralEmbedder, fake: FakeMistral
) -> None:
    await embedder.embed([FOX], "passage")

    assert fake.answered("/v1/embeddings") == [
        {"model": "mistral-embed", "input": [FOX], "encoding_format": "float"}
    ]


async def test_shuffled_items_are_put_in_order(
    embedder: MistralEmbedder, fake: FakeMistral
) -> None:
    texts = [FOX, DOG, CASH]
    straight = await embedder.embed(texts, "passage")
    fake.faults = [edited(lambda reply: {**reply, "data": reply["data"][::-1]})]

    assert np.array_equal(await embedder.embed(texts, "passage"), straight)


async def test_items_without_an_index_are_taken_as_they_come(
    embedder: MistralEmbedder, fake: FakeMistral
) -> None:
    straight = await embedder.embed([FOX, DOG], "passage")
    fake.faults = [
        edited(lambda r: {**r, "data": [{"embedding": i["embedding"]} for i in r["data"]]})
    ]

    assert np.array_equal(await embedder.embed([FOX, DOG], "passage"), straight)


def half(reply: dict[str, Any]) -> dict[str, Any]:
    """Every vector is half as wide as it should be."""
    data = [{**item, "embedding": item["embedding"][:512]} for item in reply["data"]]
    return {**reply, "data": data}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (edited(lambda r: {**r, "data": r["data"][:-1]}), "sent 2 vectors for 3 texts"),
        (edited(half), "not 1024 wide"),
        (edited(lambda r: {**r, "model": "other-embed"}), "another model"),
        (Changed(lambda body: body[:-9]), "not JSON"),
    ],
)
async def test_a_provider_that_always_sends_rubbish_is_given_up_soon(
    embedder: MistralEmbedder, fake: FakeMistral, fault: Changed, told: str
) -> None:
    fake.faults = [fault] * 100

    with pytest.raises(MalformedReply, match=told):
        await embedder.embed([FOX, DOG, CASH], "passage")

    assert len(fake.received) <= 2 * 4  # all, each half, and a text that is surely innocent


async def test_one_vector_for_all_is_an_alarm_and_no_part_of_it_is_taken(
    embedder: MistralEmbedder, fake: FakeMistral, caplog: pytest.LogCaptureFixture
) -> None:
    def same(reply: dict[str, Any]) -> dict[str, Any]:
        first = reply["data"][0]["embedding"]
        return {**reply, "data": [{**item, "embedding": first} for item in reply["data"]]}

    fake.faults = [edited(same)] * 100

    with pytest.raises(MalformedReply, match="same vector for different texts"):
        await embedder.embed([FOX, DOG, CASH], "passage")

    assert len(fake.received) == 2
    assert [vars(each)["action"] for each in caplog.records if each.levelname == "ERROR"] == [
        "provider_alarm"
    ]


async def test_a_batch_that_comes_back_as_rubbish_twice_is_asked_for_in_halves(
    embedder: MistralEmbedder, fake: FakeMistral
) -> None:
    straight = await embedder.embed([FOX, DOG, CASH], "passage")
    fake.faults = [edited(half)] * 2

    assert np.array_equal(await embedder.embed([FOX, DOG, CASH], "passage"), straight)
    assert sizes(fake) == [3, 3, 3, 1, 2]


async def test_a_model_told_by_its_dated_id_is_the_same(
    embedder: MistralEmbedder, fake: FakeMistral
) -> None:
    fake.faults = [edited(lambda reply: {**reply, "model": "mistral-embed-2312"})]

    assert (await embedder.embed([FOX], "passage")).shape == (1, 1024)


async def test_a_batch_too_large_is_halved_and_the_limit_remembered(
    embedder: MistralEmbedder, fake: FakeMistral
) -> None:
    fake.largest_batch = 20
    texts = numbered(64)

    vectors = await embedder.embed(texts, "passage")

    assert vectors.shape == (64, 1024)
    assert sizes(fake) == [16, 16, 16, 16]
    assert len(fake.received) == 2 + 4  # 64 and 32 were refused

    await embedder.embed(texts, "passage")
    assert len(fake.received) == 2 + 4 + 4


async def test_too_many_tokens_are_halved_too(embedder: MistralEmbedder, fake: FakeMistral) -> None:
    fake.most_tokens = 400
    texts = [f"{n} " + "word " * 50 for n in range(20)]

    vectors = await embedder.embed(texts, "passage")

    assert np.array_equal(vectors[7:8], await embedder.embed(texts[7:8], "passage"))
    assert max(sizes(fake)) <= 4  # about 90 tokens each


async def test_a_single_text_refused_for_its_size_is_not_asked_for_ever(
    embedder: MistralEmbedder, fake: FakeMistral
) -> None:
    fake.longest_input = 60

    with pytest.raises(ProviderRefused, match="code 3210"):
        await embedder.embed(["word " * 50], "passage")
    assert len(fake.received) == 1

    with pytest.raises(InputRefused) as caught:
        await embedder.embed([*numbered(20), "word " * 50], "passage")
    assert caught.value.positions == (20,)

    fake.received.clear()  # what was learned from that text is forgotten
    await embedder.embed(numbered(64), "passage")
    assert sizes(fake) == [64]


async def test_a_passage_too_long_is_refused_instead_of_cut_in_silence(
    embedder: MistralEmbedder, fake: FakeMistral
) -> None:
    with pytest.raises(InvalidRequest, match="cut it up first"):
        await embedder.embed([FOX, "x" * 8190], "passage")

    assert fake.received == []


async def test_a_question_too_long_stands_for_the_mean_of_its_pieces(
    embedder: MistralEmbedder,
) -> None:
    long = " ".join([FOX] * 500)

    [vector] = await embedder.embed([long], "query")
    [short] = await embedder.embed([FOX], "query")

    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    assert vector @ short > 0.99


@pytest.mark.parametrize("empty", ["", "  \n"])
async def test_an_empty_text_does_not_spoil_a_batch_at_the_provider(
    embedder: MistralEmbedder, fake: FakeMistral, empty: str
) -> None:
    with pytest.raises(InvalidRequest, match="empty"):
        await embedder.embed([FOX, empty], "passage")
    with pytest.raises(InvalidRequest, match="empty"):
        await embedder.embed([empty], "query")

    assert fake.received == []


async def test_a_person_does_not_wait_as_long_as_a_job(
    embedder: MistralEmbedder, fake: FakeMistral
) -> None:
    fake.faults = [Reply(503)] * 100

    with pytest.raises(ProviderUnavailable):
        await embedder.embed([FOX], "query")
    assert len(fake.received) == 2

    with pytest.raises(ProviderUnavailable):
        await embedder.embed([FOX], "passage")
    assert len(fake.received) == 2 + 6


@pytest.mark.parametrize("seed", range(3))
async def test_a_provider_that_fails_every_third_time_still_embeds_all(
    embedder: MistralEmbedder, fake: FakeMistral, seed: int
) -> None:
    texts = numbered(200)
    straight = await embedder.embed(texts, "passage")
    chance = random.Random(seed)
    faults = [Reply(429), Reply(500), Reply(502), Reply(503, headers={"Retry-After": "1"})]
    fake.faults = [chance.choice(faults) if chance.random() < 0.33 else None for _ in range(100)]

    assert np.array_equal(await embedder.embed(texts, "passage"), straight)


async def test_a_model_whose_width_is_not_known_is_no_setting(client: MistralClient) -> None:
    with pytest.raises(InvalidSettings, match="mistral-embed"):
        MistralEmbedder(client, "mistral-embedd")


async def test_vectors_come_over_real_http(http_client: MistralClient) -> None:
    texts = numbered(200)

    assert (await MistralEmbedder(http_client).embed(texts, "passage")).shape == (200, 1024)


# --- paid for once ------------------------------------------------------------------------------


class Provider:
    """Answers with a vector for each text, unless it holds a word that it refuses."""

    def __init__(self) -> None:
        self.requests: list[list[str]] = []
        self.billed: Counter[str] = Counter()
        """How often each text was."""
        self.tokens = 0
        self.refusal = httpx.Response(400, json={"message": "no", "code": "3051"})
        self.tells_usage = True
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = msgspec.json.decode(request.content)
        texts = asked["input"]
        self.requests.append(texts)
        await self.may_answer.wait()
        if any("poison" in text for text in texts):
            return httpx.Response(self.refusal.status_code, content=self.refusal.content)
        self.billed.update(texts)
        counted = sum(len(text) // 2 + 1 for text in texts)
        self.tokens += counted
        reply = {
            "model": asked["model"],
            "data": [{"index": n, "embedding": _unit(text)} for n, text in enumerate(texts)],
            "usage": {"prompt_tokens": counted} if self.tells_usage else None,
        }
        return httpx.Response(200, content=msgspec.json.encode(reply))


def _unit(text: str) -> list[float]:
    """An angle of its own for each text; all but two numbers are zero, and quickly written."""
    angle = zlib.crc32(text.encode()) / 2**32 * 2 * math.pi
    return [math.cos(angle), math.sin(angle), *([0.0] * 1022)]


@pytest.fixture
async def provider() -> Provider:
    return Provider()


@pytest.fixture
def book() -> AccountBook:
    return AccountBook()


@pytest.fixture
async def payer(provider: Provider, book: AccountBook, clock: Clock) -> MistralEmbedder:
    transport = httpx.MockTransport(provider)
    client = MistralClient(KEY, book, transport=transport, clock=clock, chance=lambda: 0.5)
    return MistralEmbedder(client)


def kept(book: AccountBook) -> dict[str, Any]:
    """Vectors by text; each text was bought once."""
    found: dict[str, Any] = {}
    for bought in book.bought:
        assert isinstance(bought, EmbeddedTexts)
        for text, vector in zip(bought.texts, bought.vectors, strict=True):
            assert text not in found
            found[text] = vector
    return found


async def test_every_request_is_billed_as_told_and_keeps_what_it_bought(
    payer: MistralEmbedder, provider: Provider, book: AccountBook
) -> None:
    texts = numbered(150)

    vectors = await payer.embed(texts, "passage")

    assert np.array_equal(np.stack([kept(book)[text] for text in texts]), vectors)
    assert {(b.model, b.input_type) for b in book.bought if isinstance(b, EmbeddedTexts)} == {
        ("mistral-embed", "passage")
    }
    assert book.tokens == provider.tokens
    for number, intent in book.intents.items():
        assert intent.operation == "embed"
        assert book.bills[number].units.input <= intent.most.input
        assert 0 < book.bills[number].usd <= intent.usd
    assert not book.under_way


async def test_where_the_provider_does_not_count_the_most_is_billed(
    payer: MistralEmbedder, provider: Provider, book: AccountBook
) -> None:
    provider.tells_usage = False

    await payer.embed([FOX], "passage")

    assert book.tokens == most_tokens([FOX])


@pytest.mark.parametrize(("bad", "status"), [(0, 400), (31, 422), (40, 413), (63, 400)])
async def test_one_text_that_is_refused_costs_its_neighbors_nothing(
    payer: MistralEmbedder, provider: Provider, book: AccountBook, bad: int, status: int
) -> None:
    provider.refusal = httpx.Response(status, json={"detail": "no"})
    texts = numbered(64)
    texts[bad] = "poison"

    with pytest.raises(InputRefused) as caught:
        await payer.embed(texts, "passage")

    assert caught.value.positions == (bad,)
    assert set(kept(book)) == set(texts) - {"poison"}
    assert max(provider.billed.values()) == 1
    assert len(provider.requests) - 1 <= 2 * math.ceil(math.log2(64)) + 2
    assert len(book.withdrawn) == len(provider.requests) - len(book.bills)
    assert not book.under_way


async def test_neighbors_in_other_requests_are_bought_all_the_same(
    payer: MistralEmbedder, book: AccountBook
) -> None:
    texts = [*numbered(200), "poison 1", "poison 2"]

    with pytest.raises(InputRefused) as caught:
        await payer.embed(texts, "passage")

    assert caught.value.positions == (200, 201)
    assert set(kept(book)) == set(texts[:200])


async def test_a_question_in_pieces_is_refused_for_any_of_them(payer: MistralEmbedder) -> None:
    long = " ".join([*numbered(400), "poison"])

    with pytest.raises(InputRefused) as caught:
        await payer.embed([FOX, long, DOG], "query")

    assert caught.value.positions == (1,)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"detail": "Unauthorized"}, KeyRefused),
        (403, {"message": "not for you"}, KeyRefused),
        (404, {"message": "Invalid model: mistral-embed"}, ProviderRefused),
        (400, {"message": "Invalid model: mistral-embed"}, ProviderRefused),
        (422, {"detail": [{"loc": ["body", "output_dtype"], "type": "enum"}]}, ProviderRefused),
    ],
)
async def test_no_text_is_blamed_for_what_is_not_its_fault(
    payer: MistralEmbedder,
    provider: Provider,
    status: int,
    body: Any,
    error: type[ProviderError],
) -> None:
    provider.refusal = httpx.Response(status, json=body)

    with pytest.raises(error) as caught:
        await payer.embed([*numbered(63), "poison"], "passage")

    assert not isinstance(caught.value, InputRefused)
    assert len(provider.requests) == 1


async def test_a_text_that_is_wanted_twice_is_paid_for_once(
    payer: MistralEmbedder, provider: Provider
) -> None:
    vectors = await payer.embed([FOX, DOG, FOX], "passage")

    assert np.array_equal(vectors[0], vectors[2])
    assert provider.billed == Counter({FOX: 1, DOG: 1})


async def test_two_calls_at_a_time_share_what_both_want(
    payer: MistralEmbedder, provider: Provider
) -> None:
    one, other = await asyncio.gather(
        payer.embed([FOX, DOG], "passage"), payer.embed([DOG, CASH], "passage")
    )

    assert np.array_equal(one[1], other[0])
    assert provider.billed == Counter({FOX: 1, DOG: 1, CASH: 1})


async def test_a_question_and_a_passage_are_not_the_same_thing(
    payer: MistralEmbedder, book: AccountBook
) -> None:
    await asyncio.gather(payer.embed([FOX], "passage"), payer.embed([FOX], "query"))

    bought = [each.input_type for each in book.bought if isinstance(each, EmbeddedTexts)]
    assert sorted(bought) == ["passage", "query"]


async def test_a_question_asked_again_is_not_paid_for_again(
    payer: MistralEmbedder, provider: Provider
) -> None:
    first = await payer.embed([FOX, DOG], "query")
    again = await payer.embed([DOG, CASH, FOX], "query")

    assert np.array_equal(first, again[[2, 0]])
    assert provider.billed == Counter({FOX: 1, DOG: 1, CASH: 1})


async def sent(provider: Provider, n: int) -> None:
    """Waits until so many requests are under way."""
    async with asyncio.timeout(5):
        while len(provider.requests) < n:
            await asyncio.sleep(0.001)


async def test_a_call_that_is_given_up_leaves_the_other_its_vector(
    payer: MistralEmbedder, provider: Provider, book: AccountBook
) -> None:
    provider.may_answer.clear()
    first = asyncio.create_task(payer.embed([FOX], "passage"))
    await sent(provider, 1)
    second = asyncio.create_task(payer.embed([FOX], "passage"))
    await asyncio.sleep(0)

    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    provider.may_answer.set()

    assert (await second).shape == (1, 1024)
    assert provider.billed == Counter({FOX: 1})
    assert list(kept(book)) == [FOX]


async def test_a_request_that_nobody_waits_for_is_ended_and_counts_as_lost(
    payer: MistralEmbedder, provider: Provider, book: AccountBook
) -> None:
    provider.may_answer.clear()
    only = asyncio.create_task(payer.embed([FOX], "passage"))
    await sent(provider, 1)

    only.cancel()
    with suppress(asyncio.CancelledError):
        await only

    assert len(book.lost) == 1
    assert not book.under_way


async def test_an_empty_purse_does_not_stop_the_purchase_of_another(
    payer: MistralEmbedder, book: AccountBook
) -> None:
    poor, rich = Purpose(job=JobId("job_poor")), Purpose(job=JobId("job_rich"))
    book.penniless = {poor}

    async def embed(purpose: Purpose) -> Any:
        with spending_for(purpose):
            return await payer.embed([FOX], "passage")

    first, second = await asyncio.gather(embed(poor), embed(rich), return_exceptions=True)

    assert isinstance(first, BudgetExhausted)
    assert isinstance(second, np.ndarray)


async def test_a_failure_of_one_request_leaves_the_others_bought(
    payer: MistralEmbedder, provider: Provider, book: AccountBook
) -> None:
    provider.refusal = httpx.Response(503)
    texts = [*numbered(128), "poison"]

    with pytest.raises(ProviderUnavailable):
        await payer.embed(texts, "passage")

    assert set(kept(book)) == set(texts[:128])


async def test_a_reply_that_cannot_be_used_is_billed_as_it_says(
    provider: Provider, book: AccountBook, clock: Clock
) -> None:
    async def narrow(request: httpx.Request) -> httpx.Response:
        reply = msgspec.json.decode((await provider(request)).content)
        return httpx.Response(200, json=half(reply))

    client = MistralClient(
        KEY, book, transport=httpx.MockTransport(narrow), clock=clock, chance=lambda: 0.5
    )

    with pytest.raises(MalformedReply):
        await MistralEmbedder(client).embed([FOX, DOG], "passage")

    assert book.bought == []
    assert book.tokens == provider.tokens > 0
    assert book.lost == []


async def test_the_name_says_what_is_asked_for(client: MistralClient, fake: FakeMistral) -> None:
    embedder = MistralEmbedder(client, "codestral-embed@512")

    vectors = await embedder.embed([FOX, DOG], "passage")

    assert embedder.model == "codestral-embed@512"
    assert vectors.shape == (2, embedder.dimension) == (2, 512)
    [asked] = fake.answered("/v1/embeddings")
    assert (asked["model"], asked["output_dimension"]) == ("codestral-embed", 512)
