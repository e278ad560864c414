"""A conversation -> what a chat model says to it, at once or as it speaks."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from decimal import Decimal

import msgspec
from msgspec import Struct

from rag.errors import InvalidRequest, MalformedReply, ProviderError
from rag.mistral.calls import Call, Paid
from rag.mistral.chat.concessions import Concessions
from rag.mistral.chat.schema import json_schema
from rag.mistral.chat.streaming import events
from rag.mistral.chat.transcripts import Completion, Transcript, completion_of
from rag.mistral.client import MistralClient
from rag.mistral.failures import MayPass
from rag.mistral.models import CONTEXT, TAKES_EFFORT, pinned
from rag.mistral.patience import INTERACTIVE, Patience
from rag.mistral.prices import TokenPrice, chat_cost, warn_of_no_price
from rag.mistral.refusals import Refused
from rag.mistral.wire.chat import (
    ChatRequest,
    Effort,
    JsonSchema,
    PlainChatRequest,
    ResponseFormat,
    Said,
    Tool,
    ToolChoice,
)
from rag.mistral.wire.decoding import decode
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

    def __init__(
        self, client: MistralClient, model: str, *, price: TokenPrice | None = None
    ) -> None:
        """
        Args:
            price: as the operator states it; where None, that of Mistral's own list.
        """
        self._client = client
        self._model = model
        self._price = price
        self._concessions = None if client.host.dialect == "mistral" else Concessions()

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
        while True:
            try:
                return await self._complete(messages, terms, patience)
            except Refused as error:
                if not self._may_concede(error):
                    raise

    async def _complete(
        self, messages: Sequence[Said], terms: Terms, patience: Patience
    ) -> Completion:
        request = self._request(messages, terms, is_stream=False)
        intent = self._intent(request, terms)
        paid: Paid[Completion] = Paid(
            intent,
            lambda completion: (self._bill(completion.text, completion.units, intent), None),
            self._bill_of_unusable,
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
        begun = 0
        while True:
            request = self._request(messages, terms, is_stream=True)
            try:
                async with aclosing(self._deltas(request, terms, patience)) as deltas:
                    async for delta in deltas:
                        yield delta
                return
            except Refused as error:
                if not self._may_concede(error):
                    raise
            except MayPass as failure:
                begun += 1
                if begun == _STREAMS:
                    raise failure.error from failure

    async def _deltas(
        self, request: ChatRequest | PlainChatRequest, terms: Terms, patience: Patience
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
                    await stream.settle(self._bill(transcript.text, transcript.units, intent))
                if transcript.text:
                    raise
                raise MayPass(error, is_dear=True) from error
            await stream.settle(self._bill(completion.text, completion.units, intent))
        yield Delta("", completion)

    def most_usd(self, messages: Sequence[Said], terms: Terms = _PLAIN) -> Decimal:
        """What a completion may cost, as the ledger will hold it; 0 where no price is known."""
        return self._intent(self._request(messages, terms, is_stream=False), terms).usd

    def usd(self, units: Units) -> Decimal:
        """0 where no price is known, and told so."""
        if self._price is not None:
            return self._price.usd(units)
        if self._concessions is not None:
            warn_of_no_price(f"{self._model} at {self._client.host.name}")
            return Decimal(0)
        return chat_cost(self._model, units) or Decimal(0)

    def _may_concede(self, error: Refused) -> bool:
        return self._concessions is not None and self._concessions.concede(error.refusal)

    def _request(
        self, messages: Sequence[Said], terms: Terms, is_stream: bool
    ) -> ChatRequest | PlainChatRequest:
        is_own = self._concessions is None
        request = ChatRequest(
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
            reasoning_effort=_effort(self._model, terms.effort) if is_own else terms.effort,
        )
        return request if self._concessions is None else self._concessions.request(request)

    def _call(self, request: ChatRequest | PlainChatRequest, terms: Terms) -> Call:
        path = "/v1/chat/completions"
        return Call(path, self._model, request, terms.deadline, _LARGEST_REPLY)

    def _intent(self, request: ChatRequest | PlainChatRequest, terms: Terms) -> Intent:
        most = Units(_prompt_bound(request), terms.max_tokens)
        provider = self._client.host.name
        return Intent(provider, self._model, terms.operation, most, self.usd(most))

    def _bill(self, text: str, units: Units | None, intent: Intent) -> Bill:
        """For the most it can be where the provider does not count."""
        most = intent.most
        written = min(len(text.encode()) + 1, most.output)
        counted = units or Units(most.input, written)
        return Bill(counted, self.usd(counted))

    def _bill_of_unusable(self, body: bytes) -> Bill | None:
        try:
            counted = decode(body, UsageAlone).usage.units()
        except MalformedReply:
            return None
        return Bill(counted, self.usd(counted))


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


def _prompt_bound(request: ChatRequest | PlainChatRequest) -> int:
    """No fewer tokens than the prompt has: it has no more than bytes, all of which stand in the
    request; and no more than the model reads, where that is known."""
    bound = len(msgspec.json.encode(request)) + PREFACE
    is_known = isinstance(request, ChatRequest)  # elsewhere the same id may be another model
    return min(bound, CONTEXT.get(pinned(request.model), bound)) if is_known else bound
