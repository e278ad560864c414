"""`POST /v1/chat/completions`."""

from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

from rag.grounding.prompt import Message
from rag.mistral.wire.usage import TokenUsage

Effort: TypeAlias = Literal["none", "low", "medium", "high"]
ToolChoice: TypeAlias = Literal["auto", "none", "any"]


# --- asked --------------------------------------------------------------------------------------


class JsonSchema(Struct, frozen=True):
    name: str
    definition: dict[str, Any] = field(name="schema")
    strict: bool = True


class ResponseFormat(Struct, frozen=True):
    json_schema: JsonSchema
    type: Literal["json_schema"] = "json_schema"


class Function(Struct, frozen=True):
    """What a model may call."""

    name: str
    description: str
    parameters: dict[str, Any]
    strict: bool = True


class Tool(Struct, frozen=True):
    function: Function
    type: Literal["function"] = "function"


class CalledFunction(Struct, frozen=True):
    """Its arguments are JSON, as text or as an object; in a stream, a piece of that text."""

    name: str = ""
    arguments: str | dict[str, Any] = ""


class ToolCall(Struct, frozen=True, omit_defaults=True):
    function: CalledFunction
    id: str = "null"
    """The provider's word for none."""
    index: int | None = None
    """Never sent: it may not be null."""


class SaidToolCalls(Struct, frozen=True):
    """The assistant's message that called tools; it goes back to the model before the results."""

    tool_calls: tuple[ToolCall, ...]
    content: str = ""
    role: Literal["assistant"] = "assistant"


class ToolResult(Struct, frozen=True):
    """One for each call."""

    tool_call_id: str
    name: str
    content: str
    role: Literal["tool"] = "tool"


Said: TypeAlias = Message | SaidToolCalls | ToolResult


class ChatRequest(Struct, frozen=True, omit_defaults=True):
    model: str
    messages: tuple[Said, ...]
    max_tokens: int
    temperature: float | None = None
    stream: bool = False
    response_format: ResponseFormat | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    stop: tuple[str, ...] = ()
    prompt_cache_key: str | None = None
    reasoning_effort: Effort | None = None


# --- asked of other hosts -----------------------------------------------------------------------


class PlainToolCall(Struct, frozen=True):
    function: CalledFunction
    id: str
    type: Literal["function"] = "function"
    """Required there."""


class PlainToolCalls(Struct, frozen=True):
    tool_calls: tuple[PlainToolCall, ...]
    content: str = ""
    role: Literal["assistant"] = "assistant"


class StreamOptions(Struct, frozen=True):
    include_usage: bool = True


class PlainChatRequest(Struct, frozen=True, omit_defaults=True):
    """What OpenAI-compatible hosts have in common."""

    model: str
    messages: tuple[Said | PlainToolCalls, ...]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    response_format: ResponseFormat | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: Literal["auto", "none", "required"] | None = None
    stop: tuple[str, ...] = ()
    reasoning_effort: Effort | None = None


# --- answered -----------------------------------------------------------------------------------


class ContentChunk(Struct, frozen=True):
    """Of an answer that comes in parts: `text`, `reference`, or `thinking` and others whose text
    is not the answer's."""

    type: str = "text"
    text: str | None = None
    reference_ids: tuple[int | str, ...] = ()


class ChatMessage(Struct, frozen=True):
    """A whole one, or what a stream adds to it."""

    content: str | tuple[ContentChunk, ...] | None = None
    tool_calls: tuple[ToolCall, ...] | None = None

    def text(self) -> str:
        """The answer without the thinking."""
        if isinstance(self.content, tuple):
            return "".join(each.text or "" for each in self.content if each.type == "text")
        return self.content or ""

    def references(self) -> tuple[int | str, ...]:
        chunks = self.content if isinstance(self.content, tuple) else ()
        return tuple(each for chunk in chunks for each in chunk.reference_ids)


class ChatChoice(Struct, frozen=True):
    message: ChatMessage | None = None
    messages: tuple[ChatMessage, ...] | None = None
    """Instead of `message`, where one completion has several."""
    finish_reason: str | None = None

    def said(self) -> tuple[ChatMessage, ...]:
        return (self.message,) if self.message else self.messages or ()


class ChatReply(Struct, frozen=True):
    choices: tuple[ChatChoice, ...]
    model: str = ""
    usage: TokenUsage | None = None


class ChunkChoice(Struct, frozen=True):
    delta: ChatMessage = ChatMessage()
    finish_reason: str | None = None


class ChatChunk(Struct, frozen=True):
    """One event of a stream."""

    choices: tuple[ChunkChoice, ...] = ()
    model: str = ""
    usage: TokenUsage | None = None
    object: str = ""
    """`error` where an error's body was put into the stream."""
    error: str | dict[str, Any] | None = None
    detail: str | list[Any] | None = None

    def is_error(self) -> bool:
        return self.object.lower() == "error" or bool(self.error or self.detail)
