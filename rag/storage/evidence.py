"""The blocks that hits stand on, whole: what an answerer reads, and may quote."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from msgspec.structs import replace
from sqlalchemy.orm import Session

from rag.domain import Block, Document, DocumentId, Evidence, Hit
from rag.grounding.cells import cells_under
from rag.storage.browsed import current_of

LONG_BLOCK = 2_000  # characters: of a longer block only the part the hit covers is shown
HIDDEN = ("header", "footer")
"""Kinds of blocks that repeat on every page, and carry no answer."""


def evidence_of(session: Session, hits: Sequence[Hit]) -> tuple[Evidence, ...]:
    """Every block that a hit covers, once, numbered from 1 in the order of the hits. Of a
    document deleted or replaced since it was found, what no longer stands there is left out."""
    stored = current_of(session, (hit.document_id for hit in hits))
    documents = {id: each.document() for id, each in stored.items()}
    seen: set[tuple[DocumentId, int, int]] = set()
    found: list[Evidence] = []
    for hit in hits:
        document = documents.get(hit.document_id)
        if document is None or document.text[hit.start : hit.end] != hit.text:
            continue
        for block in _covered(document, hit):
            place = (hit.document_id, block.start, block.end)
            if place not in seen:
                seen.add(place)
                found.append(_evidence(document, hit, block, label=len(found) + 1))
    return tuple(found)


def _covered(document: Document, hit: Hit) -> list[Block]:
    """The hit's blocks; the hit itself where the document has none."""
    blocks = document.blocks
    first = bisect_right([block.end for block in blocks], hit.start)
    last = bisect_left([block.start for block in blocks], hit.end)
    covered = [
        _clipped(document, block, hit) for block in blocks[first:last] if block.kind not in HIDDEN
    ]
    whole = Block(kind="text", start=hit.start, end=hit.end)
    return [block for block in covered if block.start < block.end] or [whole]


def _clipped(document: Document, block: Block, hit: Hit) -> Block:
    if block.end - block.start <= LONG_BLOCK:
        return block
    start, end = max(block.start, hit.start), min(block.end, hit.end)
    lines = tuple(line for line in block.lines if line.start < end and line.end > start)
    whole = document.text[block.start : block.end]
    place = block.place and cells_under(block.place, whole, start - block.start, end - block.start)
    return replace(block, start=start, end=end, lines=lines, place=place)


def _evidence(document: Document, hit: Hit, block: Block, *, label: int) -> Evidence:
    return Evidence(
        label=label,
        document_id=hit.document_id,
        version=document.version,
        key=document.key,
        title=document.title,
        text=document.text[block.start : block.end],
        block=block,
        heading_path=hit.heading_path,
        first_line=None if document.pages else document.text.count("\n", 0, block.start) + 1,
        score=hit.score,
    )
