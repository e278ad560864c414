"""A host that speaks OpenAI's language is asked only what it knows."""

from collections.abc import AsyncIterator
from decimal import Decimal

import httpx
import numpy as np
import pytest
from account_book import AccountBook
from fake_mistral.foreign import EMBEDDER, KEY, ROOT, WIDTH, ForeignHost

from rag.domain import Block, DocumentId, Evidence, Version
from rag.errors import InvalidRequest, InvalidSettings, KeyRefused, MalformedReply
from rag.grounding.prompt import Message
from rag.mistral.chat.answerer import MistralAnswerer
from rag.mistral.chat.completions import MistralChat, Terms
from rag.mistral.client import MistralClient
from rag.mistral.embedding.embedder import MistralEmbedder
from rag.mistral.embedding.packing import most_tokens, token_bound_elsewhere
from rag.mistral.embedding.profiles import LEAST_READ, Prompts, profile_elsewhere
from rag.mistral.examination import examine
from rag.mistral.hosts import Host, place_of, rooted
from rag.mistral.prices import TokenPrice
from rag.mistral.wire.chat import (
    CalledFunction,
    Function,
    Said,
    SaidToolCalls,
    Tool,
    ToolCall,
    ToolResult,
)

pytestmark = pytest.mark.anyio

PLACE = f"host.example.org{ROOT}"
ACCOUNT = Host(
    f"https://{PLACE}", None, (("api-key", KEY),), "openai", key_setting="RAG_CHAT_HEADERS"
)
MODEL = profile_elsewhere(EMBEDDER, PLACE, width=WIDTH, longest=8_191, price=Decimal("0.02"))


def evidence(label: int, text: str) -> Evidence:
    block = Block("text", 0, len(text))
    return Evidence(label, DocumentId("doc_1"), Version("sha256:0"), "a.pdf", "A", text, block)


EVIDENCE = (evidence(1, "Cash was 5."), evidence(2, "Debt was 7."))


@pytest.fixture
def foreign() -> ForeignHost:
    return ForeignHost()


@pytest.fixture
def book() -> AccountBook:
    return AccountBook()


@pytest.fixture
async def client(foreign: ForeignHost, book: AccountBook) -> AsyncIterator[MistralClient]:
    client = MistralClient(ACCOUNT, book, transport=httpx.ASGITransport(foreign.app))
    yield client
    await client.close()


# --- base URLs and names -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("https://name.openai.azure.com/openai/v1/", "https://name.openai.azure.com/openai"),
        ("https://name.openai.azure.com/openai/v1", "https://name.openai.azure.com/openai"),
        ("https://name.openai.azure.com/openai", "https://name.openai.azure.com/openai"),
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434"),
        ("https://gateway.example.org/v1/", "https://gateway.example.org"),
        ("https://gateway.example.org/dev1", "https://gateway.example.org/dev1"),
    ],
)
def test_a_base_url_may_end_in_its_version_or_not(given: str, root: str) -> None:
    assert rooted(given) == root


@pytest.mark.parametrize(
    "url", ["https://h.example.org/openai?api-version=1", "https://u:sesame@h.example.org"]
)
def test_a_query_or_a_password_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InvalidSettings, match="key or a header") as refused:
        rooted(url)

    assert "sesame" not in str(refused.value)


def test_a_host_shows_neither_key_nor_headers() -> None:
    shown = repr(Host("https://h.example.org", "sesame", (("api-key", "sesame"),), "openai"))

    assert shown == "Host('h.example.org')"


def test_the_same_model_at_two_hosts_has_two_names() -> None:
    def name(host: str, width: int = 96) -> str:
        return profile_elsewhere("bge-m3", place_of(host), width=width, longest=512).name

    assert name("http://127.0.0.1:1") == "bge-m3@96@127.0.0.1:1"
    assert len({name("http://127.0.0.1:1"), name("http://127.0.0.1:2"), "bge-m3"}) == 3
    assert name("https://h/a") != name("https://h/b")
    assert name("https://h", 96) != name("https://h", 97)


def test_a_width_is_asked_for_in_the_name_and_said_once() -> None:
    assert profile_elsewhere("m@256", "h", width=None, longest=512).width == 256
    assert profile_elsewhere("@cf/baai/m", "h", width=8, longest=512).model == "@cf/baai/m"
    with pytest.raises(InvalidSettings, match="another width"):
        profile_elsewhere("m@256", "h", width=512, longest=512)
    with pytest.raises(InvalidSettings, match="how wide"):
        profile_elsewhere("m", "h", width=None, longest=512)


