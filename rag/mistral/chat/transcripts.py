"""What a chat model said, whole or piece by piece."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from rag.errors import MalformedReply, ProviderUnavailable
from rag.mistral.refusals import refusal
from rag.mistral.wire.chat import (
    CalledFunction,
    ChatChunk,
    ChatMessage,
    ChatReply,
    SaidToolCalls,
    ToolCall,
)
from rag.mistral.wire.decoding import PROVIDER, decode
from rag.spending import Units

DONE = b"[DONE]"
"""Data of the last event."""

_CUT_OFF = frozenset({"length", "model_length"})

_NO_ID = "null"


class CalledTool(Struct, frozen=True):
    """A tool that the model wants called. Its arguments are the model's word, and not checked."""

    id: str
    name: str
    arguments: str
    """JSON, if the model kept its word."""


class Completion(Struct, frozen=True):
    model: str
    text: str
    finish_reason: str
    """`stop`, `tool_calls`, `length`, `model_length`, or another that is not documented."""
    tools: tuple[CalledTool, ...] = ()
    references: tuple[int | str, ...] = ()
    """To numbered results of tools, where the model cites them in the provider's own way."""
    units: Units | None = None
    """As the provider counted; None where it does not say."""

    def said(self) -> SaidToolCalls:
        """As the conversation goes on with it, before the results of its tools."""
        calls = (
            ToolCall(CalledFunction(tool.name, tool.arguments), tool.id) for tool in self.tools
        )
        return SaidToolCalls(tuple(calls), self.text)

    @property
    def is_cut_off(self) -> bool:
        return self.finish_reason in _CUT_OFF

    @property
    def is_finished(self) -> bool:
        return self.finish_reason in ("stop", "tool_calls")


class Transcript:
    """Written down as the model speaks."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._text: list[str] = []
        self._tools: list[CalledTool] = []
        self._indexes: list[int | None] = []
        """Of the tools, as the provider numbers them."""
        self._references: list[int | str] = []
        self._finish_reason: str | None = None
        self.units: Units | None = None
        self.is_done = False

    @property
    def text(self) -> str:
        return "".join(self._text)

    def hear(self, data: bytes) -> str:
        """The text that an event adds, often none.

        Raises:
            ProviderUnavailable: the event is an error.
            MalformedReply: it is none that was agreed.
        """
        if data == DONE:
            self.is_done = True
            return ""
        chunk = decode(data, ChatChunk)
        if chunk.is_error():
            raise ProviderUnavailable(PROVIDER, f"stopped in the middle ({refusal(500, data)})")
        self._model = chunk.model or self._model
        self.units = chunk.usage.units() if chunk.usage else self.units
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        self._finish_reason = choice.finish_reason or self._finish_reason
        return self._add(choice.delta)

    def _add(self, message: ChatMessage) -> str:
        text = message.text()
        self._text.append(text)
        self._references += message.references()
        for piece in message.tool_calls or ():
            self._add_tool(piece)
        return text

    def _add_tool(self, piece: ToolCall) -> None:
        """The number of a call is optional and 0 by default, and so not enough to tell two apart:
        a piece goes on with the last call that neither its number nor its id contradicts."""
        arguments = _json(piece)
        for place in reversed(range(len(self._tools))):
            tool = self._tools[place]
            is_numbered_so = piece.index in (None, self._indexes[place])
            if is_numbered_so and piece.id in (_NO_ID, tool.id):
                name = tool.name + piece.function.name
                self._tools[place] = CalledTool(tool.id, name, tool.arguments + arguments)
                return
        self._tools.append(CalledTool(piece.id, piece.function.name, arguments))
        self._indexes.append(piece.index)

    def completion(self) -> Completion:
        """
        Raises:
            ProviderUnavailable: the model has not finished.
        """
        if not self.is_done or self._finish_reason is None:
            raise ProviderUnavailable(PROVIDER, "broke off in the middle of an answer")
        if self._finish_reason == "error":
            raise ProviderUnavailable(PROVIDER, "failed in the middle of an answer")
        return Completion(
            self._model,
            self.text,
            self._finish_reason,
            tuple(self._tools),
            tuple(self._references),
            self.units,
        )


def completion_of(body: bytes, model: str) -> Completion:
    """
    Raises:
        MalformedReply: there is no completion in it, or one that failed.
    """
    reply = decode(body, ChatReply)
    if not reply.choices:
        raise MalformedReply(PROVIDER, "sent no completion")
    choice = reply.choices[0]
    if choice.finish_reason == "error":
        raise MalformedReply(PROVIDER, "failed in the middle of an answer")
    said = choice.said()
    return Completion(
        reply.model or model,
        "".join(message.text() for message in said),
        choice.finish_reason or "stop",
        tuple(_tool(call) for call in _calls(said)),
        tuple(each for message in said for each in message.references()),
        reply.usage.units() if reply.usage else None,
    )


def _calls(said: Iterable[ChatMessage]) -> Iterable[ToolCall]:
    return (call for message in said for call in message.tool_calls or ())


def _tool(call: ToolCall) -> CalledTool:
    return CalledTool(call.id, call.function.name, _json(call))


def _json(call: ToolCall) -> str:
    arguments = call.function.arguments
    return arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
