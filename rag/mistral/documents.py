"""Recognized pages -> one document."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

import msgspec

from rag.domain import Block, Document, Page, Source, Version
from rag.errors import EmptyDocument
from rag.mistral.furniture import furniture
from rag.mistral.kinds import PDF
from rag.mistral.ocr_replies import SentPage
from rag.mistral.pages import Reading, RecognizedPage, recognized_page
from rag.mistral.pictures import says_anything

_PAGE_BREAK = "\n\n"


def recognized(
    pages: Mapping[int, SentPage], version: Version, media_type: str
) -> tuple[RecognizedPage, ...]:
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


def composed(pages: Iterable[RecognizedPage]) -> tuple[str, tuple[Block, ...], tuple[Page, ...]]:
    """One text of all pages, in their order, and their spans in it; a blank line between two that
    have text."""
    texts: list[str] = []
    blocks: list[Block] = []
    moved: list[Page] = []
    end = 0
    for each in pages:
        start = end + len(_PAGE_BREAK) if texts and each.text else end
        end = start + len(each.text)
        if each.text:
            texts.append(each.text)
        moved.append(msgspec.structs.replace(each.page, start=start, end=end))
        blocks += (
            msgspec.structs.replace(block, start=start + block.start, end=start + block.end)
            for block in each.blocks
        )
    return _PAGE_BREAK.join(texts), tuple(blocks), tuple(moved)


def document_of(
    source: Source, version: Version, media_type: str, pages: Sequence[RecognizedPage]
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
