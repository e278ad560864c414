"""What goes over the wire, as small structs.

Requests are closed: the server answers 422 to a field it does not know and to a null where none
is allowed, so a field that is not set is not sent. Replies are open: they already carry fields
that the published contract lacks, so an unknown field is ignored, nearly all have a default, and
an enumeration is a plain string.
"""

from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct, field

from rag.errors import MalformedReply
from rag.grounding.prompt import Message

PROVIDER = "mistral"
"""How the provider is named in errors."""

Reply = TypeVar("Reply", bound=Struct)


def decode(body: bytes, shape: type[Reply]) -> Reply:
    """
    Raises:
        MalformedReply: the body is not JSON, was cut off, or has another shape. The message
            names the place, never what stands there.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise MalformedReply(PROVIDER, f"sent another shape than agreed: {error}") from error
    except msgspec.DecodeError as error:
        raise MalformedReply(PROVIDER, "sent a reply that is not JSON, or cut short") from error


# --- POST /v1/ocr -------------------------------------------------------------------------------


class DocumentUrl(Struct, frozen=True):
    document_url: str
    """`https://` or `data:application/pdf;base64,`."""
    type: Literal["document_url"] = "document_url"


class ImageUrl(Struct, frozen=True):
    image_url: str
    type: Literal["image_url"] = "image_url"


class OcrRequest(Struct, frozen=True, omit_defaults=True):
    model: str
    document: DocumentUrl | ImageUrl
    include_blocks: bool
    """Required here because the contract's versions disagree about its default."""
    table_format: Literal["markdown", "html"] | None = None
    extract_header: bool = False
    extract_footer: bool = False
    confidence_scores_granularity: Literal["page", "block", "word"] | None = None


class OcrImage(Struct, frozen=True):
    id: str


class OcrTable(Struct, frozen=True):
    id: str
    content: str


class OcrDimensions(Struct, frozen=True):
    """Of the rendered page, in pixels; the frame of all boxes."""

    dpi: int = 0
    height: int = 0
    width: int = 0


class OcrPageConfidence(Struct, frozen=True):
    average_page_confidence_score: float | None = None


class OcrBlockConfidence(Struct, frozen=True):
    average_content_confidence_score: float | None = None


class OcrBlock(Struct, frozen=True):
    """All thirteen kinds in one shape: an unknown kind must not make a page unreadable."""

    type: str = "text"
    content: str = ""
    top_left_x: float | None = None
    top_left_y: float | None = None
    bottom_right_x: float | None = None
    bottom_right_y: float | None = None
    table_id: str | None = None
    confidence_scores: OcrBlockConfidence | None = None


class OcrPage(Struct, frozen=True):
    index: int
    markdown: str
    images: tuple[OcrImage, ...] = ()
    tables: tuple[OcrTable, ...] | None = None
    dimensions: OcrDimensions | None = None
    confidence_scores: OcrPageConfidence | None = None
    blocks: tuple[OcrBlock, ...] | None = None


class OcrUsage(Struct, frozen=True):
    pages_processed: int = 0
    """The unit of the bill."""


class OcrReply(Struct, frozen=True):
    pages: tuple[OcrPage, ...]
    model: str = ""
    usage_info: OcrUsage = OcrUsage()


# --- POST /v1/embeddings ------------------------------------------------------------------------


class EmbeddingRequest(Struct, frozen=True, omit_defaults=True):
    model: str
    input: tuple[str, ...]
    encoding_format: Literal["float"]
    """Required here: `base64` was seen answered with numbers all the same."""
    output_dimension: int | None = None


class TokenDetails(Struct, frozen=True):
    cached_tokens: int = 0


class TokenUsage(Struct, frozen=True):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: TokenDetails | None = None


class EmbeddingItem(Struct, frozen=True):
    embedding: tuple[float, ...]
    index: int | None = None


class EmbeddingReply(Struct, frozen=True):
    data: tuple[EmbeddingItem, ...]
    model: str = ""
    usage: TokenUsage = TokenUsage()


# --- POST /v1/chat/completions ------------------------------------------------------------------


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


# --- GET /v1/models -----------------------------------------------------------------------------


class ModelCard(Struct, frozen=True):
    id: str
    aliases: tuple[str, ...] = ()
    deprecation: str | None = None
    """When it goes, as a date and time; None while it stays."""
    deprecation_replacement_model: str | None = None


class ModelList(Struct, frozen=True):
    data: tuple[ModelCard, ...]
