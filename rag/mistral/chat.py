"""Question and evidence -> draft, by a chat model."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from msgspec import Struct

from rag.domain import Draft, Evidence, Usage
from rag.errors import MalformedReply
from rag.grounding.prompt import Message, messages
from rag.mistral.calls import Call
from rag.mistral.client import MistralClient
from rag.mistral.patience import INTERACTIVE
from rag.mistral.prices import chat_cost
from rag.mistral.schema import json_schema
from rag.mistral.wire.chat import ChatChoice, ChatReply, ChatRequest, JsonSchema, ResponseFormat
from rag.mistral.wire.decoding import PROVIDER, decode
from rag.spending import Units

MODEL = "mistral-large-2512"
"""Generally available, not deprecated, and pinned: `-latest` moves without notice. It does not
reason before it answers, so what is paid for is the answer. $0.50 and $1.50 a million tokens;
`mistral-small-2603` costs a third of that, and reasons unless told not to."""

_LONGEST_DRAFT = 4_096
"""Tokens: about forty claims with a quotation each."""

_DEADLINE = 120.0
"""Seconds."""

_LARGEST_REPLY = 4 * 1024 * 1024
"""Bytes; 4,096 tokens are some 20 kB, reasoning included some 200."""

_CACHE_KEY = "rag-draft"
"""Prompts under one key may share their beginning, which is the same for every question."""

_FORMAT = ResponseFormat(JsonSchema("draft", json_schema(Draft)))

_REASONING = ("mistral-small-2603", "mistral-medium-3-5")
"""Models that take `reasoning_effort`, and whose default for it is not documented. Copying
quotations needs none; models without it refuse the field."""

_TRUNCATED = frozenset({"length", "model_length"})
"""Finish reasons of a draft that was cut off."""


class MistralAnswerer:
    """An `Answerer`."""

    def __init__(self, client: MistralClient, model: str | None = None) -> None:
        """
        Args:
            model: id of a chat model; `MODEL` where None.
        """
        self._client = client
        self._model = model or MODEL

    @property
    def name(self) -> str:
        return self._model

    async def draft(self, question: str, evidence: Sequence[Evidence]) -> tuple[Draft, Usage]:
        """What the model says, with one request to mend it where it cannot be used.

        Raises:
            MalformedReply: the second draft could not be used either.
            ProviderError: the provider failed for good, after retries.
        """
        if not evidence:
            return Draft(sufficient=False, claims=()), Usage(self._model)
        prompt = messages(question, evidence)
        first = await self._complete(prompt)
        read = _draft(first)
        if isinstance(read, Draft):
            return read, self._usage(first)
        second = await self._complete((*prompt, *_mending(first, read)))
        mended = _draft(second)
        if isinstance(mended, Draft):
            return mended, self._usage(first, second)
        raise MalformedReply(PROVIDER, f"wrote a draft that {mended.what}, twice")

    async def _complete(self, prompt: tuple[Message, ...]) -> ChatReply:
        request = ChatRequest(
            self._model,
            prompt,
            _FORMAT,
            temperature=0.0,
            max_tokens=_LONGEST_DRAFT,
            prompt_cache_key=_CACHE_KEY,
            reasoning_effort="none" if self._model in _REASONING else None,
        )
        call = Call("/v1/chat/completions", self._model, request, _DEADLINE, _LARGEST_REPLY)
        return await self._client.ask(call, _reply, patience=INTERACTIVE)

    def _usage(self, *replies: ChatReply) -> Usage:
        units = sum((reply.usage.units() for reply in replies), Units(0))
        cost = chat_cost(self._model, units) or Decimal(0)
        return Usage(self._model, units.input, units.output, f"{cost:f}")


class _Unusable(Struct, frozen=True):
    """Why a draft cannot be used."""

    what: str


def _reply(body: bytes) -> ChatReply:
    reply = decode(body, ChatReply)
    if not reply.choices:
        raise MalformedReply(PROVIDER, "sent no completion")
    return reply


def _draft(reply: ChatReply) -> Draft | _Unusable:
    choice: ChatChoice = reply.choices[0]
    if choice.finish_reason in _TRUNCATED:
        return _Unusable("was cut off; give fewer claims and shorter quotations")
    if choice.finish_reason not in ("stop", None):
        return _Unusable("was not finished")
    try:
        return msgspec.json.decode(choice.message.text(), type=Draft)
    except msgspec.ValidationError:
        return _Unusable("does not have the fields that were asked for, and those only")
    except msgspec.DecodeError:
        return _Unusable("is not one JSON object")


def _mending(reply: ChatReply, fault: _Unusable) -> tuple[Message, Message]:
    """The unusable draft, which no message of the model may be without, and what was wrong."""
    written = reply.choices[0].message.text()
    return (
        Message("assistant", written or "{}"),
        Message("user", f"That reply {fault.what}. Reply again, with the JSON object alone."),
    )
