"""A conversation -> what a chat model says to it, at once or as it speaks."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from decimal import Decimal

import msgspec
from msgspec import Struct

from rag.errors import InvalidRequest, MalformedReply, ProviderError
from rag.mistral.calls import Call, Paid
from rag.mistral.chat.schema import json_schema
from rag.mistral.chat.streaming import events
from rag.mistral.chat.transcripts import Completion, Transcript, completion_of
from rag.mistral.client import MistralClient
from rag.mistral.failures import MayPass
from rag.mistral.models import CONTEXT, TAKES_EFFORT, pinned
from rag.mistral.patience import INTERACTIVE, Patience
from rag.mistral.prices import chat_cost
from rag.mistral.wire.chat import (
    ChatRequest,
    Effort,
    JsonSchema,
    ResponseFormat,
    Said,
    Tool,
    ToolChoice,
)
from rag.mistral.wire.decoding import PROVIDER, decode
from rag.mistral.wire.usage import UsageAlone
from rag.spending import Bill, Intent, Operation, Units

DEADLINE = 120.0
"""Seconds, from the first byte out to the last in."""

PREFACE = 1_024
"""Tokens that the provider puts before a prompt by itself, at most: it repeats the schema, which is
counted with the request, and marks where messages begin."""

_LARGEST_REPLY = 16 * 1024 * 1024
"""Bytes; in a stream each token comes in an envelope of some 300."""

_STREAMS = 2
"""Begun, until one has text; a stream that broke off later is not begun again."""


class Terms(Struct, frozen=True):
    """What is asked of a completion besides the conversation."""

    max_tokens: int = 4_096
    """Reasoning included."""
    temperature: float = 0.0
    shape: type[Struct] | None = None
    """Of the JSON object that the text has to be; None for plain text."""
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    """None leaves it to the model, where there are tools."""
    stop: tuple[str, ...] = ()
    effort: Effort | None = None
    """How much to reason; None for not at all, where the model can be told so."""
    cache_key: str | None = None
    """Prompts under one key may share their beginning, for a tenth of its price."""
    operation: Operation = "complete"
    """As the ledger calls it."""
    deadline: float = DEADLINE
    """Seconds."""


class Delta(Struct, frozen=True):
    """What a stream adds."""

    text: str
    completion: Completion | None = None
    """All of it, once, at the end."""


_PLAIN = Terms()


class MistralChat:
    """Speaks to one model."""

    def __init__(self, client: MistralClient, model: str) -> None:
        self._client = client
        self._model = model

    @property
    def model(self) -> str:
        return self._model

    async def complete(
        self, messages: Sequence[Said], terms: Terms = _PLAIN, *, patience: Patience = INTERACTIVE
    ) -> Completion:
        """
        Raises:
            InvalidRequest: the model cannot reason, and was asked to.
            ProviderError: the provider failed for good, after retries.
            BudgetExhausted: it may cost more than is allowed.
        """
        request = self._request(messages, terms, is_stream=False)
        intent = self._intent(request, terms)
        paid: Paid[Completion] = Paid(
            intent,
            lambda completion: (_bill(completion.text, completion.units, intent), None),
            lambda body: _bill_of_unusable(body, intent),
        )
        return await self._client.ask(
            self._call(request, terms),
            lambda body: completion_of(body, self._model),
            patience=patience,
            paid=paid,
        )

    async def stream(
        self, messages: Sequence[Said], terms: Terms = _PLAIN, *, patience: Patience = INTERACTIVE
    ) -> AsyncGenerator[Delta, None]:
        """The text as it comes, and at the end the completion. Nothing is ever told twice: a
        stream is begun again only while none of its text was handed out. Close the iterator
        (`contextlib.aclosing`) to hang up, which ends the spending.

        Raises:
            As `complete` does; and ProviderUnavailable for a stream that ends before its end.
        """
        request = self._request(messages, terms, is_stream=True)
        for left in reversed(range(_STREAMS)):
            try:
                async with aclosing(self._deltas(request, terms, patience)) as deltas:
                    async for delta in deltas:
                        yield delta
                return
            except MayPass as failure:
                if not left:
                    raise failure.error from failure

    async def _deltas(
        self, request: ChatRequest, terms: Terms, patience: Patience
    ) -> AsyncGenerator[Delta, None]:
        """
        Raises:
            MayPass: the stream broke off before it had any text.
            ProviderError: it broke off later.
        """
        transcript = Transcript(self._model)
        intent = self._intent(request, terms)
        call = self._call(request, terms)
        async with self._client.stream(call, patience=patience, intent=intent) as stream:
            try:
                async with aclosing(events(stream.pieces)) as heard:
                    async for data in heard:
                        if text := transcript.hear(data):
                            yield Delta(text)
                        if transcript.is_done:
                            break
                completion = transcript.completion()
            except ProviderError as error:
                if transcript.units is not None:
                    await stream.settle(_bill(transcript.text, transcript.units, intent))
                if transcript.text:
                    raise
                raise MayPass(error, is_dear=True) from error
            await stream.settle(_bill(completion.text, completion.units, intent))
        yield Delta("", completion)

    def _request(self, messages: Sequence[Said], terms: Terms, is_stream: bool) -> ChatRequest:
        return ChatRequest(
            self._model,
            tuple(messages),
            terms.max_tokens,
            temperature=terms.temperature,
            stream=is_stream,
            response_format=_format(terms.shape) if terms.shape else None,
            tools=terms.tools,
            tool_choice=terms.tool_choice,
            stop=terms.stop,
            prompt_cache_key=terms.cache_key,
            reasoning_effort=_effort(self._model, terms.effort),
        )

    def _call(self, request: ChatRequest, terms: Terms) -> Call:
        path = "/v1/chat/completions"
        return Call(path, self._model, request, terms.deadline, _LARGEST_REPLY)

    def _intent(self, request: ChatRequest, terms: Terms) -> Intent:
        most = Units(_prompt_bound(request), request.max_tokens)
        usd = chat_cost(self._model, most) or Decimal(0)
        return Intent(PROVIDER, self._model, terms.operation, most, usd)


def _format(shape: type[Struct]) -> ResponseFormat:
    return ResponseFormat(JsonSchema(shape.__name__.lower(), json_schema(shape)))


def _effort(model: str, effort: Effort | None) -> Effort | None:
    """What to send: a model that can reason is told not to, one that cannot refuses the field."""
    if pinned(model) in TAKES_EFFORT:
        return effort or "none"
    if effort in (None, "none"):
        return None
    if pinned(model) in CONTEXT:
        raise InvalidRequest(f"{model} cannot reason; {', '.join(sorted(TAKES_EFFORT))} can")
    return effort


def _prompt_bound(request: ChatRequest) -> int:
    """No fewer tokens than the prompt has: it has no more than bytes, all of which stand in the
    request; and no more than the model reads."""
    bound = len(msgspec.json.encode(request)) + PREFACE
    return min(bound, CONTEXT.get(pinned(request.model), bound))


def _bill(text: str, units: Units | None, intent: Intent) -> Bill:
    """For the most it can be where the provider does not count."""
    most = intent.most
    written = min(len(text.encode()) + 1, most.output)
    counted = units or Units(most.input, written)
    return Bill(counted, chat_cost(intent.model, counted, intent.lane) or Decimal(0))


def _bill_of_unusable(body: bytes, intent: Intent) -> Bill | None:
    try:
        counted = decode(body, UsageAlone).usage.units()
    except MalformedReply:
        return None
    return Bill(counted, chat_cost(intent.model, counted, intent.lane) or Decimal(0))