def test_another_prompt_for_passages_makes_other_vectors_and_so_another_name() -> None:
    def name(query: str = "", passage: str = "") -> str:
        prompts = Prompts(query, passage)
        return profile_elsewhere("e5", "h", width=96, longest=512, prompts=prompts).name

    assert name() == name(query="query: ") == "e5@96@h"
    assert len({name(), name(passage="passage: "), name(passage="passage:")}) == 3


def test_prompts_take_of_what_a_model_reads() -> None:
    def longest(prompt: str) -> int:
        prompts = Prompts(passage=prompt)
        return profile_elsewhere("e5", "h", width=96, longest=64, prompts=prompts).longest

    assert longest("") == 64
    assert LEAST_READ <= longest("passage: ") < 64
    with pytest.raises(InvalidSettings, match="shorter"):
        longest("represent this sentence " * 10)


# --- embeddings ----------------------------------------------------------------------------------


async def test_vectors_come_with_fields_every_host_knows_and_are_of_length_one(
    client: MistralClient, foreign: ForeignHost, book: AccountBook
) -> None:
    vectors = await MistralEmbedder(client, MODEL).embed(["a whale", "a tax"], "passage")

    [(path, body, headers)] = foreign.received
    assert path == f"{ROOT}/v1/embeddings"
    assert body == {"model": EMBEDDER, "input": ["a whale", "a tax"], "encoding_format": "float"}
    assert headers["api-key"] == KEY
    assert "authorization" not in headers
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1])
    [intent] = book.intents.values()
    [bill] = book.bills.values()
    assert (intent.provider, intent.model) == (PLACE, EMBEDDER)
    assert bill.usd == foreign.prompt_tokens * Decimal("0.02") / 1_000_000
    assert intent.usd >= bill.usd


async def test_a_width_is_asked_for_by_the_hosts_own_word(
    client: MistralClient, foreign: ForeignHost
) -> None:
    narrow = profile_elsewhere(f"{EMBEDDER}@32", PLACE, width=None, longest=8_191)

    vectors = await MistralEmbedder(client, narrow).embed(["a whale"], "query")

    assert vectors.shape == (1, 32)
    assert foreign.received[0][1]["dimensions"] == 32


async def test_a_prompt_is_sent_before_each_text_and_billed_but_not_kept(
    client: MistralClient, foreign: ForeignHost, book: AccountBook
) -> None:
    e5 = profile_elsewhere(
        EMBEDDER, PLACE, width=WIDTH, longest=512, prompts=Prompts("query: ", "passage: ")
    )
    embedder = MistralEmbedder(client, e5)

    await embedder.embed(["a whale"], "passage")
    await embedder.embed(["a whale"], "query")

    sent = [body["input"] for _, body, _ in foreign.received]
    assert sent == [["passage: a whale"], ["query: a whale"]]
    assert [kept.texts for kept in book.bought] == [("a whale",), ("a whale",)]
    [passage, _] = book.intents.values()
    assert passage.most.input == embedder.most_tokens(["a whale"]) > most_tokens(["a whale"])


async def test_another_width_than_the_settings_say_is_told_once_and_nothing_more_is_asked(
    client: MistralClient, foreign: ForeignHost
) -> None:
    wrong = profile_elsewhere(EMBEDDER, PLACE, width=1_024, longest=8_191)
    embedder = MistralEmbedder(client, wrong)

    for text in ("a whale", "another"):
        with pytest.raises(MalformedReply, match="set RAG_EMBEDDING_DIMENSION to 96") as told:
            await embedder.embed([text], "passage")

        assert str(told.value).startswith(f"{PLACE}: ")
    assert len(foreign.received) == 2  # once more, because it may have been a slip


@pytest.mark.parametrize("text", ["x" * 5_000, "\ufdfa" * 200, "é" * 900])
async def test_nothing_is_sent_that_an_unknown_tokenizer_may_cut_off(
    client: MistralClient, foreign: ForeignHost, text: str
) -> None:
    small = MistralEmbedder(client, profile_elsewhere("m", PLACE, width=WIDTH, longest=512))

    with pytest.raises(InvalidRequest, match="cut it up first"):
        await small.embed([text], "passage")

    assert foreign.received == []
    assert small.count_tokens([text]) == [token_bound_elsewhere(text)]


def test_a_model_that_reads_much_has_its_chunks_cut_by_the_estimate() -> None:
    client = MistralClient(ACCOUNT)

    assert MistralEmbedder(client, MODEL).count_tokens(["The answer is 42."]) == [11]


