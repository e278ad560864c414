"""The requests that the published contract allows, written down apart from our client's structs:
a mistake in those must not be repeated here. Optional fields that may not be null say so by type.
"""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

Penalty: TypeAlias = Annotated[float, Meta(ge=-2, le=2)]
Temperature: TypeAlias = Annotated[float, Meta(ge=0, le=1.5)]
TopP: TypeAlias = Annotated[float, Meta(gt=0, le=1)]
Whole: TypeAlias = Annotated[int, Meta(ge=0)]


class Closed(Struct, forbid_unknown_fields=True, kw_only=True):
    """The server answers 422 to any field it does not know."""


# --- OCR -----------------------------------------------------------------------------------------


class Document(Closed):
    """One of three kinds; the published batch samples leave `type` out."""

    type: Literal["document_url", "image_url", "file"] | UnsetType = UNSET
    document_url: str | UnsetType = UNSET
    document_name: str | None = None
    image_url: str | dict[str, str] | UnsetType = UNSET
    file_id: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        sources = {"document_url": self.document_url, "image_url": self.image_url}
        given = [kind for kind, value in sources.items() if value is not UNSET]
        given += ["file"] if self.file_id is not UNSET else []
        if len(given) != 1 or self.type not in (UNSET, given[0]):
            raise ValueError("a document is one of document_url, image_url and file")


class JsonSchema(Closed):
    name: str
    definition: dict[str, Any] = msgspec.field(name="schema")
    description: str | None = None
    strict: bool = False


class ResponseFormat(Closed):
    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: JsonSchema | None = None


class Ocr(Closed):
    model: str | None
    document: Document
    pages: str | list[int] | None = None
    include_image_base64: bool | None = None
    image_limit: int | None = None
    image_min_size: int | None = None
    bbox_annotation_format: ResponseFormat | None = None
    document_annotation_format: ResponseFormat | None = None
    document_annotation_prompt: str | None = None
    table_format: Literal["markdown", "html"] | None = None
    extract_header: bool = False
    extract_footer: bool = False
    include_blocks: bool = True
    confidence_scores_granularity: Literal["word", "page", "block"] | None = None


# --- embeddings ----------------------------------------------------------------------------------


class Embeddings(Closed):
    model: str
    input: str | list[str]
    metadata: dict[str, Any] | None = None
    output_dimension: Annotated[int, Meta(gt=0)] | None = None
    output_dtype: Literal["float", "int8", "uint8", "binary", "ubinary"] = "float"
    encoding_format: Literal["float", "base64"] = "float"


# --- chat and completion -------------------------------------------------------------------------


class FunctionCall(Closed):
    name: str
    arguments: str | dict[str, Any]


class ToolCall(Closed):
    function: FunctionCall
    id: str = "null"
    type: Literal["function"] = "function"
    index: int = 0


class ChatMessage(Closed):
    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None
    prefix: bool | UnsetType = UNSET
    tool_calls: list[ToolCall] | UnsetType | None = UNSET
    tool_call_id: str | UnsetType | None = UNSET
    name: str | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        if self.role != "assistant" and (self.prefix, self.tool_calls) != (UNSET, UNSET):
            raise ValueError("prefix and tool_calls are the assistant's")
        if self.role != "tool" and (self.tool_call_id, self.name) != (UNSET, UNSET):
            raise ValueError("tool_call_id and name are a tool's")

    def text(self) -> str:
        """What a model reads of it."""
        if isinstance(self.content, list):
            return "".join(str(chunk.get("text", "")) for chunk in self.content)
        return self.content or ""


class Function(Closed):
    name: Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{1,64}$")]
    parameters: dict[str, Any]
    description: str = ""
    strict: bool = False


class Tool(Closed):
    function: Function
    type: Literal["function"] = "function"


class FunctionName(Closed):
    name: str


class ToolChoice(Closed):
    function: FunctionName
    type: Literal["function"] = "function"


class Prediction(Closed):
    type: Literal["content"] = "content"
    content: str = ""


class _Completion(Closed):
    model: str
    temperature: Temperature | None = None
    top_p: TopP | None = None
    max_tokens: Whole | None = None
    stream: bool = False
    stop: str | list[str] | None = None
    random_seed: Whole | None = None
    metadata: dict[str, Any] | None = None
    prompt_cache_key: str | None = None


class Chat(_Completion, kw_only=True):
    messages: Annotated[list[ChatMessage], Meta(min_length=1)]
    response_format: ResponseFormat | UnsetType = UNSET
    tools: Annotated[list[Tool], Meta(max_length=128)] | None = None
    tool_choice: ToolChoice | Literal["auto", "none", "any", "required"] = "auto"
    parallel_tool_calls: bool = True
    prediction: Prediction | UnsetType = UNSET
    n: Annotated[int, Meta(ge=1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    prompt_mode: Literal["reasoning"] | None = None
    guardrails: list[dict[str, Any]] | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    safe_prompt: bool = False


class Fim(_Completion, kw_only=True):
    prompt: str
    suffix: str | None = None
    min_tokens: Whole | None = None


# --- batch ---------------------------------------------------------------------------------------


class BatchRequest(Struct, kw_only=True):
    body: dict[str, Any]
    custom_id: str | None = None


class CreateBatch(Struct, kw_only=True):
    """Not closed in the contract."""

    endpoint: Literal["/v1/chat/completions", "/v1/embeddings", "/v1/fim/completions", "/v1/ocr"]
    """Those of the ten that the fake can serve."""
    input_files: list[str] | None = None
    requests: Annotated[list[BatchRequest], Meta(max_length=10_000)] | None = None
    model: str | None = None
    agent_id: str | None = None
    metadata: (
        dict[
            Annotated[str, Meta(min_length=1, max_length=32)],
            Annotated[str, Meta(min_length=1, max_length=512)],
        ]
        | None
    ) = None
    timeout_hours: Annotated[int, Meta(ge=1, le=168)] = 24
