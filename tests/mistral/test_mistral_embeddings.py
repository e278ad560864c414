"""One sound vector for each text, or an error that says why not."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fake_mistral.app import FakeMistral
from fake_mistral.faults import Changed, Reply, edited

from rag.errors import (
    InvalidRequest,
    InvalidSettings,
    MalformedReply,
    ProviderRefused,
    ProviderUnavailable,
)
from rag.mistral.client import MistralClient
from rag.mistral.embeddings import MistralEmbedder
from rag.ports import Embedder

pytestmark = pytest.mark.anyio

FOX, DOG, CASH = "the quick brown fox", "the quick brown dog", "cash flow statement of 2018"


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
    texts = [f"text number {n}" for n in range(150)]

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


def item(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Changed:
    """A change of the second item."""

    def changed(reply: dict[str, Any]) -> dict[str, Any]:
        first, second, *rest = reply["data"]
        return {**reply, "data": [first, {**second, **change(second)}, *rest]}

    return edited(changed)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (edited(lambda r: {**r, "data": r["data"][:2]}), "sent 2 vectors for 3 texts"),
        (edited(lambda r: {**r, "data": r["data"] * 2}), "sent 6 vectors for 3 texts"),
        (item(lambda i: {"index": 0}), "belong to no text"),
        (item(lambda i: {"index": 7}), "belong to no text"),
        (item(lambda i: {"index": None}), "belong to no text"),
        (item(lambda i: {"embedding": i["embedding"][:256]}), "not 1024 wide"),
        (item(lambda i: {"embedding": [0.0] * 1024}), "without a direction"),
        (item(lambda i: {"embedding": [1e300] * 1024}), "without a direction"),
        (item(lambda i: {"embedding": [None] * 1024}), "another shape"),
        (item(lambda i: {"embedding": "AAAA"}), "another shape"),  # base64, unasked
        (edited(lambda r: {**r, "model": "other-embed"}), "another model"),
        (Changed(lambda body: body.replace(b"0.0,", b"NaN,", 1)), "not JSON"),
    ],
)
async def test_vectors_that_are_not_sound_are_never_returned(
    embedder: MistralEmbedder, fake: FakeMistral, fault: Changed, told: str
) -> None:
    fake.faults = [fault, fault]

    with pytest.raises(MalformedReply, match=told):
        await embedder.embed([FOX, DOG, CASH], "passage")

    assert len(fake.received) == 2


async def test_a_model_told_by_its_dated_id_is_the_same(
    embedder: MistralEmbedder, fake: FakeMistral
) -> None:
    fake.faults = [edited(lambda reply: {**reply, "model": "mistral-embed-2312"})]

    assert (await embedder.embed([FOX], "passage")).shape == (1, 1024)


async def test_a_batch_too_large_is_halved_and_the_limit_remembered(
    embedder: MistralEmbedder, fake: FakeMistral
) -> None:
    fake.largest_batch = 20
    texts = [f"text number {n}" for n in range(64)]

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
    fake.longest_input = 10

    with pytest.raises(ProviderRefused, match="code 3210"):
        await embedder.embed(["word " * 50], "passage")

    assert len(fake.received) == 1


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
    texts = [f"text number {n}" for n in range(400)]
    straight = await embedder.embed(texts, "passage")
    chance = random.Random(seed)
    faults = [Reply(429), Reply(500), Reply(502), Reply(503, headers={"Retry-After": "1"})]
    fake.faults = [chance.choice(faults) if chance.random() < 0.33 else None for _ in range(100)]

    assert np.array_equal(await embedder.embed(texts, "passage"), straight)


async def test_a_model_whose_width_is_not_known_is_no_setting(client: MistralClient) -> None:
    with pytest.raises(InvalidSettings, match="mistral-embed"):
        MistralEmbedder(client, "mistral-embedd")


async def test_vectors_come_over_real_http(http_client: MistralClient) -> None:
    texts = [f"text number {n}" for n in range(200)]

    assert (await MistralEmbedder(http_client).embed(texts, "passage")).shape == (200, 1024)
