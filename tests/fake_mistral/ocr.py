"""`/v1/ocr`: a document -> pages, as the request wants them."""

import base64
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from .composition import Composition, Numbers
from .contract import Document, Ocr
from .instances import instance
from .layouts import Unparsable
from .models import MODELS, Units, of_kinds
from .provider import Answered, Provider
from .reading import is_office, layout
from .refusals import invalid, refused, unknown_model

LARGEST = 50 * 1024 * 1024  # bytes
MOST_PAGES = 1_000

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,")


def answer(provider: Provider, asked: Ocr) -> Answered:
    """
    Raises:
        Refusal: it will not, or cannot.
    """
    model = asked.model or "mistral-ocr-latest"
    if model not in of_kinds("ocr") or model in provider.retired:
        raise unknown_model(model)
    if asked.document_annotation_prompt and not asked.document_annotation_format:
        raise refused(400, "invalid_request_error", "A prompt needs document_annotation_format")
    if asked.confidence_scores_granularity == "block" and not asked.include_blocks:
        raise refused(400, "invalid_request_error", "Granularity block needs include_blocks")
    size = None
    if provider.pages is None:
        content, is_image = _content(provider, asked.document)
        size = len(content)
        pages = _pages(provider, asked, model, content, is_image)
    else:
        pages = provider.pages(asked)
    annotated = bool(asked.bbox_annotation_format or asked.document_annotation_format)
    units = Units(pages=len(pages), annotated=len(pages) if annotated else 0)
    return Answered(
        model,
        units,
        {
            "model": model,
            "pages": pages,
            "document_annotation": _annotation(asked),
            "usage_info": {"pages_processed": len(pages), "doc_size_bytes": size},
        },
    )


def _annotation(asked: Ocr) -> str | None:
    wanted = asked.document_annotation_format
    if wanted is None or wanted.json_schema is None:
        return None
    return msgspec.json.encode(instance(wanted.json_schema.definition)).decode()


# --- what was sent -------------------------------------------------------------------------------


def _content(provider: Provider, document: Document) -> tuple[bytes, bool]:
    """The bytes, and whether they are an image's."""
    if isinstance(document.file_id, str):
        file = provider.files.get(document.file_id)
        return file.content, file.mimetype.startswith("image/")
    is_image = not isinstance(document.document_url, str)
    url = _url(document)
    if match := _DATA_URL.match(url):
        try:
            content = base64.b64decode(url[match.end() :], validate=True)
        except ValueError as error:
            raise refused(400, "invalid_request_error", "Invalid base64") from error
        if len(content) > LARGEST:
            raise refused(413, "invalid_request_error", "The document is larger than 50 MB")
        return content, is_image
    if file := provider.files.behind(url):
        return file.content, is_image
    if url.startswith("https://"):  # never fetched
        return b"A document at some address\n\n" + url.encode(), False
    place = ("body", "document", "image_url" if is_image else "document_url")
    message = "URL must start with https or data:application/<format>;base64,"
    raise invalid("value_error", place, message, url)


def _url(document: Document) -> str:
    if isinstance(document.document_url, str):
        return document.document_url
    image = document.image_url
    return image.get("url", "") if isinstance(image, dict) else str(image)


def _chosen(pages: str | Sequence[int] | None, n: int) -> list[int]:
    """Indexes from 0, in the document's order."""
    if pages is None:
        return list(range(n))
    try:
        wanted = set(_numbers(pages)) if isinstance(pages, str) else set(pages)
    except ValueError as error:
        message = "pages must look like 0,2-4"
        raise invalid("value_error", ("body", "pages"), message, pages) from error
    if not wanted or not wanted <= set(range(n)):
        raise refused(400, "invalid_request_error", f"Pages out of range: there are {n}")
    return sorted(wanted)


def _numbers(pages: str) -> Iterator[int]:
    for part in pages.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


# --- what is answered ----------------------------------------------------------------------------


def _pages(
    provider: Provider, asked: Ocr, model: str, content: bytes, is_image: bool
) -> list[dict[str, Any]]:
    if is_office(content) and not asked.include_image_base64 and asked.image_limit != 0:
        message = "Images of this document can only be given as base64"
        raise refused(400, "invalid_request_error", message)
    try:
        laid_out = layout(content, is_image=is_image)
    except Unparsable as error:
        message = "Could not parse the document."
        raise refused(400, "document_parser_invalid_file", message, "3740") from error
    chosen = _chosen(asked.pages, len(laid_out))
    if len(chosen) > MOST_PAGES:
        message = f"More than {MOST_PAGES} pages"
        raise refused(400, "document_parser_too_many_pages", message, "3730")
    numbers = Numbers()
    return [
        Composition(asked, numbers, has_blocks=MODELS[model].has_blocks).page(
            position if provider.renumbers_pages else index, laid_out[index]
        )
        for position, index in enumerate(chosen)
    ]
