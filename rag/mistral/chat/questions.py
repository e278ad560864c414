"""What a chat model does for a search: it rephrases the question, and puts candidates in order; and
for its measuring: it words questions.

One call each, and no second try where the reply cannot be used: a search goes on without it.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

import msgspec
from msgspec import Struct

from rag.domain import Usage
from rag.errors import MalformedReply
from rag.evaluation import wording
from rag.evaluation.wording import Worded
from rag.grounding.prompt import Message
from rag.mistral.chat.answerer import MODEL
from rag.mistral.chat.completions import MistralChat, Terms
from rag.mistral.chat.transcripts import Completion
from rag.mistral.client import MistralClient
from rag.mistral.prices import TokenPrice
from rag.questions import ordering, rephrasing
from rag.questions.ordering import Order
from rag.questions.rephrasing import Rephrased, Wish
from rag.spending import Units

Shape = TypeVar("Shape", bound=Struct)

DEADLINE = 20.0
"""Seconds: somebody waits for hits, which are there already."""

_REPHRASING = Terms(
    max_tokens=1_024,  # the question, three variants, and a short passage
    shape=Rephrased,
    cache_key="rag-rephrase",
    operation="rephrase",
    deadline=DEADLINE,
)
_RERANKING = Terms(
    max_tokens=512,  # thirty numbers are about a hundred
    shape=Order,
    cache_key="rag-rerank",
    operation="rerank",
    deadline=DEADLINE,
)

_WORDING = Terms(
    max_tokens=512,  # two questions and a sentence
    shape=Worded,
    cache_key="rag-word",
    deadline=DEADLINE,
)


class _Questions:
    """Asks for one shape."""

    def __init__(
        self, client: MistralClient, model: str | None = None, *, price: TokenPrice | None = None
    ) -> None:
        """
        Args:
            model: id of a chat model; that of answers where None.
            price: as the operator states it; where None, that of Mistral's own list.
        """
        self._provider = client.host.name
        self._chat = MistralChat(client, model or MODEL, price=price)

    @property
    def name(self) -> str:
        return self._chat.model

    async def _ask(
        self, messages: Sequence[Message], terms: Terms, shape: type[Shape]
    ) -> tuple[Shape, Usage]:
        completion = await self._chat.complete(messages, terms)
        try:
            if completion.finish_reason != "stop":
                raise MalformedReply(self._provider, "did not come to an end")
            said = msgspec.json.decode(completion.text, type=shape)
        except msgspec.DecodeError as error:
            raise MalformedReply(self._provider, "wrote something else than was asked") from error
        return said, self._usage(completion)

    def _usage(self, completion: Completion) -> Usage:
        units = completion.units or Units(0)
        return Usage(self.name, units.input, units.output, f"{self._chat.usd(units):f}")


class MistralRephraser(_Questions):
    """A `Rephraser`."""

    def cost(self, wish: Wish) -> Decimal:
        return self._chat.most_usd(rephrasing.messages(wish), _REPHRASING)

    async def rephrase(self, wish: Wish) -> tuple[Rephrased, Usage]:
        said, usage = await self._ask(rephrasing.messages(wish), _REPHRASING, Rephrased)
        return rephrasing.usable(said, wish), usage


class MistralReranker(_Questions):
    """A `Reranker`."""

    def cost(self, question: str, titled: Sequence[tuple[str, str]]) -> Decimal:
        return self._chat.most_usd(ordering.messages(question, titled), _RERANKING)

    async def rerank(
        self, question: str, titled: Sequence[tuple[str, str]]
    ) -> tuple[Sequence[int], Usage]:
        said, usage = await self._ask(ordering.messages(question, titled), _RERANKING, Order)
        return ordering.positions(said, len(titled)), usage


class MistralQuestioner(_Questions):
    """A `Questioner`."""

    def cost(self, passage: str) -> Decimal:
        return self._chat.most_usd(wording.messages(passage), _WORDING)

    async def word(self, passage: str) -> tuple[Worded | None, Usage]:
        said, usage = await self._ask(wording.messages(passage), _WORDING, Worded)
        return wording.usable(said, passage), usage
