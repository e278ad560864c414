"""Recognized pages -> one document."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from rag.domain import Block, Document, Source, Version
from rag.errors import EmptyDocument
from rag.mistral.ocr.furniture import furniture
from rag.mistral.ocr.kinds import PDF
from rag.mistral.ocr.pages import Reading, recognized_page
from rag.mistral.ocr.pictures import says_anything
from rag.mistral.ocr.replies import SentPage
from rag.pages import LoosePage, composed


def recognized(
    pages: Mapping[int, SentPage], version: Version, media_type: str
) -> tuple[LoosePage, ...]:
    """
    Args:
        pages: by their numbers in the document, from 1.
    """
    reading = Reading(
        prefix=version.rpartition(":")[2][:8],
        furniture=furniture([sent.page for sent in pages.values()]),
        in_points=media_type == PDF,
    )
    return tuple(
        recognized_page(sent.page, number, sent.model, reading)
        for number, sent in sorted(pages.items())
    )


def document_of(
    source: Source, version: Version, media_type: str, pages: Sequence[LoosePage]
) -> Document:
    """
    Args:
        version: the source's own.

    Raises:
        EmptyDocument: there is nothing on the pages but pictures.
    """
    text, blocks, moved = composed(pages)
    if not says_anything(text):
        raise EmptyDocument("no text was found on any page")
    return Document(
        source.key,
        version,
        media_type,
        source.title or _first_title(text, blocks) or PurePosixPath(source.key).stem,
        text,
        blocks,
        moved,
        source.attributes,
    )


def _first_title(text: str, blocks: Sequence[Block]) -> str | None:
    title = next((block for block in blocks if block.kind == "title"), None)
    return text[title.start : title.end].strip("# \n") if title else None
