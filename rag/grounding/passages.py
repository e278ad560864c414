"""A run of neighboring blocks as one text, and spans of its normal form back to the blocks."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import groupby

from msgspec import Struct

from rag.domain import Evidence
from rag.grounding.normalization import Normalized, Notation, normalize, rewrite

NEIGHBORING = 4
"""Characters between two blocks of one document beyond which something may stand between them:
room for a blank line, a form feed and a carriage return."""

SURE = 0.9
"""Confidence below which a block's letters may have been misread."""

_MISREAD = re.compile(
    r"rn|vv|[IO]|(?<=[^\W\d_])[01](?=[^\W\d_])|(?<!\w)[01](?=[^\W\d_]{4})",
)
_MISREAD_BY_LETTERS = re.compile(r"rn|vv|[IO]")
_READ_AS = {"rn": "m", "vv": "w", "I": "l", "1": "l", "O": "o", "0": "o"}
"""What OCR confuses, as the one of each pair that stands for both. A digit of the source may be a
misread letter inside a word; a digit of a quotation is always a digit."""


class Part(Struct, frozen=True):
    """A span of one block, as offsets into its evidence's text."""

    evidence: Evidence
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.evidence.text[self.start : self.end]


class Passage:
    """Neighboring blocks in the order of their document. Normal forms are made when first used."""

    def __init__(self, blocks: Sequence[Evidence]) -> None:
        self.blocks = blocks
        self.notation = notation_of(blocks[0])
        self.labels = frozenset(block.label for block in blocks)
        self._starts: list[int] = []
        source = ""
        for before, block in zip((None, *blocks), blocks, strict=False):
            gap = 0 if before is None else block.block.start - before.block.end
            source += "\n" * gap
            self._starts.append(len(source))
            source += block.text
        self.source = source

    @cached_property
    def normal(self) -> Normalized:
        return normalize(self.source, self.notation)

    @cached_property
    def as_misread(self) -> Normalized:
        """`normal.text` with the confusions of OCR evened out; spans lead back to `normal`."""
        return rewrite(self.normal.text, _misreadings(self.normal.text, _MISREAD))

    def parts(self, start: int, end: int) -> tuple[Part, ...]:
        """The blocks' own spans under `source[start:end]`, white space at their ends left out."""
        return tuple(self._parts(start, end))

    def _parts(self, start: int, end: int) -> Iterator[Part]:
        for block, offset in zip(self.blocks, self._starts, strict=True):
            first, last = max(start - offset, 0), min(end - offset, len(block.text))
            text = block.text[first:last] if first < last else ""
            if any(character.isalnum() for character in text):
                first += len(text) - len(text.lstrip())
                yield Part(block, first, first + len(text.strip()))


def even_out_misreadings(text: str) -> str:
    """A quotation's normal form, to be looked for in `Passage.as_misread`."""
    return rewrite(text, _misreadings(text, _MISREAD_BY_LETTERS)).text


def _misreadings(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int, str]]:
    return (
        (match.start(), match.end(), _READ_AS[match.group()]) for match in pattern.finditer(text)
    )


def runs(evidence: Iterable[Evidence]) -> list[Passage]:
    """All evidence, each block in one run with those that follow it at once in its document."""
    placed = sorted(evidence, key=lambda item: (item.document_id, item.version, item.block.start))
    run_of: list[int] = []
    for at, item in enumerate(placed):
        follows = at > 0 and _follows(placed[at - 1], item)
        run_of.append(run_of[-1] if follows else at)
    grouped = groupby(zip(run_of, placed, strict=True), key=lambda pair: pair[0])
    return [Passage([item for _, item in group]) for _, group in grouped]


def _follows(before: Evidence, after: Evidence) -> bool:
    return (
        (before.document_id, before.version) == (after.document_id, after.version)
        and 0 <= after.block.start - before.block.end <= NEIGHBORING
        and notation_of(before) == notation_of(after)
    )


def is_unsure(evidence: Evidence) -> bool:
    """Whether letters of it may be others than they seem."""
    return evidence.block.confidence is not None and evidence.block.confidence < SURE


def notation_of(evidence: Evidence) -> Notation:
    kind = evidence.block.kind
    return kind if kind == "table" or kind == "code" else "prose"