def test_what_another_host_embeds_is_in_no_batch() -> None:
    embedder = MistralEmbedder(MistralClient(ACCOUNT), MODEL, has_batches=False)

    assert list(embedder.errands(["a whale"])) == []


# --- chat ----------------------------------------------------------------------------------------


async def test_a_draft_is_asked_for_with_fields_every_host_knows(
    client: MistralClient, foreign: ForeignHost, book: AccountBook
) -> None:
    price = TokenPrice(Decimal(2), Decimal(8), cached=Decimal(2))

    draft, usage = await MistralAnswerer(client, "gpt-9", price=price).draft("Debt?", EVIDENCE)

    [(path, body, _)] = foreign.received
    assert path == f"{ROOT}/v1/chat/completions"
    assert set(body) == {"model", "messages", "max_tokens", "temperature", "response_format"}
    assert draft.claims[0].text == "Debt was 7."
    usd = (2 * foreign.prompt_tokens + 8 * foreign.written_tokens) / Decimal(1_000_000)
    assert Decimal(usage.cost_usd) == usd == next(iter(book.bills.values())).usd


async def test_a_model_of_mistrals_has_no_price_elsewhere(
    client: MistralClient, caplog: pytest.LogCaptureFixture
) -> None:
    _, usage = await MistralAnswerer(client, "mistral-large-2512").draft("Debt?", EVIDENCE)

    assert usage.cost_usd == "0"
    assert "no price is known" in caplog.text


async def test_what_a_host_refuses_by_name_is_not_sent_to_it_again(
    client: MistralClient, foreign: ForeignHost, book: AccountBook
) -> None:
    foreign.unsupported = {"max_tokens", "temperature", "response_format"}
    answerer = MistralAnswerer(client, "gpt-9")

    await answerer.draft("Debt?", EVIDENCE)
    await answerer.draft("Debt?", EVIDENCE)

    assert len(foreign.received) == 3 + 2
    assert set(foreign.received[-1][1]) == {"model", "messages", "max_completion_tokens"}
    assert len(book.bills) == 2


async def test_tools_are_told_as_openai_does(client: MistralClient, foreign: ForeignHost) -> None:

    chat = MistralChat(client, "gpt-9")
    tool = Tool(Function("look", "", {"type": "object", "properties": {}}))
    said: list[Said] = [
        Message("user", "Look."),
        SaidToolCalls((ToolCall(CalledFunction("look", "{}"), "call_1"),)),
        ToolResult("call_1", "look", "A whale."),
    ]

    await chat.complete(said, Terms(tools=(tool,), tool_choice="any"))

    [(_, body, _)] = foreign.received
    assert body["tool_choice"] == "required"
    assert body["messages"][1]["tool_calls"] == [
        {"function": {"name": "look", "arguments": "{}"}, "id": "call_1", "type": "function"}
    ]


# --- errors and examination ----------------------------------------------------------------------


async def test_a_refused_key_is_told_in_the_hosts_name_with_the_setting_to_mend(
    client: MistralClient, foreign: ForeignHost
) -> None:
    foreign.key = "another"

    for ask in (
        lambda: MistralAnswerer(client, "gpt-9").draft("Debt?", EVIDENCE),
        client.look,
    ):
        with pytest.raises(KeyRefused, match="set RAG_CHAT_HEADERS") as refused:
            await ask()

        assert str(refused.value).startswith(f"{PLACE}: ")
        assert refused.value.provider == PLACE
        assert "istral" not in str(refused.value)
        assert KEY not in str(refused.value)


async def test_a_list_of_models_is_taken_as_what_it_is(client: MistralClient) -> None:
    findings = {
        each.name: each
        for each in await examine(client, {"embedding": EMBEDDER, "answer": "my-deployment"})
    }

    assert findings["host"].said == f"{PLACE} lists 2 models"
    assert findings["embedding model"].said == EMBEDDER
    assert "a deployment of one's own need not be" in findings["answer model"].said


async def test_a_host_without_a_list_of_models_is_neither_well_nor_ill(
    client: MistralClient, foreign: ForeignHost
) -> None:
    foreign.lists_models = False

    [finding] = await examine(client, {"answer": "gpt-9"})

    assert finding.ok
    assert "shows no list of models" in finding.said
    assert "only the first question can tell" in finding.said


async def test_a_host_without_a_list_still_refuses_a_wrong_key(
    client: MistralClient, foreign: ForeignHost
) -> None:
    foreign.lists_models = False
    foreign.key = "another"

    with pytest.raises(KeyRefused):
        await examine(client, {"answer": "gpt-9"})
