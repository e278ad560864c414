"""The requests that the published contract allows, written down apart from our client's structs:
a mistake in those must not be repeated here. Optional fields that may not be null say so by type.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

Unit = Annotated[float, Meta(ge=0, le=1)]


class Closed(Struct, forbid_unknown_fields=True, kw_only=True):
    """The server answers 422 to any field it does not know."""


class DocumentUrl(Closed, tag="document_url"):
    document_url: str
    document_name: str | None = None


class ImageUrl(Closed, tag="image_url"):
    image_url: str | dict[str, str]


class File(Closed, tag="file"):
    file_id: str


class Ocr(Closed):
    model: str | None
    document: DocumentUrl | ImageUrl | File
    pages: str | list[int] | None = None
    include_image_base64: bool | None = None
    image_limit: int | None = None
    image_min_size: int | None = None
    bbox_annotation_format: dict[str, Any] | None = None
    document_annotation_format: dict[str, Any] | None = None
    document_annotation_prompt: str | None = None
    table_format: Literal["markdown", "html"] | None = None
    extract_header: bool = False
    extract_footer: bool = False
    include_blocks: bool = True
    confidence_scores_granularity: Literal["word", "page", "block"] | None = None


class Embeddings(Closed):
    model: str
    input: str | list[str]
    metadata: dict[str, Any] | None = None
    output_dimension: Annotated[int, Meta(gt=0)] | None = None
    output_dtype: Literal["float", "int8", "uint8", "binary", "ubinary"] = "float"
    encoding_format: Literal["float", "base64"] = "float"


class ChatMessage(Closed):
    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None
    prefix: bool = False


class JsonSchema(Closed):
    name: str
    definition: dict[str, Any] = msgspec.field(name="schema")
    description: str | None = None
    strict: bool = False


class ResponseFormat(Closed):
    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: JsonSchema | None = None


class Chat(Closed):
    model: str
    messages: Annotated[list[ChatMessage], Meta(min_length=1)]
    temperature: Annotated[float, Meta(ge=0, le=1.5)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Meta(ge=0)] | None = None
    stream: bool = False
    stop: str | list[str] | None = None
    random_seed: Annotated[int, Meta(ge=0)] | None = None
    metadata: dict[str, Any] | None = None
    response_format: ResponseFormat | UnsetType = UNSET
    n: Annotated[int, Meta(ge=1)] | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    prompt_cache_key: str | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    safe_prompt: bool = False


def validation_errors(error: msgspec.ValidationError, sent: Any) -> list[dict[str, Any]]:
    """As the server words them, with the offending input repeated: here all of it."""
    text = str(error)
    place = text.partition(" - at `$")[2].strip("`").replace("[", ".").replace("]", "")
    kind = "extra_forbidden" if "unknown field" in text else "value_error"
    steps: list[str | int] = ["body"]
    steps += (int(step) if step.isdigit() else step for step in place.split(".") if step)
    return [{"type": kind, "loc": steps, "msg": text, "input": sent}]
