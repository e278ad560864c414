"""`POST /v1/ocr`."""

from typing import Literal

from msgspec import Struct


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
