"""What is asked of the provider's OCR."""

import hashlib
from collections.abc import Sequence

import msgspec

from rag.mistral.ocr.data_urls import data_url
from rag.mistral.ocr.kinds import Kind
from rag.mistral.ocr.numbering import ranges
from rag.mistral.ocr.pictures import DESCRIPTION
from rag.mistral.wire.ocr import DocumentUrl, ImageUrl, OcrRequest

_WITHOUT_BLOCKS = frozenset({"mistral-ocr-2503", "mistral-ocr-2505", "mistral-ocr-2512"})
"""Models that return no blocks, and so no confidence of blocks either."""

_NOTHING = msgspec.Raw(b'""')


def options(model: str, kind: Kind, *, describes: bool) -> OcrRequest:
    """A request for a kind of file, without the file.

    Args:
        describes: whether a vision model is to say what each picture shows, at a higher price.
    """
    return OcrRequest(
        model,
        ImageUrl(_NOTHING) if kind.is_image else DocumentUrl(_NOTHING),
        include_blocks=True,
        # a docx or pptx with pictures is refused unless they are sent back, or not wanted
        image_limit=0 if kind.is_office else None,
        bbox_annotation_format=DESCRIPTION if describes and not kind.is_office else None,
        table_format="markdown",
        extract_header=True,
        extract_footer=True,
        confidence_scores_granularity="page" if model in _WITHOUT_BLOCKS else "block",
    )


def request(
    asked: OcrRequest, content: bytes, kind: Kind, numbers: Sequence[int] | None
) -> OcrRequest:
    """
    Args:
        numbers: pages that are wanted, from 1; all where None.
    """
    url = data_url(content, kind.media_type)
    return msgspec.structs.replace(
        asked,
        document=ImageUrl(url) if kind.is_image else DocumentUrl(url),
        pages=None if numbers is None else tuple(number - 1 for number in numbers),
    )


def fingerprint(asked: OcrRequest, numbers: Sequence[int] | None) -> str:
    """Names a reply by all that it depends on but the bytes of the document: model, options and
    pages."""
    digest = hashlib.sha256(msgspec.json.encode(asked)).hexdigest()[:16]
    return f"{asked.model}/{digest}/{'all' if numbers is None else ranges(numbers)}"
