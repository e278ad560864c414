"""Text between two blocks that were found -> blocks, by its markdown.

The provider's blocks that were not found stand somewhere here too, told in nearly the same words:
their boxes are taken where the words agree, one by one or else all together.
"""

from collections.abc import Iterator, Sequence

import msgspec

from rag.chunking.markdown import blocks as markdown_blocks
from rag.domain import Block
from rag.mistral.ocr.boxes import around
from rag.mistral.ocr.printed import PrintedBlock

_ALIKE = 0.8
"""Dice's coefficient of the words of two texts, from which one is taken for the other (Dice,
Ecology 26, 1945): in ten words, two may differ."""

_ENOUGH_IN_COMMON = 0.5
"""Share of a text's words that all lost blocks must have together, before the box around them is
taken for the text's."""


def left_over(text: str, start: int, end: int, homeless: Sequence[PrintedBlock]) -> Iterator[Block]:
    """Blocks of `text[start:end]`.

    Args:
        homeless: blocks that are told of between the two that were found, in order.
    """
    rest = text[start:end]
    lost = [each for each in homeless if not each.is_edge]
    found = markdown_blocks(rest)
    told = _told_alike([rest[block.start : block.end] for block in found], lost)
    others = [each for each in lost if each not in told]
    for block, each in zip(found, told, strict=True):
        moved = msgspec.structs.replace(block, start=start + block.start, end=start + block.end)
        yield _as_one(moved, each) if each else _within(moved, rest, others)


def _told_alike(texts: Sequence[str], lost: Sequence[PrintedBlock]) -> list[PrintedBlock | None]:
    """For each text the lost block in its words, in the order of both."""
    told: list[PrintedBlock | None] = []
    first = 0
    words = [set(each.content.split()) for each in lost]
    for text in texts:
        own = set(text.split())
        later = range(first, len(lost))
        at = next((i for i in later if _likeness(own, words[i]) >= _ALIKE), None)
        told.append(None if at is None else lost[at])
        first = first if at is None else at + 1
    return told


def _likeness(some: set[str], others: set[str]) -> float:
    return 2 * len(some & others) / max(1, len(some) + len(others))


def _as_one(block: Block, told: PrintedBlock) -> Block:
    """The provider knows better what a block is, unless it is a heading, whose level is known
    here."""
    kind = block.kind if "title" in (block.kind, told.kind) else told.kind
    return msgspec.structs.replace(block, kind=kind, box=told.box, confidence=told.confidence)


def _within(block: Block, rest: str, others: Sequence[PrintedBlock]) -> Block:
    words = set(rest.split())
    shared = words.intersection(word for each in others for word in each.content.split())
    if not others or len(shared) < _ENOUGH_IN_COMMON * len(words):
        return block
    sure = (each.confidence for each in others)
    lowest = min((value for value in sure if value is not None), default=None)
    box = around([each.box for each in others])
    return msgspec.structs.replace(block, box=box, confidence=lowest)
