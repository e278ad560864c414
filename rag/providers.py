"""Settings -> whatever of the service is done on other people's computers.

Roles that go to one host with one key and the same headers share a client, and with it a pace and
its pauses. Other roles have their own: a host that refuses its key, or is down, is no other's
trouble.
"""

from collections.abc import Iterator
from typing import TypeAlias

import msgspec

from rag.errors import InvalidSettings
from rag.mistral.batching.lane import MistralBatchLane
from rag.mistral.chat.answerer import MODEL as CHAT_MODEL
from rag.mistral.chat.answerer import MistralAnswerer
from rag.mistral.chat.exploring import MistralExplorer
from rag.mistral.chat.questions import MistralQuestioner, MistralRephraser, MistralReranker
from rag.mistral.client import MistralClient
from rag.mistral.embedding.embedder import MistralEmbedder
from rag.mistral.embedding.profiles import MODEL as EMBEDDING_MODEL
from rag.mistral.embedding.profiles import Profile, Prompts, profile, profile_elsewhere
from rag.mistral.hosts import Host
from rag.mistral.ocr.reader import MODEL as OCR_MODEL
from rag.mistral.ocr.reader import MistralReader
from rag.mistral.prices import TokenPrice, chat_price, ocr_cost
from rag.ports import Ledger
from rag.retrieval.chatting import NO_CHAT, ChatModels
from rag.settings import ROLES, Role, Settings

Accounts: TypeAlias = dict[Host, tuple[Role, ...]]


class Providers:
    """The clients, and what each role gets of them: None where it is done here. Close it once."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        """
        Raises:
            InvalidSettings: a budget is set, and a model has no price; a model is not known.
        """
        _check_prices(settings)
        self._settings = settings
        self._ledger = ledger
        self._clients: dict[Role, MistralClient] = {}
        for host, roles in accounts(settings).items():
            client = MistralClient(host, ledger, idle=settings.idle_timeout)
            self._clients |= dict.fromkeys(roles, client)

    def reader(self) -> MistralReader | None:
        if (client := self._clients.get("ocr")) is None:
            return None
        return MistralReader(
            client,
            self._settings.mistral_ocr_model,
            ledger=self._ledger,
            describes_pictures=self._settings.mistral_describe_pictures,
            deadline=self._settings.ocr_timeout,
        )

    def embedder(self) -> MistralEmbedder | None:
        if (client := self._clients.get("embedding")) is None:
            return None
        return MistralEmbedder(
            client,
            embedding_profile(self._settings),
            deadline=self._settings.embedding_timeout,
            has_batches=client is self._batching(),
        )

    def answerer(self) -> MistralAnswerer | None:
        if (client := self._clients.get("answer")) is None:
            return None
        return MistralAnswerer(
            client,
            chat_model(self._settings),
            price=_stated_chat_price(self._settings),
            deadline=self._settings.chat_timeout,
        )

    def chat_models(self) -> ChatModels:
        """By whoever answers: what a search may ask a chat model for."""
        if (client := self._clients.get("answer")) is None:
            return NO_CHAT
        model, price = chat_model(self._settings), _stated_chat_price(self._settings)
        return ChatModels(
            MistralRephraser(client, model, price=price),
            MistralReranker(client, model, price=price),
            MistralQuestioner(client, model, price=price),
            MistralExplorer(client, model, price=price),
        )

    def batch_lane(self) -> MistralBatchLane | None:
        client = self._batching()
        return None if client is None else MistralBatchLane(client)

    def left_out_of_batches(self) -> tuple[Role, ...]:
        """Roles whose part in ingestion is bought at once, and at full price, in the batch lane
        too: another account has them."""
        lane = self._batching()
        remote: tuple[Role, ...] = ("ocr", "embedding")
        return tuple(r for r in remote if lane and self._clients.get(r, lane) is not lane)

    async def close(self) -> None:
        for client in set(self._clients.values()):
            await client.close()

    def _batching(self) -> MistralClient | None:
        """Of one account alone, because a batch is asked for and fetched by the same key; of OCR's
        where it has another than embeddings, because pages cost the most by far."""
        client = self._clients.get("ocr") or self._clients.get("embedding")
        return client if client is not None and client.host.dialect == "mistral" else None


def accounts(settings: Settings) -> Accounts:
    """Each distinct host and key, with the roles that have it."""
    hosts = {r: settings.host_of(r) for r in ROLES if settings.provider_of(r) == "mistral"}
    roles_of: Accounts = {}
    for role, host in hosts.items():
        roles_of[host.account] = (*roles_of.get(host.account, ()), role)
    return {
        _named(account, [hosts[r] for r in roles]): roles for account, roles in roles_of.items()
    }


def model_of(settings: Settings, role: Role) -> str:
    """Its id, as the role's host calls it."""
    match role:
        case "ocr":
            return settings.mistral_ocr_model or OCR_MODEL
        case "embedding":
            return embedding_profile(settings).model
        case "answer":
            return chat_model(settings)


