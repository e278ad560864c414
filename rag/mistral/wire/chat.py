"""`POST /v1/chat/completions`."""

from typing import Any, Literal

from msgspec import Struct, field

from rag.grounding.prompt import Message
from rag.mistral.wire.usage import TokenUsage


class JsonSchema(Struct, frozen=True):
    name: str
    definition: dict[str, Any] = field(name="schema")
    strict: bool = True


class ResponseFormat(Struct, frozen=True):
    json_schema: JsonSchema
    type: Literal["json_schema"] = "json_schema"


class ChatRequest(Struct, frozen=True, omit_defaults=True):
    model: str
    messages: tuple[Message, ...]
    response_format: ResponseFormat
    temperature: float
    max_tokens: int
    prompt_cache_key: str | None = None
    reasoning_effort: Literal["none", "low", "medium", "high"] | None = None


class ContentChunk(Struct, frozen=True):
    """Of an answer that comes in pieces: `text`, or `thinking`, `reference` ... without a text."""

    type: str = "text"
    text: str = ""


class ChatMessage(Struct, frozen=True):
    content: str | tuple[ContentChunk, ...] | None = None

    def text(self) -> str:
        """The answer without the thinking."""
        if isinstance(self.content, tuple):
            return "".join(chunk.text for chunk in self.content if chunk.type == "text")
        return self.content or ""


class ChatChoice(Struct, frozen=True):
    message: ChatMessage = ChatMessage()
    finish_reason: str | None = None


class ChatReply(Struct, frozen=True):
    choices: tuple[ChatChoice, ...]
    model: str = ""
    usage: TokenUsage = TokenUsage()
