"""The pages of an OCR reply -> one document."""

from collections.abc import Sequence
from pathlib import PurePosixPath

import msgspec

from rag.domain import Block, Document, Page, Source
from rag.errors import EmptyDocument
from rag.mistral.pages import page_text
from rag.mistral.wire.ocr import OcrPage, OcrReply

_POINTS_PER_INCH = 72
_PAGE_BREAK = "\n\n"


def document_of(source: Source, media_type: str, reply: OcrReply, model: str) -> Document:
    """The pages in order, numbered from 1, a blank line between two that have text."""
    texts: list[str] = []
    pages: list[Page] = []
    blocks: list[Block] = []
    end = 0
    for number, page in enumerate(sorted(reply.pages, key=lambda page: page.index), 1):
        content = page_text(page, number)
        start = end + len(_PAGE_BREAK) if texts and content.text else end
        end = start + len(content.text)
        if content.text:
            texts.append(content.text)
        pages.append(_page(page, number, (start, end), media_type, reply.model or model))
        blocks += (
            msgspec.structs.replace(block, start=start + block.start, end=start + block.end)
            for block in content.blocks
        )
    if not texts:
        raise EmptyDocument("no text was found on any page")
    text = _PAGE_BREAK.join(texts)
    return Document(
        source.key,
        source.version,
        media_type,
        source.title or _first_title(text, blocks) or PurePosixPath(source.key).stem,
        text,
        tuple(blocks),
        tuple(pages),
        source.attributes,
    )


def _page(page: OcrPage, number: int, span: tuple[int, int], media_type: str, reader: str) -> Page:
    start, end = span
    frame = page.dimensions
    scale = 1.0
    if frame and frame.dpi and media_type == "application/pdf":
        scale = _POINTS_PER_INCH / frame.dpi
    scores = page.confidence_scores
    return Page(
        number,
        start,
        end,
        reader,
        "OCR by the provider is configured" if end > start else "the provider found no text",
        width=frame.width * scale if frame else None,
        height=frame.height * scale if frame else None,
        confidence=scores.average_page_confidence_score if scores else None,
    )


def _first_title(text: str, blocks: Sequence[Block]) -> str | None:
    title = next((block for block in blocks if block.kind == "title"), None)
    return text[title.start : title.end].strip("# \n") if title else None
