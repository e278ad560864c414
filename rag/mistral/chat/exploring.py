"""What to look at next, by a chat model that calls tools."""

from collections.abc import Sequence
from decimal import Decimal

from rag.domain import Evidence, Usage
from rag.mistral.chat.answerer import MODEL
from rag.mistral.chat.completions import MistralChat, Terms
from rag.mistral.chat.schema import json_schema
from rag.mistral.client import MistralClient
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
from rag.questions import exploring
from rag.questions.exploring import VERBS, Called, Exchange
from rag.spending import Units

_TERMS = Terms(
    max_tokens=1_024,  # some ten calls
    tools=tuple(
        Tool(Function(name, " ".join((verb.__doc__ or "").split()), json_schema(verb)))
        for name, verb in VERBS.items()
    ),
    tool_choice="auto",
    cache_key="rag-explore",
    operation="explore",
    deadline=60.0,
)


class MistralExplorer:
    """An `Explorer`."""

    def __init__(
        self, client: MistralClient, model: str | None = None, *, price: TokenPrice | None = None
    ) -> None:
        """
        Args:
            model: id of a chat model; that of answers where None.
            price: as the operator states it; where None, that of Mistral's own list.
        """
        self._chat = MistralChat(client, model or MODEL, price=price)

    @property
    def name(self) -> str:
        return self._chat.model

    def most(self, steps: int, tokens: int) -> Decimal:
        """USD for so many steps, and so many tokens in all."""
        written = min(tokens, steps * _TERMS.max_tokens)
        return self._chat.usd(Units(tokens - written, written))

    def cost(
        self, question: str, evidence: Sequence[Evidence], exchanges: Sequence[Exchange]
    ) -> Decimal:
        return self._chat.most_usd(_conversation(question, evidence, exchanges), _TERMS)

    async def step(
        self, question: str, evidence: Sequence[Evidence], exchanges: Sequence[Exchange]
    ) -> tuple[tuple[Called, ...], Usage]:
        said = _conversation(question, evidence, exchanges)
        completion = await self._chat.complete(said, _TERMS)
        calls = tuple(Called(tool.id, tool.name, tool.arguments) for tool in completion.tools)
        units = completion.units or Units(0)
        return calls, Usage(self.name, units.input, units.output, f"{self._chat.usd(units):f}")


def _conversation(
    question: str, evidence: Sequence[Evidence], exchanges: Sequence[Exchange]
) -> list[Said]:
    said: list[Said] = [*exploring.opening(question, evidence)]
    for exchange in exchanges:
        said.append(
            SaidToolCalls(
                tuple(ToolCall(CalledFunction(c.name, c.arguments), c.id) for c in exchange.calls)
            )
        )
        said += [
            ToolResult(call.id, call.name, result)
            for call, result in zip(exchange.calls, exchange.results, strict=True)
        ]
    return said
