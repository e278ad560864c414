"""`POST /v1/ocr`."""

from typing import Literal

import msgspec
from msgspec import Struct

from rag.mistral.wire.chat import ResponseFormat
from rag.mistral.wire.encoding import LongString


class DocumentUrl(Struct, frozen=True):
    document_url: msgspec.Raw | LongString
    """A JSON string, `https://` or `data:`, quotes included."""
    type: Literal["document_url"] = "document_url"


class ImageUrl(Struct, frozen=True):
    image_url: msgspec.Raw | LongString
    type: Literal["image_url"] = "image_url"


class OcrRequest(Struct, frozen=True, omit_defaults=True):
    model: str
    document: DocumentUrl | ImageUrl
    include_blocks: bool
    """Required here because the contract's versions disagree about its default."""
    pages: tuple[int, ...] | None = None
    """From 0; all where None."""
    image_limit: int | None = None
    bbox_annotation_format: ResponseFormat | None = None
    """What is to be said of each picture."""
    table_format: Literal["markdown", "html"] | None = None
    extract_header: bool = False
    extract_footer: bool = False
    confidence_scores_granularity: Literal["page", "block", "word"] | None = None


class Corners(Struct, frozen=True):
    """In pixels of the rendered page."""

    top_left_x: float | None = None
    top_left_y: float | None = None
    bottom_right_x: float | None = None
    bottom_right_y: float | None = None


class OcrImage(Corners, frozen=True):
    id: str = ""
    image_annotation: str | None = None
    """JSON, as text."""


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


class OcrBlock(Corners, frozen=True):
    """All thirteen kinds in one shape: an unknown kind must not make a page unreadable."""

    type: str = "text"
    content: str = ""
    table_id: str | None = None
    image_id: str | None = None
    confidence_scores: OcrBlockConfidence | None = None


class OcrPage(Struct, frozen=True):
    index: int
    markdown: str
    images: tuple[OcrImage, ...] = ()
    tables: tuple[OcrTable, ...] | None = None
    hyperlinks: tuple[str, ...] | None = None
    header: str | None = None
    footer: str | None = None
    dimensions: OcrDimensions | None = None
    confidence_scores: OcrPageConfidence | None = None
    blocks: tuple[OcrBlock, ...] | None = None


class OcrUsage(Struct, frozen=True):
    pages_processed: int | None = None
    """The unit of the bill."""


class Billed(Struct, frozen=True):
    """All that is looked at in a reply whose pages cannot be used."""

    usage_info: OcrUsage = OcrUsage()


class OcrResponse(Billed, frozen=True, kw_only=True):
    pages: tuple[OcrPage, ...]
    model: str = ""
