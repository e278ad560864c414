"""What a chat model adds to a search, where a request asks for it: never otherwise, never without
a price, and never in the way of a search that works without it."""

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from rag.domain import Hit, Usage
from rag.errors import BudgetExhausted, InvalidRequest, ProviderError
from rag.ports import Explorer, Questioner, Rephraser, Reranker
from rag.questions.ordering import CANDIDATES, SHOWN
from rag.questions.rephrasing import VARIANTS, Rephrased, Turn, Wish
from rag.retrieval.queries import Query


class ChatModels(Struct, frozen=True):
    """Whoever there is."""

    rephraser: Rephraser | None = None
    reranker: Reranker | None = None
    questioner: Questioner | None = None
    explorer: Explorer | None = None


NO_CHAT = ChatModels()


class Call(Struct, frozen=True):
    """A call that a search would make."""

    purpose: str
    """`rephrase`, `rerank`, `explore` or `answer`."""
    model: str
    usd: Decimal
    """At most."""


class Price(Struct, frozen=True):
    """What a search or an answer would cost besides the embedding of its question."""

    calls: tuple[Call, ...]
    usd: Decimal
    """At most, in all."""


def wish_of(query: Query) -> Wish:
    return Wish(
        query.text,
        query.history,
        VARIANTS if "variants" in query.expand else 0,
        "hypothesis" in query.expand,
    )


def price(query: Query, chat: ChatModels) -> Price:
    """
    Raises:
        InvalidRequest: it asks for a chat model, and none is configured.
    """
    calls = []
    wish = wish_of(query)
    if not wish.is_empty:
        rephraser = required_rephraser(chat)
        calls.append(Call("rephrase", rephraser.name, rephraser.cost(wish)))
    if query.rerank:
        reranker = required_reranker(chat)
        longest = [("x" * SHOWN, "x" * SHOWN)] * CANDIDATES
        calls.append(Call("rerank", reranker.name, reranker.cost(query.text, longest)))
    return Price(tuple(calls), sum((call.usd for call in calls), Decimal(0)))


def required_rephraser(chat: ChatModels) -> Rephraser:
    if chat.rephraser is None:
        raise _nobody("'history' and 'expand'")
    return chat.rephraser


def required_reranker(chat: ChatModels) -> Reranker:
    if chat.reranker is None:
        raise _nobody("'rerank'")
    return chat.reranker


def required_questioner(chat: ChatModels) -> Questioner:
    if chat.questioner is None:
        raise _nobody("wording questions")
    return chat.questioner


def required_explorer(chat: ChatModels) -> Explorer:
    if chat.explorer is None:
        raise _nobody("'mode': 'agentic'")
    return chat.explorer


def _nobody(what: str) -> InvalidRequest:
    return InvalidRequest(
        f"{what} needs a chat model, and none is configured here: set MISTRAL_API_KEY or"
        f" RAG_CHAT_BASE_URL, or leave {what} out"
    )


async def rephrased(
    query: Query, chat: ChatModels
) -> tuple[Rephrased | None, Usage | None, str | None]:
    """What the model wrote, what it cost, and why it wrote nothing though it was asked to."""
    wish = wish_of(query)
    if wish.is_empty:
        return None, None, None
    rephraser = required_rephraser(chat)
    try:
        return *(await rephraser.rephrase(wish)), None
    except (ProviderError, BudgetExhausted) as error:
        return None, None, f"the question was not rephrased ({error}): searched as it stands"


async def condensed(
    question: str, history: tuple[Turn, ...], chat: ChatModels
) -> tuple[str, Usage | None, str | None]:
    """A question that can be understood without what was said before; as it is, where nothing was
    or the model failed, and then why.

    Raises:
        InvalidRequest: there is no chat model.
    """
    written, usage, degraded = await rephrased(Query(question, history=history), chat)
    return (question if written is None else written.question), usage, degraded


async def reranked(
    question: str, hits: list[Hit], chat: ChatModels
) -> tuple[list[Hit], Usage | None, str | None]:
    """The hits in the model's order, each with the score of the place it took; as they were, where
    the model failed, and then why."""
    reranker = required_reranker(chat)
    shown, rest = hits[:CANDIDATES], hits[CANDIDATES:]
    if len(shown) < 2:
        return hits, None, None
    titled = [(" > ".join((hit.title, *hit.heading_path)), hit.text) for hit in shown]
    try:
        order, usage = await reranker.rerank(question, titled)
    except (ProviderError, BudgetExhausted) as error:
        return hits, None, f"the hits were not reranked ({error}): they stand as they were found"
    scores = [hit.score for hit in shown]
    moved = [replace(shown[place], score=score) for place, score in zip(order, scores, strict=True)]
    return [*moved, *rest], usage, None


def together(one: Usage | None, other: Usage | None) -> Usage | None:
    """Of two calls to one model."""
    if one is None or other is None:
        return one or other
    return Usage(
        one.model,
        one.prompt_tokens + other.prompt_tokens,
        one.completion_tokens + other.completion_tokens,
        f"{Decimal(one.cost_usd) + Decimal(other.cost_usd):f}",
    )