def chat_model(settings: Settings) -> str:
    own = settings.chat_model if settings.host_of("answer").dialect == "openai" else None
    return own or settings.mistral_chat_model or CHAT_MODEL


def embedding_profile(settings: Settings) -> Profile:
    """
    Raises:
        InvalidSettings: there is no such model, or not enough is known of it.
    """
    host = settings.host_of("embedding")
    if host.dialect == "mistral":
        return profile(settings.mistral_embedding_model or EMBEDDING_MODEL)
    if settings.embedding_model is None or settings.embedding_max_tokens is None:
        raise InvalidSettings(f"which model embeds at {host.name}, and what it reads, is not set")
    return profile_elsewhere(
        settings.embedding_model,
        host.name,
        width=settings.embedding_dimension,
        longest=settings.embedding_max_tokens,
        price=settings.embedding_price,
        prompts=Prompts(
            settings.embedding_query_prompt or "", settings.embedding_passage_prompt or ""
        ),
    )


def _named(account: Host, hosts: list[Host]) -> Host:
    settings = dict.fromkeys(host.key_setting for host in hosts)
    return msgspec.structs.replace(account, key_setting=" and ".join(settings))


# --- prices --------------------------------------------------------------------------------------


def _check_prices(settings: Settings) -> None:
    """A budget is a promise. What has no price is booked as 0, and would be spent past any budget
    without a sign; so where there is one, the service does not start until the price is said."""
    if settings.budget_day is None and settings.budget_job is None:
        return
    for what, advice in _unpriced(settings):
        raise InvalidSettings(
            f"no price is known for {what}, so no budget can hold it: {advice}, or unset"
            " RAG_BUDGET_DAY and RAG_BUDGET_JOB"
        )


def _unpriced(settings: Settings) -> Iterator[tuple[str, str]]:
    """What it is, and what to do."""
    stated = "to what it costs for a million tokens in USD (0 for a host of your own)"
    for host, roles in accounts(settings).items():
        for role in roles:
            what = f"{model_of(settings, role)} at {host.name}"
            match role:
                case "ocr" if ocr_cost(model_of(settings, role), 1) is None:
                    yield what, "set RAG_MISTRAL_OCR_MODEL to a model with a price"
                case "embedding" if embedding_profile(settings).is_unpriced:
                    yield what, f"set RAG_EMBEDDING_PRICE {stated}"
                case "answer" if _chat_price(settings) is None:
                    yield what, f"set RAG_CHAT_INPUT_PRICE and RAG_CHAT_OUTPUT_PRICE {stated}"


def _chat_price(settings: Settings) -> TokenPrice | None:
    if stated := _stated_chat_price(settings):
        return stated
    is_own = settings.host_of("answer").dialect == "mistral"
    return chat_price(chat_model(settings)) if is_own else None


def _stated_chat_price(settings: Settings) -> TokenPrice | None:
    """What a host takes for a cached prompt is not asked: as much as for any other."""
    input_, output = settings.chat_input_price, settings.chat_output_price
    if input_ is None or output is None:
        return None
    return TokenPrice(input_, output, cached=input_)
